//! The common part of uploads and downloads: signed links, and errors as JSON.

use super::Door;
use crate::files::{BadLink, Purpose};
use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use entity::{AttachmentId, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

/// The refusal of a signed request.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl Refusal {
    pub(super) const GONE: Self =
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "The file does not exist, or no longer exists.");
    pub(super) const UNAVAILABLE: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "UNAVAILABLE",
        "The server cannot answer at the moment. Try again later.",
    );
    pub(super) const INTERNAL: Self =
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "The server failed because of a bug.");

    pub(super) const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, code, message } = self;
        let body = serde_json::json!({ "errors": [{ "message": message, "extensions": { "code": code } }] });
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (status, headers, Body::from(body.to_string())).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[derive(Deserialize)]
struct Signature {
    until: i64,
    signature: String,
}

/// The attachment and expiry time of a link, if it was created here for this purpose and has not expired.
pub(super) fn granted(
    door: &Door,
    purpose: Purpose,
    id: &str,
    uri: &Uri,
) -> Result<(AttachmentId, Timestamp), Refusal> {
    let forged = Refusal::new(
        StatusCode::FORBIDDEN,
        "FORBIDDEN",
        "The server did not create this link, or the link was changed.",
    );
    let Ok(id) = Uuid::try_parse(id).map(AttachmentId) else { return Err(forged) };
    let Ok(Query(Signature { until, signature })) = Query::try_from_uri(uri) else { return Err(forged) };
    let links = door.actions.files().links();
    match links.check(purpose, id, until, &signature, door.actions.now()) {
        Ok(()) => Ok((id, Timestamp(until.saturating_mul(1_000)))),
        Err(BadLink::Forged) => Err(forged),
        Err(BadLink::Expired) => Err(Refusal::new(
            StatusCode::GONE,
            "EXPIRED",
            "The link has expired. Fetch the attachment again for a new one.",
        )),
    }
}
