//! Streams of HTTP/2: each runs as a task that can be ended alone, since a window of 0 stops a stream without
//! stopping its connection.

use super::connection::Connection;
use hyper::rt::Executor;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a stream is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

tokio::task_local! {
    /// The stream whose task this is.
    pub(super) static STREAM: Arc<Http2Stream>;
}

/// A request and its response on a connection that carries several.
#[derive(Default)]
pub(in crate::http) struct Http2Stream {
    /// Since when a piece of the body waits for the peer's window, by the connection's time; 0 where none does.
    waiting_since: AtomicU64,
    pub(super) cut: CancellationToken,
}

impl Http2Stream {
    /// Notes that a piece of the body was handed over, and waits for the peer to take it.
    pub(super) fn has_yielded(&self, now: u64) {
        self.waiting_since.store(now, Ordering::Relaxed);
    }

    /// Notes that the next piece is asked for.
    pub(super) fn is_asked(&self) {
        self.waiting_since.store(0, Ordering::Relaxed);
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting_since.load(Ordering::Relaxed) != 0
    }

    fn is_stalled(&self, now: u64, within: Duration) -> bool {
        let since = self.waiting_since.load(Ordering::Relaxed);
        since != 0 && u128::from(now.saturating_sub(since)) > within.as_millis()
    }
}

/// Runs the streams of one connection.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) connection: Arc<Connection>,
    /// How long a piece of a body may wait for the peer.
    pub(super) write_within: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        let stream = Arc::new(Http2Stream::default());
        let Self { connection, write_within } = self.clone();
        tokio::spawn(STREAM.scope(Arc::clone(&stream), async move {
            if run(future, &stream, &connection, write_within).await {
                return;
            }
            // Dropping the future has reset the stream. Without others the connection serves nobody.
            if connection.is_without_requests() {
                connection.cut.cancel();
            }
        }));
    }
}

/// Runs the stream; whether it ended by itself.
async fn run(
    future: impl Future<Output = ()>,
    stream: &Http2Stream,
    connection: &Connection,
    write_within: Duration,
) -> bool {
    let mut future = pin!(future);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut future => return true,
            () = stream.cut.cancelled() => return false,
            () = connection.cut.cancelled() => return false,
            _ = looks.tick() => {
                if stream.is_stalled(connection.now(), write_within) {
                    tracing::debug!(connection = connection.id, "closed a stream that does not read");
                    return false;
                }
            }
        }
    }
}
