//! CORS: the websites whose pages may call from a browser, which are the configured origins and those of
//! every room's widget.
//!
//! The server reads no cookies, so browsers add no credentials on their own. A page can do only what its
//! token allows. A widget key is accepted only with its own origins.

use crate::actions::Actions;
use axum::http::{HeaderName, HeaderValue, Method, header};
use std::sync::Arc;
use std::time::Duration;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// How long a browser may cache a preflight response.
const PREFLIGHT_AGE: Duration = Duration::from_hours(1);

pub(super) fn layer(listed: &[String], actions: Actions) -> CorsLayer {
    let listed: Arc<[HeaderValue]> = listed.iter().filter_map(|origin| origin.parse().ok()).collect();
    let allowed = AllowOrigin::async_predicate(move |origin, _| async move {
        listed.contains(&origin) || is_of_a_widget(&actions, &origin).await
    });
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        // All requested headers are allowed: clients add their own, for example for tracing and resuming.
        // Without the token, none of them has an effect.
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
