//! How much of anything may come through the door. Each is tested at its edge.

use crate::graphql::guard::DocumentLimits;
use std::time::Duration;

/// The limits of requests and sockets.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// How long the body may take to arrive, within `operation_within`.
    pub body_within: Duration,
    /// What a document may cost.
    pub document: DocumentLimits,
    /// How long a request may take from its head to the answer: authentication, body, the wait for a turn and the query or
    /// mutation itself. On a socket, how long an operation may take, or authentication.
    pub operation_within: Duration,
    /// Errors in an answer.
    pub errors: usize,
    /// Bytes of a message on a socket.
    pub message: usize,
    /// How long a socket may take to say who it is.
    pub init_within: Duration,
    /// How often a socket is asked whether it is there. Shorter where presences end sooner.
    pub ping_every: Duration,
    /// How long a socket may be silent, pongs included, before it is closed.
    pub silent_within: Duration,
    /// Operations under way on one socket.
    pub operations: usize,
    /// Frames waiting to leave on one socket.
    pub queue: usize,
    /// How long a frame may take to leave; a large one has another second for each 64 KiB.
    pub frame_within: Duration,
    /// How long an event that cannot be resolved is tried again before its connection is closed.
    pub resolve_within: Duration,
    /// How often an event stream shows that it is alive.
    pub heartbeat: Duration,
    /// Limits of the connections that carry requests and sockets.
    pub connections: ConnectionLimits,
}

/// The limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// How long the first request may take to arrive, and the head of any later one once it has begun.
    pub head_within: Duration,
    /// How long a connection may wait for its next request: longer than proxies keep idle connections, so that
    /// it is they who close them.
    pub idle_within: Duration,
    /// How long a write may make no progress.
    pub write_within: Duration,
    /// How often a connection of HTTP/2 with open streams is asked whether it is there, and how long it may take
    /// to answer.
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
