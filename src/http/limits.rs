//! The limits of requests, sockets and connections. Each is tested at its boundary.

use crate::graphql::guard::DocumentLimits;
use std::time::Duration;

/// The limits of requests and sockets.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The maximum size of a request's body in bytes.
    pub body: usize,
    /// How long the body may take to arrive, within `operation_within`.
    pub body_within: Duration,
    /// The limits of a document.
    pub document: DocumentLimits,
    /// The time limit of a request from its head to the response: authentication, body, the wait for a turn,
    /// and the query or mutation. On a socket, the time limit of an operation, or of authentication.
    pub operation_within: Duration,
    /// The maximum number of errors in a result.
    pub errors: usize,
    /// The maximum size of a socket's message in bytes.
    pub message: usize,
    /// How long a socket may take to send `connection_init`.
    pub init_within: Duration,
    /// The interval of pings on a socket. Shorter if presences expire sooner.
    pub ping_every: Duration,
    /// How long a socket may be silent, pongs included, before it is closed.
    pub silent_within: Duration,
    /// The maximum number of running operations of one socket.
    pub operations: usize,
    /// The maximum number of outgoing frames that wait on one socket.
    pub queue: usize,
    /// How long sending a frame may take. A large frame gets another second for each 64 KiB.
    pub frame_within: Duration,
    /// How long a failing event is retried before its connection is closed.
    pub resolve_within: Duration,
    /// The interval of heartbeats on an event stream.
    pub heartbeat: Duration,
    /// The limits of the connections that carry requests and sockets.
    pub connections: ConnectionLimits,
}

/// The limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// How long the first request may take to arrive, and the head of a later one once it has started.
    pub head_within: Duration,
    /// How long a connection may wait for its next request: longer than proxies keep idle connections, so
    /// that the proxies close them.
    pub idle_within: Duration,
    /// How long a write may make no progress.
    pub write_within: Duration,
    /// The interval of pings on an HTTP/2 connection with open streams, and the time limit of their
    /// responses.
    pub http2_ping_every: Duration,
    /// The maximum number of connections per address without a signed-in actor. 0 removes the limit.
    pub per_address: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            head_within: Duration::from_secs(10),
            idle_within: Duration::from_secs(75),
            write_within: Duration::from_secs(14),
            http2_ping_every: Duration::from_secs(20),
            per_address: 1_000,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 256 * 1024,
            body_within: Duration::from_secs(15),
            document: DocumentLimits::default(),
            operation_within: Duration::from_secs(10),
            errors: 20,
            message: 64 * 1024,
            init_within: Duration::from_secs(3),
            ping_every: Duration::from_secs(20),
            silent_within: Duration::from_secs(40),
            operations: 50,
            queue: 32,
            frame_within: Duration::from_secs(10),
            resolve_within: Duration::from_secs(45),
            heartbeat: Duration::from_secs(12),
            connections: ConnectionLimits::default(),
        }
    }
}
