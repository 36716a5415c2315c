//! HTTP responses: all statuses in one place, and only errors of our own.

use super::negotiate::Format;
use crate::graphql::ANSWER_BYTES;
use crate::graphql::door::{Code, Refusal, clean, code_of};
use async_graphql::{Response as Answer, Value};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

/// The result of an operation, or the errors instead of it.
#[derive(Serialize)]
struct Errors<'a> {
    errors: &'a [async_graphql::ServerError],
}

/// The response to an executed operation.
pub(super) fn executed(answer: Answer, format: Format, most_errors: usize) -> Response {
    let (answer, was_executed) = clean(answer, most_errors);
    let is_code = |code: Code| answer.errors.iter().any(|error| code_of(error) == Some(code.as_str()));
    let status = match (was_executed, format) {
        (false, _) if is_code(Code::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        (false, _) if is_code(Code::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
        (true, _) | (false, Format::Json | Format::Events) => StatusCode::OK,
        (false, Format::GraphqlResponse) => StatusCode::BAD_REQUEST,
    };
    let mut response = respond(status, format, payload(&answer, was_executed));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// A result as JSON, without `data` if nothing was executed. Its size is checked while it is written, so that
/// a result that is too large is never held in full.
pub(super) fn payload(answer: &Answer, was_executed: bool) -> String {
    let errors = &Errors { errors: &answer.errors };
    let written = if was_executed { write(answer) } else { write(errors) };
    written.unwrap_or_else(|refusal| json!({ "errors": [refusal.to_json()] }).to_string())
}

/// The errors of a result as JSON.
pub(super) fn errors(answer: &Answer) -> serde_json::Value {
    serde_json::to_value(&answer.errors).unwrap_or_default()
}

fn write(value: &impl Serialize) -> Result<String, Refusal> {
    let mut text = Bounded(Vec::new());
    let internal = |cause: &dyn std::fmt::Display| {
        tracing::error!(%cause, "could not write a response as JSON");
        Refusal::internal()
    };
    match serde_json::to_writer(&mut text, value) {
        Ok(()) => String::from_utf8(text.0).map_err(|error| internal(&error)),
        Err(error) if error.is_io() => {
            let message = format!(
                "The response has more than {ANSWER_BYTES} bytes. Request shorter pages or fewer fields."
            );
            Err(Refusal::new(Code::LimitExceeded, message))
        }
        Err(error) => Err(internal(&error)),
    }
}

/// A writer with the maximum size of a result.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > ANSWER_BYTES {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The response to a request that is not a GraphQL request or was not admitted.
pub(super) fn refused(status: StatusCode, format: Format, refusal: &Refusal) -> Response {
    respond(status, format, json!({ "errors": [refusal.to_json()] }).to_string())
}

/// The response after a panic.
pub(super) fn internal() -> Response {
    refused(StatusCode::INTERNAL_SERVER_ERROR, Format::Json, &Refusal::internal())
}

/// A result with only an error.
pub(super) fn failed(refusal: &Refusal) -> Answer {
    Answer::from_errors(vec![refusal.to_server_error()])
}

fn respond(status: StatusCode, format: Format, text: String) -> Response {
    let format = if format == Format::Events { Format::Json } else { format };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, Body::from(text)).into_response()
}

/// Adds the cursor from which the stream resumes after this result.
pub(super) fn with_cursor(mut answer: Answer, cursor: Option<&str>) -> Answer {
    if let Some(cursor) = cursor {
        answer.extensions.insert("cursor".into(), Value::from(cursor));
    }
    answer
}
