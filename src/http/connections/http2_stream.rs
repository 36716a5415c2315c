//! The state of one HTTP/2 stream: whether a part of its body waits for the peer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

tokio::task_local! {
    /// The stream of the current task.
    pub(super) static STREAM: Arc<Http2Stream>;
}

/// A request and its response on a connection that carries several.
#[derive(Default)]
pub(in crate::http) struct Http2Stream {
    /// The time since which a piece of the body waits for the peer's window, on the connection's clock. 0 if
    /// none does.
    waiting_since: AtomicU64,
    pub(super) cut: CancellationToken,
}

impl Http2Stream {
    /// Records that a piece of the body was produced and waits for the peer.
    pub(super) fn has_yielded(&self, now: u64) {
        self.waiting_since.store(now, Ordering::Relaxed);
    }

    /// Records that the next piece was requested.
    pub(super) fn is_asked(&self) {
        self.waiting_since.store(0, Ordering::Relaxed);
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting_since.load(Ordering::Relaxed) != 0
    }

    pub(super) fn is_stalled(&self, now: u64, within: Duration) -> bool {
        let since = self.waiting_since.load(Ordering::Relaxed);
        since != 0 && u128::from(now.saturating_sub(since)) > within.as_millis()
    }
}
