//! The outgoing queue of a socket, bounded in frames and in bytes.

use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

/// Bytes of one message at most: the largest answer there is, with room for its envelope.
pub(super) const LARGEST: usize = 5 * 1024 * 1024;
/// Bytes that wait on one socket beside the message that is being written. A larger message waits alone.
const WAITING: usize = 256 * 1024;
/// A message of this size is flushed before the next one is taken.
const LARGE: usize = 64 * 1024;
/// Bytes for which a message may take another second to leave.
const PER_SECOND: usize = 64 * 1024;

/// A socket's queue; cheap to clone.
#[derive(Clone)]
pub(super) struct Outgoing {
    frames: mpsc::Sender<Frame>,
    room: Arc<Semaphore>,
}

/// Frames on their way to be written.
pub(super) struct Frames(mpsc::Receiver<Frame>);

struct Frame {
    message: Message,
    /// The room that it takes up until it is written.
    room: Option<OwnedSemaphorePermit>,
}

/// The writer of the socket has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended;

/// A queue of this many frames.
pub(super) fn outgoing(frames: usize) -> (Outgoing, Frames) {
    let (sender, receiver) = mpsc::channel(frames);
    (Outgoing { frames: sender, room: Arc::new(Semaphore::new(WAITING)) }, Frames(receiver))
}

impl Outgoing {
    /// Queues a message once there is room for it.
    pub(super) async fn send(&self, message: Message) -> Result<(), Ended> {
        let room = match &message {
            Message::Text(text) => Some(self.room(text.len()).await),
            Message::Binary(bytes) => Some(self.room(bytes.len()).await),
            // Small, and never held up by what is large.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => None,
        };
        let room = room.flatten();
        self.frames.send(Frame { message, room }).await.map_err(|_| Ended)
    }

    /// Queues a message if there is a free place for it.
    pub(super) fn try_send(&self, message: Message) {
        let _ = self.frames.try_send(Frame { message, room: None });
    }

    /// Waits until there is room for more. What makes messages asks first, so that they are not made to wait in memory.
    pub(super) async fn has_room(&self) {
        drop(self.room(1).await);
    }

    /// Waits until nothing is written any more.
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

/// Writes frames as they come, and flushes when there is none left, so that hot streams share a flush. Ends with a frame
/// that does not leave in time.
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
