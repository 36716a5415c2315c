//! Runs an operation from any transport: checks the request and its document, and runs it with a deadline.

use super::abort::AbortOnDrop;
use super::admission::Spending;
use super::{Door, answer};
use crate::domain::viewer::Viewer;
use crate::graphql::door::{Code, Refusal};
use crate::graphql::guard::{self, Checked};
use crate::graphql::renewal::Renewal;
use crate::graphql::resume::Resume;
use crate::graphql::rounds::Rounds;
use crate::graphql::turn::{Gate, Turn};
use crate::graphql::with_viewer;
use crate::live::Pulse;
use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response as Answer, Variables};
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The parameters of an operation, which are the same in a body, in a URL and on a socket.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: Map<String, Value>,
    pub extensions: Map<String, Value>,
}

impl Parameters {
    /// Parses a JSON object. Anything else is invalid, including a batch of requests.
    pub(super) fn from_json(value: Value) -> Result<Self, Refusal> {
        let bad = |message: &str| Refusal::new(Code::BadUserInput, message);
        let Value::Object(mut parts) = value else {
            return Err(bad("The request must be a JSON object."));
        };
        let query = match parts.remove("query") {
            Some(Value::String(query)) => query,
            // Clients of automatic persisted queries (Apollo's and urql's) send the whole document after this
            // response.
            None | Some(Value::Null)
                if !parts.get("extensions").is_none_or(|all| all["persistedQuery"].is_null()) =>
            {
                return Err(Refusal::new(Code::PersistedQueryNotSupported, "PersistedQueryNotSupported"));
            }
            _ => return Err(bad("`query` must be a string.")),
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
    /// The cost in units of `graphql::guard`.
    pub units: u64,
    viewer: Viewer,
    pub request: Request,
    pub rounds: Rounds,
    /// The state that a subscription shares with its transport.
    pub resume: Arc<Resume>,
}

/// The context of a request, besides its content.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrival {
    /// The cursor from which a reconnecting event stream resumes.
    pub last_event_id: Option<String>,
    /// The channel that passes a newer token to a socket.
    pub renewal: Option<Arc<Renewal>>,
    /// The time at which something was last received on the socket.
    pub pulse: Option<Pulse>,
    /// The client address, if limits apply to it.
    pub address: Option<IpAddr>,
}

/// Checks a request, and takes its cost from the caller's budget.
pub(super) fn prepare(
    door: &Door,
    viewer: &Viewer,
    parameters: Parameters,
    arrival: Arrival,
) -> Result<Operation, Refusal> {
    let Arrival { last_event_id, renewal, pulse, address } = arrival;
    let Parameters { query, operation_name, mut variables, extensions } = parameters;
    let reading = charge_reading(door, viewer, &query)?;
    let is_widget = viewer.widget_room().is_some();
    let name = operation_name.as_deref();
    let checked = guard::check(&query, name, &mut variables, is_widget, &door.limits.document)?;
    charge(door, viewer, &checked, reading, address)?;
    let Checked { document, kind, cost, roots: _ } = checked;
    let after = match extensions.get("after") {
        None | Some(Value::Null) => last_event_id,
        Some(Value::String(after)) => Some(after.clone()),
        Some(_) => return Err(Refusal::new(Code::BadUserInput, "`extensions.after` must be a string.")),
    };
    let mut resume = Resume::new(after);
    if kind == OperationType::Subscription {
        resume = resume.with_gate(gate(door, viewer, cost.units.saturating_add(OF_ITEM)));
    }
    let resume = Arc::new(resume);
    let request = Request::new(query)
        .variables(Variables::from_json(Value::Object(variables)))
        .data(Arc::clone(&resume));
    let standing = (kind == OperationType::Subscription).then(|| door.live.standing(viewer));
    let (mut request, rounds) = with_viewer(request, &door.actions, viewer, standing);
    if let Some(renewal) = renewal {
        request = request.data(renewal);
    }
    if let Some(pulse) = pulse {
        request = request.data(pulse);
    }
    request.operation_name = operation_name;
    request.set_parsed_query(document);
    Ok(Operation { kind, units: cost.units, viewer: viewer.clone(), request, rounds, resume })
}

/// The cost of a request in units, besides its fields: authentication and parsing.
const AT_LEAST: u64 = 50;
/// The number of bytes of a document that cost one unit to parse.
const BYTES_OF_UNIT: usize = 80;
/// The cost of a subscription's item in units, besides its fields.
const OF_ITEM: u64 = 10;

fn as_units(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Takes what it costs to read a document, even if it is refused then; returns how much that was.
fn charge_reading(door: &Door, viewer: &Viewer, query: &str) -> Result<u64, Refusal> {
    let reading = AT_LEAST.saturating_add(as_units(query.len() / BYTES_OF_UNIT));
    let limits = &door.limits.document;
    let roots = usize::try_from(limits.mutation_roots).unwrap_or(usize::MAX);
    // What else the document costs is not known yet: after this wait, any document is admitted.
    let dearest = door.admission.refill(viewer, limits.cost, roots);
    let spent = door.admission.spend(viewer, Spending::Requests, reading);
    spent.map_err(|wait| too_soon(wait.saturating_add(dearest), TOO_DEAR))?;
    Ok(reading)
}

/// Takes what an operation costs beside its reading. A caller that waits for as long as the refusal says is admitted.
fn charge(
    door: &Door,
    viewer: &Viewer,
    checked: &Checked,
    reading: u64,
    address: Option<IpAddr>,
) -> Result<(), Refusal> {
    let Checked { document: _, kind, cost, roots } = checked;
    let refill = |units, changes| door.admission.refill(viewer, units, changes);
    let changes = if *kind == OperationType::Mutation { changes(roots) } else { 0 };
    if *kind == OperationType::Mutation {
        // The next attempt is read again, and may find its units spent.
        let again = |wait: Duration| wait.max(refill(reading.saturating_add(cost.units), 0));
        admit(door, viewer, changes, address).map_err(|wait| too_soon(again(wait), TOO_MANY))?;
    }
    // The next attempt is read again, and counts its changes again.
    let again = |wait: Duration| wait.saturating_add(refill(reading, 0)).max(refill(0, changes));
    let spent = door.admission.spend(viewer, Spending::Requests, cost.units);
    spent.map_err(|wait| too_soon(again(wait), TOO_DEAR))
}

const TOO_DEAR: &str = "Your operations cost too much in a short time. Try again after `retryAfterMs`.";
const TOO_MANY: &str = "You sent too many mutations in a short time. Try again after `retryAfterMs`.";

fn too_soon(wait: Duration, message: &str) -> Refusal {
    Refusal { retry_after: Some(wait), ..Refusal::new(Code::RateLimited, message) }
}

/// The gate at which each item of a subscription waits for the viewer's budget, and then for its turn. A
/// subscription that costs too much becomes slower, but loses nothing.
fn gate(door: &Door, viewer: &Viewer, units: u64) -> Gate {
    let (door, viewer) = (door.clone(), viewer.clone());
    Gate::new(move || {
        let (door, viewer) = (door.clone(), viewer.clone());
        Box::pin(async move {
            let turn = door.turns.take_item(&viewer, units).await;
            while let Err(wait) = door.admission.spend(&viewer, Spending::Items, units) {
                tokio::time::sleep(wait).await;
            }
            Box::new(turn) as Turn
        })
    })
}

/// Mutations that only show activity. They do not count toward the rate limit, because front ends send them
/// automatically.
const SIGNS_OF_LIFE: [&str; 3] = ["keepPresence", "markRead", "setTyping"];

/// The number of changes among the root fields of a mutation.
fn changes(roots: &[String]) -> usize {
    let is_change = |root: &&String| !SIGNS_OF_LIFE.contains(&root.as_str()) && *root != "__typename";
    roots.iter().filter(is_change).count()
}

/// Enforces the rate limit of mutations. Returns how long to wait if it is exceeded.
fn admit(door: &Door, viewer: &Viewer, changes: usize, address: Option<IpAddr>) -> Result<(), Duration> {
    match viewer.widget_room() {
        // Of all sign-ins in one document, only the first one is executed.
        Some(_) => door.admission.sign_in(viewer, address),
        None => door.admission.change(viewer, changes),
    }
}

/// Runs a query or a mutation until the deadline. A mutation continues even if the connection is lost. A
/// query ends when the returned future is dropped.
pub(super) async fn run(door: &Door, operation: Operation, deadline: Instant) -> Answer {
    let Operation { kind, units, viewer, request, rounds, resume: _ } = operation;
    let Some(_turn) = door.turns.take(&viewer, kind, units, deadline).await else {
        return answer::failed(&Refusal::new(
            Code::Unavailable,
            "The server is too busy. Try again in a moment.",
        ));
    };
    let schema = door.schema.clone();
    let task = door.tracker.spawn(async move { rounds.along(schema.execute(request)).await });
    let abort = task.abort_handle();
    let _ends = (kind == OperationType::Query).then(|| AbortOnDrop(abort.clone()));
    match timeout_at(deadline, task).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => {
            tracing::error!(%panic, "an operation panicked");
            answer::failed(&Refusal::internal())
        }
        Err(_) => {
            abort.abort();
            answer::failed(&Refusal::new(Code::Unavailable, "The operation took longer than 10 seconds."))
        }
    }
}
