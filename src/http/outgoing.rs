//! The outgoing queue of a socket, bounded in frames and in bytes.

use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

/// The maximum size of a message in bytes: the largest result, with room for its envelope.
pub(super) const LARGEST: usize = 5 * 1024 * 1024;
/// The maximum number of bytes that wait on one socket, besides the message being written. A larger message
/// waits alone.
const WAITING: usize = 256 * 1024;
/// The size in bytes from which a message is flushed before the next one.
const LARGE: usize = 64 * 1024;
/// The number of bytes for which sending a message may take another second.
const PER_SECOND: usize = 64 * 1024;

/// The queue of a socket. Cheap to clone.
#[derive(Clone)]
pub(super) struct Outgoing {
    frames: mpsc::Sender<Frame>,
    room: Arc<Semaphore>,
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
    (Outgoing { frames: sender, room: Arc::new(Semaphore::new(WAITING)) }, Frames(receiver))
}

impl Outgoing {
    /// Queues a message once there is space for it.
    pub(super) async fn send(&self, message: Message) -> Result<(), Ended> {
        let room = match &message {
            Message::Text(text) => Some(self.room(text.len()).await),
            Message::Binary(bytes) => Some(self.room(bytes.len()).await),
            // Small frames, which are never delayed by large ones.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => None,
        };
        let room = room.flatten();
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

    /// Waits until the writer has ended.
    pub(super) async fn closed(&self) {
        self.frames.closed().await;
    }

    async fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let permits = u32::try_from(bytes.min(WAITING)).unwrap_or(u32::MAX);
        tokio::select! {
            room = Arc::clone(&self.room).acquire_many_owned(permits) => room.ok(),
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
    async fn waiting_sender_hears_that_the_writer_has_ended() {
        let (queue, frames) = outgoing(32);
        assert_eq!(queue.send(text(WAITING)).now_or_never(), Some(Ok(())));
        let waiting = queue.send(text(1));
        drop(frames);
        assert_eq!(waiting.await, Err(Ended));
    }
}
