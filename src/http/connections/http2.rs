//! HTTP/2 streams. Each runs as a task that can be ended separately, because a window of 0 stops a stream
//! without stopping its connection.

use super::connection::Connection;
use super::http2_stream::{Http2Stream, STREAM};
use hyper::rt::Executor;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// The interval of checking a stream.
const LOOK_EVERY: Duration = Duration::from_millis(500);

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
        #[expect(clippy::disallowed_methods, reason = "a stream ends with its connection, which is tracked")]
        tokio::spawn(STREAM.scope(Arc::clone(&stream), async move {
            if run(future, &stream, &connection, write_within).await {
                return;
            }
            // Dropping the future has reset the stream. Without other streams, the connection is of no use.
            if connection.is_without_requests() {
                connection.cut.cancel();
            }
        }));
    }
}

/// Runs the stream. Returns whether it completed.
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
                    tracing::debug!(connection = connection.id, "closed a stream whose client does not read");
                    return false;
                }
            }
        }
    }
}
