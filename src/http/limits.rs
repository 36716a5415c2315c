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
    /// How often a socket is asked whether it is there; it is gone when nothing came for twice as long.
    pub ping_every: Duration,
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
            operations: 50,
            queue: 32,
            frame_within: Duration::from_secs(10),
            resolve_within: Duration::from_secs(45),
            heartbeat: Duration::from_secs(12),
        }
    }
}
