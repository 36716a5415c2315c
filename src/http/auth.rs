//! Authentication by a bearer token from the header or the first message of a socket, never from a URL or a
//! cookie.

use super::Door;
use crate::actions::AuthFailure;
use crate::domain::viewer::Viewer;
use crate::graphql::door::{Code, Refusal};
use axum::http::{HeaderMap, StatusCode, header};
use tokio::time::{Instant, timeout_at};

/// The token of an `Authorization` value.
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim()).filter(|token| !token.is_empty())
}

/// The token of a request's header.
pub(super) fn from_headers(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok().and_then(bearer)
}

/// The `Origin` header: the site whose page sent the request, as reported by the browser.
pub(super) fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN)?.to_str().ok()
}

/// Authenticates the caller. Fails with a status and a refusal; if the deadline passes, with 503. A widget
/// key also requires the page's origin.
pub(super) async fn authenticate(
    door: &Door,
    token: Option<&str>,
    origin: Option<&str>,
    deadline: Instant,
) -> Result<Viewer, (StatusCode, Refusal)> {
    let failure = match token {
        Some(token) => match timeout_at(deadline, door.actions.authenticate(token, origin)).await {
            Ok(Ok(viewer)) => return Ok(viewer),
            Ok(Err(failure)) => failure,
            Err(_) => AuthFailure::Unavailable,
        },
        None => AuthFailure::Invalid,
    };
    Err(match failure {
        AuthFailure::Invalid => (StatusCode::UNAUTHORIZED, unauthenticated()),
        AuthFailure::Expired => {
            (StatusCode::UNAUTHORIZED, Refusal::new(Code::Unauthenticated, "The token has expired."))
        }
        AuthFailure::WrongOrigin => {
            let message = "The origin of this page is not in the room's `allowedOrigins`.";
            (StatusCode::FORBIDDEN, Refusal::new(Code::Forbidden, message))
        }
        AuthFailure::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            Refusal::new(Code::Unavailable, "The server cannot answer at the moment. Try again later."),
        ),
    })
}

/// The refusal of a caller without a valid token.
pub(super) fn unauthenticated() -> Refusal {
    Refusal::new(Code::Unauthenticated, "The request needs a valid bearer token.")
}
