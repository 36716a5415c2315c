//! The HTTP server, and the only module that uses axum. One path, `/graphql`, serves queries and mutations,
//! streams subscriptions as server-sent events, and speaks `graphql-transport-ws` after an upgrade. Files are
//! uploaded and downloaded through signed links.

mod abort;
mod address;
mod admission;
mod answer;
mod auth;
mod connections;
mod cors;
mod files;
mod graphiql;
mod graphql;
mod limits;
mod log;
mod negotiate;
mod open_streams;
mod operation;
mod outgoing;
mod presence;
mod signed;
mod sse;
mod streaming;
mod turns;
mod uploads;
mod websocket;

pub use connections::{connections_within_limit, raise_descriptor_limit};
pub use graphiql::has_graphiql;
pub use limits::{ConnectionLimits, Limits};

use self::admission::Admission;
use self::open_streams::OpenStreams;
use self::turns::Turns;
use crate::actions::Actions;
use crate::graphql::Schema;
use crate::live::Live;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, put};
use ipnet::IpNet;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

/// How quickly the database must respond for the server to count as ready.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// The parts that the HTTP server uses.
pub struct Front {
    pub schema: Schema,
    /// The actions, which also check tokens.
    pub actions: Actions,
    /// The live streams, which also know the access of actors.
    pub live: Live,
    /// The limits of requests, sockets and connections.
    pub limits: Limits,
    /// The origins whose pages may call.
    pub allowed_origins: Vec<String>,
    /// The factor that multiplies the rate limits. 0 removes them.
    pub rate_limit: u32,
    /// The networks of trusted proxies, whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Canceled when the server is about to stop: it still serves requests, but reports that it is not ready.
    pub draining: CancellationToken,
    /// The maximum number of connections.
    pub most_connections: usize,
}

impl Front {
    /// The server's parts with default limits.
    #[must_use]
    pub fn new(schema: Schema, actions: Actions, live: Live) -> Self {
        let (limits, allowed_origins) = (Limits::default(), Vec::new());
        let (trusted_proxies, draining) = (Vec::new(), CancellationToken::new());
        let most_connections = usize::MAX;
        Self {
            schema,
            actions,
            live,
            limits,
            allowed_origins,
            rate_limit: 1,
            trusted_proxies,
            draining,
            most_connections,
        }
    }
}

/// The state that every request can see.
#[derive(Clone)]
struct Door(Arc<Shared>);

struct Shared {
    schema: Schema,
    actions: Actions,
    live: Live,
    limits: Limits,
    admission: Arc<Admission>,
    turns: Turns,
    open_streams: Arc<OpenStreams>,
    trusted_proxies: Vec<IpNet>,
    draining: CancellationToken,
    shutdown: CancellationToken,
    tracker: TaskTracker,
}

impl std::ops::Deref for Door {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Serves until `shutdown`, then waits for running requests.
pub async fn serve(listener: TcpListener, front: Front, shutdown: CancellationToken, tracker: TaskTracker) {
    let allowed = connections::Allowed {
        limits: front.limits.connections,
        budget: front.most_connections,
        proxies: front.trusted_proxies.clone(),
    };
    let router = router(front, shutdown.clone(), tracker);
    connections::serve(listener, router, allowed, shutdown).await;
}

fn router(front: Front, shutdown: CancellationToken, tracker: TaskTracker) -> Router {
    let Front {
        schema, actions, live, limits, allowed_origins, rate_limit, trusted_proxies, draining, ..
    } = front;
    let admission = Admission::new(rate_limit, actions.store().clock().clone());
    let cors = cors::layer(&allowed_origins, actions.clone());
    let door = Door(Arc::new(Shared {
        schema,
        actions,
        live,
        limits,
        admission,
        turns: Turns::new(),
        open_streams: Arc::default(),
        trusted_proxies,
        draining,
        shutdown,
        tracker,
    }));
    let router = Router::new()
        .route("/graphql", any(graphql::handle))
        .route("/uploads/{id}", put(uploads::put))
        .route("/files/{id}", get(files::file))
        .route("/previews/{id}", get(files::preview))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/", get(|| async { Redirect::temporary("/graphiql") }))
        .with_state(door)
        .merge(graphiql::router());
    let request_id = HeaderName::from_static("x-request-id");
    let set = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    router
        .layer(cors)
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| answer::internal()))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(log::Failures::default()))
        .layer(SetRequestIdLayer::new(request_id, MakeRequestUuid))
        .layer(axum::middleware::map_request(log::check_request_id))
}

/// The span contains only ids: no query, variables, token or query string, which contains all of these in a
/// GET request.
fn span(request: &axum::http::Request<axum::body::Body>) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path())
}

async fn ready(State(door): State<Door>) -> Response {
    let stops = door.draining.is_cancelled() || door.shutdown.is_cancelled();
    let is_ready = timeout(READY_WITHIN, door.actions.ready());
    if !stops && matches!(is_ready.await, Ok(true)) {
        "ready".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready").into_response()
    }
}
