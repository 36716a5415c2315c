//! The limits of requests, sockets and connections. Each is tested at its edge.

use crate::graphql::guard::DocumentLimits;
use std::time::Duration;

/// The limits of requests and sockets.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// The time in which the body must arrive, within `operation_within`.
    pub body_within: Duration,
    /// The limits of a document.
    pub document: DocumentLimits,
    /// The time limit of a request from its head to the response: authentication, body, the wait for a turn,
    /// and the query or mutation. On a socket, the time limit of an operation, or of authentication.
    pub operation_within: Duration,
    /// Errors in an answer.
    pub errors: usize,
    /// Bytes of a message on a socket.
    pub message: usize,
    /// The time in which a socket must send `connection_init`.
    pub init_within: Duration,
    /// The interval of pings on a socket. Shorter if presences expire sooner.
    pub ping_every: Duration,
    /// The time that a socket may be silent, pongs included, before it is closed.
    pub silent_within: Duration,
    /// Operations under way on one socket.
    pub operations: usize,
    /// Frames waiting to leave on one socket.
    pub queue: usize,
    /// The time in which a frame must be sent. A large one gets another second for each 64 KiB.
    pub frame_within: Duration,
    /// The time for which a failing event is retried before its connection is closed.
    pub resolve_within: Duration,
    /// The interval of heartbeats on an event stream.
    pub heartbeat: Duration,
    /// Limits of the connections that carry requests and sockets.
    pub connections: ConnectionLimits,
}

/// The limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// The time in which the first request must arrive, and the head of any later one once it has begun.
    pub head_within: Duration,
    /// The time that a connection may wait for its next request: longer than proxies keep idle connections,
    /// so that the proxies close them.
    pub idle_within: Duration,
    /// The time that a write may make no progress.
    pub write_within: Duration,
    /// The interval of pings on an HTTP/2 connection with open streams, and the time in which they must be
    /// answered.
    pub http2_ping_every: Duration,
    /// Connections of one address on which nobody has signed in; 0 lifts the limit.
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
