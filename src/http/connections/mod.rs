//! Connections: accepts, serves, and closes them when they stall.
//!
//! Every connection is in a registry. A sweep closes overdue ones: without a request for 10 s, with an
//! incomplete request head, idle, or with a peer that does not read. Near the limit of open files, the
//! connection that has been silent for the longest time is closed to accept the next one.

mod body;
mod connection;
mod descriptors;
mod http2;
mod http2_stream;
mod registry;
mod socket;

pub(super) use connection::{Hold, Link};
pub use descriptors::{connections_within_limit, raise_descriptor_limit};

use self::body::ResponseBody;
use self::connection::Connection;
use self::http2::Streams;
use self::http2_stream::STREAM;
use self::registry::{Entry, Registry};
use self::socket::Socket;
use super::address::Peer;
use super::limits::ConnectionLimits;
use super::{answer, negotiate};
use crate::graphql::door::{Code, Refusal};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The pause after a connection could not be accepted, for example because no descriptors are left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
/// How long running requests may take when the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// The paths that are served even if other requests are refused.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// The limits of connections.
pub(super) struct Allowed {
    pub(super) limits: ConnectionLimits,
    /// The maximum number of connections.
    pub(super) budget: usize,
    /// Networks whose connections are not counted per address.
    pub(super) proxies: Vec<IpNet>,
}

/// Serves until `shutdown`, then waits for running requests.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    allowed: Allowed,
    shutdown: CancellationToken,
) {
    let Allowed { limits, budget, proxies } = allowed;
    let registry = Registry::new(limits, budget, proxies, shutdown.clone());
    let tasks = TaskTracker::new();
    let accepting = async {
        loop {
            registry.room().await;
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let Some(entry) = registry.admit(peer.ip()) else { continue };
                    let server = Server { router: router.clone(), limits, shutdown: shutdown.clone() };
                    tasks.spawn(server.serve(stream, peer.ip(), entry));
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    registry.make_room();
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = accepting => {}
        () = registry.sweep() => {}
    }
    drop(listener);
    tasks.close();
    let drained = async {
        tokio::select! {
            () = tasks.wait() => {}
            () = registry.drain() => {}
        }
    };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("some requests were still running when the server stopped");
        registry.cut_all();
    }
}

/// The HTTP server of connections.
struct Server {
    router: Router,
    limits: ConnectionLimits,
    shutdown: CancellationToken,
}

impl Server {
    async fn serve(self, stream: TcpStream, peer: IpAddr, entry: Entry) {
        let Self { router, limits, shutdown } = self;
        let connection = Arc::clone(entry.connection());
        let streams = Streams { connection: Arc::clone(&connection), write_within: limits.write_within };
        let mut builder = Builder::new(streams);
        // The sweep enforces the deadline of heads, because it distinguishes a slow head from an idle
        // connection.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(None);
        let ping_every = limits.http2_ping_every;
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(ping_every)
            .keep_alive_timeout(ping_every);
        let asked = Arc::clone(&connection);
        let service = service_fn(move |request| respond(router.clone(), Arc::clone(&asked), peer, request));
        let io = TokioIo::new(Socket::new(stream, entry));
        let mut serving = pin!(builder.serve_connection_with_upgrades(io, service));
        let mut is_ending = false;
        loop {
            tokio::select! {
                ended = serving.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection broke");
                    }
                    return;
                }
                () = connection.cut.cancelled() => return,
                () = connection.retire.cancelled(), if !is_ending => {}
                () = shutdown.cancelled(), if !is_ending => {}
            }
            is_ending = true;
            serving.as_mut().graceful_shutdown();
        }
    }
}

/// Responds to one request.
async fn respond(
    router: Router,
    connection: Arc<Connection>,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    let under_way = connection.begin(request.version());
    let stream = STREAM.try_with(Arc::clone).ok();
    let is_spare = connection.is_spare;
    let is_refused = is_spare && !HEALTH.contains(&request.uri().path());
    let mut response = if is_refused {
        too_busy()
    } else {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let link = Link { connection: Arc::clone(&connection), stream: stream.clone() };
        request.extensions_mut().insert(link);
        let Ok(response) = TowerToHyperService::new(router).call(request).await;
        response
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        connection.upgrade();
    }
    if is_spare {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        connection.retire.cancel();
    }
    Ok(response.map(|body| ResponseBody::new(body, under_way, stream)))
}

fn too_busy() -> Response<Body> {
    let refusal = Refusal::new(Code::Unavailable, "The server has too many connections. Try again later.");
    let mut response = answer::refused(StatusCode::SERVICE_UNAVAILABLE, negotiate::Format::Json, &refusal);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}
