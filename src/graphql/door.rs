//! The outgoing side of errors: an error with a code of ours is passed on, an error of the GraphQL library
//! gets a code, and any other error is a bug, which is logged and hidden from the client.

use super::guard::suggestion::suggestion;
use async_graphql::{ErrorExtensionValues, PathSegment, Pos, Response, ServerError, Value};
use std::time::Duration;
use uuid::Uuid;

/// The codes in `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The token is missing or invalid.
    Unauthenticated,
    /// The caller's role can never do this.
    Forbidden,
    /// The subject of a subscription does not exist.
    NotFound,
    /// An argument, a variable or the request itself is malformed.
    BadUserInput,
    /// A request named a persisted query by its hash. The server has none.
    PersistedQueryNotSupported,
    /// The document is not valid GraphQL syntax.
    ParseFailed,
    /// The document does not match the schema.
    ValidationFailed,
    /// A limit was exceeded.
    LimitExceeded,
    /// The events after the cursor are no longer stored.
    CursorExpired,
    /// The cursor is malformed, or belongs to another list or chat.
    CursorInvalid,
    /// The caller exceeded a rate limit. The same call succeeds after a wait.
    RateLimited,
    /// The server cannot answer now. The same call can succeed later.
    Unavailable,
    /// A bug in the server.
    Internal,
}

impl Code {
    /// The code in responses.
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

/// A refusal of a request, instead of data.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The code of the refusal.
    pub code: Code,
    /// A message for developers.
    pub message: String,
    /// The location in the document.
    pub location: Option<Pos>,
    /// The time to wait before repeating the request.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal without a location in the document.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), location: None, retry_after: None }
    }

    /// The refusal that hides a bug from clients.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Code::Internal, "The server failed because of a bug.")
    }

    /// The refusal as an error of the GraphQL library.
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

    /// The refusal as a JSON error.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self.to_server_error()).unwrap_or_default()
    }
}

/// The message for a chat that was deleted, or hidden from the viewer, after some of it was shown.
pub(super) const CHAT_GONE: &str = "The chat no longer exists, or you can no longer see it.";

/// Whether every error of the answer is that a chat is gone. If so, the event is obsolete: another event
/// reports that the chat is gone.
#[must_use]
pub fn is_overtaken(answer: &Response) -> bool {
    !answer.errors.is_empty() && answer.errors.iter().all(|error| error.message == CHAT_GONE)
}

/// Whether the answer of an event lacks data because the database or a bug withheld it. Resolving the event
/// again may succeed.
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

/// The longest message of a validation error. Names in documents can be as long as the document.
const MESSAGE: usize = 300;

/// Prepares an answer for the client, and tells whether the operation was executed. It was not if the
/// document, the variables or the arguments of a root field were refused.
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

/// The code for an error of the GraphQL library.
fn kind_of(error: &ServerError, is_empty: bool) -> Code {
    match told(&error.message) {
        Some((code, _)) => code,
        None if is_empty && error.path.is_empty() => Code::ValidationFailed,
        None => Code::Internal,
    }
}

/// The error for a value that the GraphQL library refuses. The library's own message may repeat the value, so
/// only names of the schema are copied from it.
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
        // The messages of our own scalars already name the expected format.
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
        let message = "The default value of a variable does not match its type.";
        return Some((Code::ValidationFailed, message.to_owned()));
    }
    None
}

/// The text in quotes at the start of a message.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.split('"').next()
}

/// Hides a bug: the cause goes to the log with an id, and the client receives the id.
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

/// The code of an error, if it has one.
#[must_use]
pub fn code_of(error: &ServerError) -> Option<&str> {
    let Value::String(code) = error.extensions.as_ref()?.get("code")? else { return None };
    Some(code)
}
