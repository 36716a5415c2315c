//! Where errors leave: what carries a code of ours goes out as it is; what the library says of a document
//! gets a code; anything else is a bug, which is logged here and hidden from the client.

use super::guard::suggestion::suggestion;
use async_graphql::{ErrorExtensionValues, PathSegment, Pos, Response, ServerError, Value};
use std::time::Duration;
use uuid::Uuid;

/// The codes of `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// No token, or one that is not taken.
    Unauthenticated,
    /// What the caller's role may never do.
    Forbidden,
    /// The subject of a subscription is not there.
    NotFound,
    /// An argument, a variable or the request itself is malformed.
    BadUserInput,
    /// A request named a persisted query by its hash; there are none.
    PersistedQueryNotSupported,
    /// The document is no GraphQL.
    ParseFailed,
    /// The document does not fit the schema.
    ValidationFailed,
    /// More than allowed.
    LimitExceeded,
    /// The cursor's events are no longer kept.
    CursorExpired,
    /// The cursor is none, or another chat's.
    CursorInvalid,
    /// Too often; the same call will do after a wait.
    RateLimited,
    /// Not now; the same call may succeed later.
    Unavailable,
    /// A bug.
    Internal,
}

impl Code {
    /// As clients see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::CursorExpired => "CURSOR_EXPIRED",
            Self::CursorInvalid => "CURSOR_INVALID",
            Self::RateLimited => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// Why a request is not answered with data.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Which kind.
    pub code: Code,
    /// A sentence for people.
    pub message: String,
    /// Where in the document.
    pub location: Option<Pos>,
    /// How long to wait before the same call.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal that has no place in the document.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), location: None, retry_after: None }
    }

    /// What a bug looks like from outside.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Code::Internal, "Something went wrong.")
    }

    /// For an answer of the library.
    #[must_use]
    pub fn to_server_error(&self) -> ServerError {
        let mut error = ServerError::new(self.message.clone(), self.location);
        set_code(&mut error, self.code);
        if let (Some(wait), Some(extensions)) = (self.retry_after, &mut error.extensions) {
            let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            extensions.set("retryAfterMs", milliseconds.saturating_add(1));
        }
        error
    }

    /// For an answer of our own.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self.to_server_error()).unwrap_or_default()
    }
}

/// What is said of a chat that was deleted, or hidden from the viewer, after something of it was shown.
pub(super) const CHAT_GONE: &str = "The chat is not there any more.";

/// Whether nothing but the end of chats stood in the way of the answer: of an event, it is overtaken by one that
/// tells of
/// that end.
#[must_use]
pub fn is_overtaken(answer: &Response) -> bool {
    !answer.errors.is_empty() && answer.errors.iter().all(|error| error.message == CHAT_GONE)
}

/// Whether an answer of an event lacks something that the database, or a bug, kept back: the same event resolved
/// again
/// may have it.
#[must_use]
pub fn is_unresolved(answer: &Response) -> bool {
    let is_empty = answer.data == Value::Null;
    answer.errors.iter().any(|error| {
        let code = match code_of(error) {
            Some(code) => code,
            None => kind_of(error, is_empty).as_str(),
        };
        [Code::Unavailable, Code::Internal].map(Code::as_str).contains(&code)
    })
}

/// Whether an answer has an error with this code.
#[must_use]
pub fn has_code(answer: &Response, code: Code) -> bool {
    answer.errors.iter().any(|error| code_of(error) == Some(code.as_str()))
}

/// The longest message of a validation error: names in documents can be as long as the document.
const MESSAGE: usize = 300;

/// Makes an answer fit to leave, and tells whether the operation was executed at all: it was not when the
/// document, the variables or the arguments of the root could not be taken.
pub fn clean(mut answer: Response, most_errors: usize) -> (Response, bool) {
    let is_empty = answer.data == Value::Null;
    answer.errors.truncate(most_errors);
    for error in &mut answer.errors {
        clean_error(error, is_empty);
    }
    let is_about_request = |error: &ServerError| {
        error.path.is_empty()
            || (error.path.len() == 1 && code_of(error) == Some(Code::BadUserInput.as_str()))
    };
    let was_executed = !is_empty || answer.errors.is_empty() || !answer.errors.iter().all(is_about_request);
    (answer, was_executed)
}

fn clean_error(error: &mut ServerError, is_empty: bool) {
    if code_of(error).is_some() {
        return;
    }
    let code = kind_of(error, is_empty);
    if let Some((_, message)) = told(&error.message) {
        error.message = message;
    }
    if let Some(did_you_mean) = suggestion(&error.message).filter(|_| code == Code::ValidationFailed) {
        error.message.push_str(&did_you_mean);
    }
    if code == Code::Internal {
        hide(error);
    } else if let Some((at, _)) = error.message.char_indices().nth(MESSAGE) {
        error.message.truncate(at);
    }
    set_code(error, code);
}

/// The code for an error of the library.
fn kind_of(error: &ServerError, is_empty: bool) -> Code {
    match told(&error.message) {
        Some((code, _)) => code,
        None if is_empty && error.path.is_empty() => Code::ValidationFailed,
        None => Code::Internal,
    }
}

/// What a client is told of a value that the library refuses. The library's own text may repeat the value, so only
/// names of the schema are taken from it.
fn told(message: &str) -> Option<(Code, String)> {
    if let Some(reason) = message.strip_prefix("Invalid value for argument ") {
        let place = quoted(reason).unwrap_or_default();
        let why = reason.get(place.len() + 4..).unwrap_or_default();
        let why = if why.starts_with("expected type ") || why.starts_with("field ") {
            why.to_owned()
        } else if let Some(name) = why.strip_prefix("enumeration type ").and_then(quoted) {
            format!("enumeration type \"{name}\" does not contain this value")
        } else {
            "see the schema for the fields of this input".to_owned()
        };
        return Some((Code::BadUserInput, format!("Invalid value for argument \"{place}\": {why}.")));
    }
    if let Some(rest) = message.strip_prefix("Failed to parse ") {
        let name = quoted(rest).unwrap_or_default();
        let why = rest.get(name.len() + 4..).unwrap_or_default();
        // Our own scalars say what they expect.
        let why = why.split(" (occurred").next().filter(|why| why.starts_with("expected "));
        return Some((
            Code::BadUserInput,
            match why {
                Some(why) => format!("Invalid value of type \"{name}\": {why}."),
                None => format!("Invalid value of type \"{name}\"."),
            },
        ));
    }
    if let Some(name) = message.strip_prefix("Expected input type ").and_then(quoted) {
        return Some((Code::BadUserInput, format!("Expected a value of type \"{name}\".")));
    }
    if message.starts_with("Invalid default value") {
        let message = "The default of a variable does not match its type.";
        return Some((Code::ValidationFailed, message.to_owned()));
    }
    None
}

/// What stands between the quotes at the start of a text.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.split('"').next()
}

/// A bug: the cause goes to the log under an id, and the id to the client.
fn hide(error: &mut ServerError) {
    #[expect(clippy::disallowed_methods, reason = "the id of a log line is not stored and needs no order")]
    let id = Uuid::new_v4();
    let path: Vec<_> = error.path.iter().map(segment).collect();
    tracing::error!(%id, path = path.join("."), cause = error.message, "an operation failed");
    error.message = Refusal::internal().message;
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    extensions.set("errorId", id.to_string());
}

fn segment(segment: &PathSegment) -> String {
    match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    }
}

fn set_code(error: &mut ServerError, code: Code) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code.as_str());
}

/// The code that an error carries.
#[must_use]
pub fn code_of(error: &ServerError) -> Option<&str> {
    let Value::String(code) = error.extensions.as_ref()?.get("code")? else { return None };
    Some(code)
}
