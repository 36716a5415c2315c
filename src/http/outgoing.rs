//! The outgoing queue of a socket, bounded in frames and in bytes.

use async_graphql::parser::types::OperationType;
use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// The maximum size of a message in bytes: the largest result, with room for its envelope.
pub(super) const LARGEST: usize = 5 * 1024 * 1024;
/// The maximum number of bytes that wait on one socket, besides the message being written. A larger message
/// waits alone.
const WAITING: usize = 256 * 1024;
/// The maximum cost in units of the operations of one kind that run at once on one socket, or whose answers wait for
/// room. A unit is
/// about 40 bytes of a page of messages, and at most 1.3 KiB. An operation that costs more runs alone.
const RUNNING: usize = 4_000;
/// The maximum number of bytes of messages that wait for room. If a client leaves more unread, its socket is closed.
const BACKLOG: usize = 16 * 1024 * 1024;
/// The size in bytes from which a message is flushed before the next one.
const LARGE: usize = 64 * 1024;
/// The number of bytes for which sending a message may take another second.
const PER_SECOND: usize = 64 * 1024;

/// The queue of a socket. Cheap to clone.
#[derive(Clone)]
pub(super) struct Outgoing {
    frames: mpsc::Sender<Frame>,
    room: Arc<Semaphore>,
    queries: Arc<Semaphore>,
    mutations: Arc<Semaphore>,
    /// Bytes of messages that wait for room.
    backlog: Arc<AtomicUsize>,
    /// Cancelled once more wait than may.
    overflow: CancellationToken,
}

/// Messages that wait for room, by their bytes, until this is dropped.
struct Waiting<'a>(&'a AtomicUsize, usize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

/// The receiving end of a queue.
pub(super) struct Frames(mpsc::Receiver<Frame>);

struct Frame {
    message: Message,
    /// The space that the frame occupies in the queue until it is written.
    room: Option<OwnedSemaphorePermit>,
}

/// The socket's writer has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended;

/// Creates a queue for this many frames.
pub(super) fn outgoing(frames: usize) -> (Outgoing, Frames) {
    let (sender, receiver) = mpsc::channel(frames);
    let queue = Outgoing {
        frames: sender,
        room: Arc::new(Semaphore::new(WAITING)),
        queries: Arc::new(Semaphore::new(RUNNING)),
        mutations: Arc::new(Semaphore::new(RUNNING)),
        backlog: Arc::default(),
        overflow: CancellationToken::new(),
    };
    (queue, Frames(receiver))
}

impl Outgoing {
    /// Queues a message once there is space for it.
    pub(super) async fn send(&self, message: Message) -> Result<(), Ended> {
        let room = match &message {
            Message::Text(_) | Message::Binary(_) => {
                let bytes = length(&message);
                let waiting = Waiting(&self.backlog, bytes);
                if self.backlog.fetch_add(bytes, Ordering::Relaxed) + bytes > BACKLOG {
                    self.overflow.cancel();
                    return Err(Ended);
                }
                let room = self.room(bytes).await;
                drop(waiting);
                room
            }
            // Small frames, which are never delayed by large ones.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => None,
        };
        self.frames.send(Frame { message, room }).await.map_err(|_| Ended)
    }

    /// Queues a message if there is space for it.
    pub(super) fn try_send(&self, message: Message) {
        let _ = self.frames.try_send(Frame { message, room: None });
    }

    /// Waits until there is space for more. Producers call this first, so that results do not wait in memory.
    pub(super) async fn has_room(&self) {
        drop(self.room(1).await);
    }

    /// Waits until an operation may run, so that few answers wait in memory. The permit is held until the answer is
    /// queued. `None` if the writer has ended.
    pub(super) async fn may_run(&self, kind: OperationType, units: u64) -> Option<OwnedSemaphorePermit> {
        let running = match kind {
            OperationType::Query => &self.queries,
            OperationType::Mutation | OperationType::Subscription => &self.mutations,
        };
        let units = usize::try_from(units).unwrap_or(RUNNING).clamp(1, RUNNING);
        self.take(running, units).await
    }

    /// Waits until the writer has ended, or too many bytes wait for it.
    pub(super) async fn closed(&self) {
        tokio::select! {
            () = self.frames.closed() => {}
            () = self.overflow.cancelled() => {}
        }
    }

    async fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.take(&self.room, bytes.min(WAITING)).await
    }

    async fn take(&self, of: &Arc<Semaphore>, count: usize) -> Option<OwnedSemaphorePermit> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        tokio::select! {
            taken = Arc::clone(of).acquire_many_owned(count) => taken.ok(),
            () = self.frames.closed() => None,
        }
    }
}

/// Writes frames, and flushes when none is left, so that frames that arrive together share a flush. Ends if a
/// frame cannot be sent in time.
pub(super) async fn write(mut sink: SplitSink<WebSocket, Message>, mut frames: Frames, within: Duration) {
    while let Some(Frame { message, room }) = frames.0.recv().await {
        let is_last = matches!(message, Message::Close(_));
        let length = length(&message);
        let written = timeout(within + allowance(length), async {
            sink.feed(message).await?;
            if is_last || length >= LARGE || frames.0.is_empty() {
                sink.flush().await?;
            }
            Ok::<_, axum::Error>(())
        });
        let has_left = match written.await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(%error, "could not write to a socket");
                false
            }
            Err(_) => {
                tracing::debug!(length, "closed a socket whose client does not read");
                false
            }
        };
        drop(room);
        if is_last || !has_left {
            break;
        }
    }
}

fn length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

fn allowance(bytes: usize) -> Duration {
    Duration::from_secs(u64::try_from(bytes / PER_SECOND).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::future::join_all;

    fn text(bytes: usize) -> Message {
        Message::Text("x".repeat(bytes).into())
    }

    #[tokio::test]
    async fn full_queue_takes_nothing_but_control_frames() {
        let (queue, mut frames) = outgoing(32);
        for _ in 0..4 {
            assert_eq!(queue.send(text(WAITING / 4)).now_or_never(), Some(Ok(())));
        }
        assert_eq!(queue.send(text(1)).now_or_never(), None);
        assert_eq!(queue.has_room().now_or_never(), None);
        assert_eq!(queue.send(Message::Close(None)).now_or_never(), Some(Ok(())));
        drop(frames.0.recv().await);
        assert_eq!(queue.has_room().now_or_never(), Some(()));
        assert_eq!(queue.send(text(1)).now_or_never(), Some(Ok(())));
    }

    #[tokio::test]
    async fn message_larger_than_the_queue_waits_alone() {
        let (queue, mut frames) = outgoing(32);
        assert_eq!(queue.send(text(1)).now_or_never(), Some(Ok(())));
        assert_eq!(queue.send(text(LARGEST)).now_or_never(), None);
        drop(frames.0.recv().await);
        assert_eq!(queue.send(text(LARGEST)).now_or_never(), Some(Ok(())));
        assert_eq!(queue.send(text(1)).now_or_never(), None);
    }

    #[tokio::test]
    async fn operations_run_while_the_answers_of_few_wait() {
        let (queue, frames) = outgoing(32);
        let query = |units| queue.may_run(OperationType::Query, units).now_or_never().flatten();
        let first = query(2_500);
        assert!(first.is_some() && query(2_500).is_none());
        assert!(queue.may_run(OperationType::Mutation, 50_000).now_or_never().flatten().is_some());
        drop(first);
        let alone = query(50_000);
        assert!(alone.is_some() && query(1).is_none());
        drop(frames);
        assert!(queue.may_run(OperationType::Query, 1).await.is_none());
    }

    #[tokio::test]
    async fn queue_of_a_client_that_leaves_too_much_unread_is_closed() {
        let (queue, _frames) = outgoing(32);
        assert_eq!(queue.send(text(WAITING)).now_or_never(), Some(Ok(())));
        let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(queue.send(text(BACKLOG / 4)))).collect();
        assert_eq!(join_all(&mut waiting).now_or_never(), None);
        assert_eq!(queue.closed().now_or_never(), None);
        // Whoever stops waiting is not counted any more.
        drop(waiting.pop());
        let mut last = Box::pin(queue.send(text(BACKLOG / 4)));
        assert_eq!((&mut last).now_or_never(), None);
        assert_eq!(queue.send(text(1)).now_or_never(), Some(Err(Ended)));
        assert_eq!(queue.closed().now_or_never(), Some(()));
    }

    #[tokio::test]
    async fn waiting_sender_hears_that_the_writer_has_ended() {
        let (queue, frames) = outgoing(32);
        assert_eq!(queue.send(text(WAITING)).now_or_never(), Some(Ok(())));
        let waiting = queue.send(text(1));
        drop(frames);
        assert_eq!(waiting.await, Err(Ended));
    }
}
