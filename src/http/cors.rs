//! CORS: the websites whose pages may call from a browser. These are the configured origins and those of
//! every room's widget.
//!
//! The server reads no cookies, so a browser adds no credentials by itself. A page can do only what its token
//! allows. The origin of a widget key is checked together with the key.

use crate::actions::Actions;
use axum::http::{HeaderName, HeaderValue, Method, header};
use std::sync::Arc;
use std::time::Duration;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// The time for which a browser may cache a preflight response.
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
            tracing::warn!(%error, "could not read the allowed origins");
            false
        }
    }
}
