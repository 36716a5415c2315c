//! What leaves: answers with their statuses in one place, and errors that are ours and nobody else's.

use super::negotiate::Format;
use crate::graphql::door::{Code, Refusal, clean, code_of};
use async_graphql::{Response as Answer, Value};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The answer to an operation, or the errors instead of one.
#[derive(Serialize)]
struct Errors<'a> {
    errors: &'a [async_graphql::ServerError],
}

/// An executed operation.
pub(super) fn executed(answer: Answer, format: Format, most_errors: usize) -> Response {
    let (answer, was_executed) = clean(answer, most_errors);
    let is_code = |code: Code| answer.errors.iter().any(|error| code_of(error) == Some(code.as_str()));
    let status = match (was_executed, format) {
        (false, _) if is_code(Code::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        (false, _) if is_code(Code::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
        (true, _) | (false, Format::Json | Format::Events) => StatusCode::OK,
        (false, Format::GraphqlResponse) => StatusCode::BAD_REQUEST,
    };
    let mut response = json(status, format, &payload(&answer, was_executed));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// An answer as JSON: without `data` where nothing was executed.
pub(super) fn payload(answer: &Answer, was_executed: bool) -> serde_json::Value {
    let errors = &Errors { errors: &answer.errors };
    let value = if was_executed { serde_json::to_value(answer) } else { serde_json::to_value(errors) };
    value.unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        serde_json::json!({ "errors": [Refusal::internal().to_json()] })
    })
}

/// A request that is no GraphQL request, or is not let in.
pub(super) fn refused(status: StatusCode, format: Format, refusal: &Refusal) -> Response {
    json(status, format, &serde_json::json!({ "errors": [refusal.to_json()] }))
}

/// What a panic is answered with.
pub(super) fn internal() -> Response {
    refused(StatusCode::INTERNAL_SERVER_ERROR, Format::Json, &Refusal::internal())
}

/// An answer that says that nothing came of the operation.
pub(super) fn failed(refusal: &Refusal) -> Answer {
    Answer::from_errors(vec![refusal.to_server_error()])
}

fn json(status: StatusCode, format: Format, value: &serde_json::Value) -> Response {
    let format = if format == Format::Events { Format::Json } else { format };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, Body::from(value.to_string())).into_response()
}

/// Adds the cursor that the answer resumes from.
pub(super) fn with_cursor(mut answer: Answer, cursor: Option<&str>) -> Answer {
    if let Some(cursor) = cursor {
        answer.extensions.insert("cursor".into(), Value::from(cursor));
    }
    answer
}
