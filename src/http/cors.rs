//! Which sites' pages may call from a browser: those that the server lists, and those of any room's widget.
//!
//! No cookie is ever read, so there is nothing that a page could make a browser send along: what a page may do hangs
//! on the token that it has. Whose widget key is taken from which site is asked with the key.

use crate::actions::Actions;
use axum::http::{HeaderName, HeaderValue, Method, header};
use std::sync::Arc;
use std::time::Duration;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// How long a browser may remember what it was told about cross-origin calls.
const PREFLIGHT_AGE: Duration = Duration::from_hours(1);

pub(super) fn layer(listed: &[String], actions: Actions) -> CorsLayer {
    let listed: Arc<[HeaderValue]> = listed.iter().filter_map(|origin| origin.parse().ok()).collect();
    let allowed = AllowOrigin::async_predicate(move |origin, _| async move {
        listed.contains(&origin) || is_of_a_widget(&actions, &origin).await
    });
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        // Whatever the page asks for: clients add headers of their own, as for traces and resuming. None of them
        // is worth anything without the token.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            header::RETRY_AFTER,
            header::CONTENT_DISPOSITION,
            header::CONTENT_RANGE,
            header::ETAG,
            HeaderName::from_static("x-request-id"),
        ])
        .max_age(PREFLIGHT_AGE)
}

async fn is_of_a_widget(actions: &Actions, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    match actions.is_origin_allowed(origin).await {
        Ok(is_allowed) => is_allowed,
        Err(error) => {
            tracing::warn!(%error, "could not read which sites may call");
            false
        }
    }
}
