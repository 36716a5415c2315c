//! An operation, however it arrived: its parts checked, its document guarded, run under a deadline.

use super::{Door, answer};
use crate::domain::viewer::{Viewer, ViewerRole};
use crate::graphql::door::{self, Code, Refusal};
use crate::graphql::guard::{self, TooMuch};
use crate::graphql::renewal::Renewal;
use crate::graphql::resume::Resume;
use crate::graphql::rounds::Rounds;
use crate::graphql::with_viewer;
use crate::live::Pulse;
use async_graphql::Positioned;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
};
use async_graphql::{Request, Response as Answer, Variables};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::sync::Arc;

/// What a client sends: the same in a body, in a URL and on a socket.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: Map<String, Value>,
    pub extensions: Map<String, Value>,
}

impl Parameters {
    /// Takes the parts of a JSON object; nothing else is a request, and a list of requests is none either.
    pub(super) fn from_json(value: Value) -> Result<Self, Refusal> {
        let bad = |message: &str| Refusal::new(Code::BadUserInput, message);
        let Value::Object(mut parts) = value else {
            return Err(bad("A request is one JSON object."));
        };
        let Some(Value::String(query)) = parts.remove("query") else {
            return Err(bad("query must be a string."));
        };
        let operation_name = match parts.remove("operationName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err(bad("operationName must be a string.")),
        };
        let mut object = |name: &str, message: &str| match parts.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(object)) => Ok(object),
            Some(_) => Err(bad(message)),
        };
        let variables = object("variables", "variables must be an object.")?;
        let extensions = object("extensions", "extensions must be an object.")?;
        Ok(Self { query, operation_name, variables, extensions })
    }
}

/// A checked operation.
pub(super) struct Operation {
    pub kind: OperationType,
    request: Request,
    rounds: Rounds,
    resume: Arc<Resume>,
}

/// How a request came, beside what it asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrival {
    /// Where a returning event stream says it stood.
    pub last_event_id: Option<String>,
    /// Where a socket hears of another token.
    pub renewal: Option<Arc<Renewal>>,
    /// When the other end of a socket was last heard from.
    pub pulse: Option<Pulse>,
    /// Where it came from, as far as that counts.
    pub address: Option<IpAddr>,
}

/// Checks and guards a request.
pub(super) fn prepare(
    door: &Door,
    viewer: &Viewer,
    parameters: Parameters,
    arrival: Arrival,
) -> Result<Operation, Refusal> {
    let Arrival { last_event_id, renewal, pulse, address } = arrival;
    let Parameters { query, operation_name, variables, extensions } = parameters;
    let limits = &door.limits.document;
    guard::check_text(&query, limits).map_err(|too_much| limit(&too_much))?;
    let document = parse_query(&query).map_err(|error| Refusal {
        code: Code::ParseFailed,
        message: "The document is not GraphQL.".into(),
        location: error.positions().next(),
        retry_after: None,
    })?;
    guard::check_document(&document, limits).map_err(|too_much| limit(&too_much))?;
    let meant = meant(&document, operation_name.as_deref())?;
    let kind = meant.ty;
    check_variables(meant, &variables)?;
    admit(door, viewer, meant, address)?;
    let after = match extensions.get("after") {
        None | Some(Value::Null) => last_event_id,
        Some(Value::String(after)) => Some(after.clone()),
        Some(_) => return Err(Refusal::new(Code::BadUserInput, "extensions.after must be a string.")),
    };
    let resume = Arc::new(Resume::new(after));
    let request = Request::new(query)
        .variables(Variables::from_json(Value::Object(variables)))
        .data(Arc::clone(&resume));
    let (mut request, rounds) = with_viewer(request, &door.actions, viewer);
    if let Some(renewal) = renewal {
        request = request.data(renewal);
    }
    if let Some(pulse) = pulse {
        request = request.data(pulse);
    }
    request.operation_name = operation_name;
    request.set_parsed_query(document);
    Ok(Operation { kind, request, rounds, resume })
}

fn limit(too_much: &TooMuch) -> Refusal {
    let code = match too_much {
        TooMuch::Limit(..) => Code::LimitExceeded,
        TooMuch::FragmentCycle | TooMuch::SubscriptionRoots => Code::ValidationFailed,
    };
    Refusal::new(code, too_much.to_string())
}

/// The operation of the document that is meant.
fn meant<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Refusal> {
    let found = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) => {
            operations.values().next().filter(|_| operations.len() == 1)
        }
    };
    let no_such = "operationName does not name an operation of the document.";
    found.map(|operation| &operation.node).ok_or_else(|| Refusal::new(Code::ValidationFailed, no_such))
}

/// Mutations that say only that somebody is there. They are let through however often they come: they cost little,
/// and a front end sends them by itself.
const SIGNS_OF_LIFE: [&str; 3] = ["keepPresence", "markRead", "setTyping"];

/// Refuses a mutation that comes too soon after the caller's others.
fn admit(
    door: &Door,
    viewer: &Viewer,
    operation: &OperationDefinition,
    address: Option<IpAddr>,
) -> Result<(), Refusal> {
    if operation.ty != OperationType::Mutation {
        return Ok(());
    }
    let is_change = |selection: &&Positioned<Selection>| match &selection.node {
        Selection::Field(field) => !SIGNS_OF_LIFE.contains(&field.node.name.node.as_str()),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => true,
    };
    let changes = operation.selection_set.node.items.iter().filter(is_change).count();
    let admitted = match viewer.role {
        // Of any number in one document, the first alone signs somebody in.
        ViewerRole::Widget => door.admission.sign_in(viewer, address),
        ViewerRole::Admin | ViewerRole::Operator | ViewerRole::Visitor | ViewerRole::ApiClient => {
            door.admission.change(viewer, changes)
        }
    };
    admitted.map_err(|wait| Refusal {
        retry_after: Some(wait),
        ..Refusal::new(Code::RateLimited, "Too many changes in too short a time.")
    })
}

/// A variable that must have a value and has none is an error of the request, before anything is executed.
fn check_variables(operation: &OperationDefinition, variables: &Map<String, Value>) -> Result<(), Refusal> {
    let missing = operation.variable_definitions.iter().find(|definition| {
        let definition = &definition.node;
        let value = variables.get(definition.name.node.as_str());
        let is_absent = value.is_none() && definition.default_value.is_none();
        !definition.var_type.node.nullable && (is_absent || value.is_some_and(Value::is_null))
    });
    match missing {
        Some(definition) => Err(Refusal {
            code: Code::BadUserInput,
            message: "A variable that must have a value has none.".into(),
            location: Some(definition.pos),
            retry_after: None,
        }),
        None => Ok(()),
    }
}

/// Runs a query or a mutation to its end, whatever becomes of the connection, under the deadline.
pub(super) async fn run(door: &Door, operation: Operation) -> Answer {
    let Some(_turn) = door.admission.turn().await else {
        return answer::failed(&Refusal::new(Code::Unavailable, "The server has too much to do."));
    };
    let schema = door.schema.clone();
    let Operation { request, rounds, kind: _, resume: _ } = operation;
    let task = door.tracker.spawn(async move { rounds.along(schema.execute(request)).await });
    let abort = task.abort_handle();
    match tokio::time::timeout(door.limits.operation_within, task).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => {
            tracing::error!(%panic, "an operation was cut off");
            answer::failed(&Refusal::internal())
        }
        Err(_) => {
            abort.abort();
            answer::failed(&Refusal::new(Code::Unavailable, "The operation took too long."))
        }
    }
}

/// The answers of a subscription, each with the cursor that it resumes from. An event of a chat that was lost before its
/// answer was made is left out: the next one says that it is lost.
pub(super) fn stream(door: &Door, operation: Operation) -> BoxStream<'static, (Answer, Option<String>)> {
    let Operation { request, rounds, resume, kind: _ } = operation;
    rounds
        .along_stream(door.schema.execute_stream(request))
        .filter_map(move |answer| {
            let cursor = resume.take_cursor();
            let is_left_out = cursor.is_some() && door::is_overtaken(&answer);
            let answer = (!is_left_out).then(|| (answer::with_cursor(answer, cursor.as_deref()), cursor));
            std::future::ready(answer)
        })
        .boxed()
}
