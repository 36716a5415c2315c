//! The hub: a ring of hints for each chat that has readers on this node.
//!
//! Invariants: a topic exists exactly as long as it has readers. Forwarded hints may be late, repeated or
//! missing. `seen` is the highest sequence that was forwarded or that a reader started from, so that one
//! comparison with the store finds lost hints. Nothing here blocks.

use super::lock;
use crate::domain::event::{Entry, Signal};
use entity::ChatId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;

/// A hint for the readers of a chat.
#[derive(Clone, Debug)]
pub(super) enum Hint {
    /// An entry of the log, with its rows.
    Entry(Arc<Entry>),
    /// The log reaches at least to this sequence and must be read.
    Head(i64),
    /// A signal that is not in the log.
    Signal(Arc<Signal>),
}

/// All topics of this node.
pub(super) struct Hub {
    topics: Mutex<HashMap<ChatId, Topic>>,
    /// The number of hints that a topic keeps for its slowest reader.
    capacity: usize,
}

struct Topic {
    sender: broadcast::Sender<Hint>,
    readers: usize,
    seen: i64,
}

/// A reader's end of a topic.
pub(super) struct Subscription {
    hub: Arc<Hub>,
    chat_id: ChatId,
    receiver: broadcast::Receiver<Hint>,
}

impl Hub {
    pub(super) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { topics: Mutex::default(), capacity: capacity.max(1) })
    }

    /// Registers a reader, who receives all hints from now on.
    pub(super) fn subscribe(self: &Arc<Self>, chat_id: ChatId) -> Subscription {
        let mut topics = lock(&self.topics);
        let topic = topics.entry(chat_id).or_insert_with(|| Topic {
            sender: broadcast::Sender::new(self.capacity),
            readers: 0,
            seen: 0,
        });
        topic.readers += 1;
        let receiver = topic.sender.subscribe();
        Subscription { hub: Arc::clone(self), chat_id, receiver }
    }

    /// Forwards entries of one chat in order.
    pub(super) fn forward(&self, chat_id: ChatId, entries: &[Arc<Entry>]) {
        let Some(last) = entries.last() else { return };
        let Some(sender) = self.sender(chat_id, last.event.sequence) else { return };
        for entry in entries {
            // Fails only if the last reader has just left.
            let _ = sender.send(Hint::Entry(Arc::clone(entry)));
        }
    }

    /// Announces that the log reaches to `head`.
    pub(super) fn tell_head(&self, chat_id: ChatId, head: i64) {
        if let Some(sender) = self.sender(chat_id, head) {
            let _ = sender.send(Hint::Head(head));
        }
    }

    /// Forwards a signal that is not in the log.
    pub(super) fn signal(&self, chat_id: ChatId, signal: Signal) {
        if let Some(sender) = self.sender(chat_id, 0) {
            let _ = sender.send(Hint::Signal(Arc::new(signal)));
        }
    }

    /// Whether the chat has readers here.
    pub(super) fn has_readers(&self, chat_id: ChatId) -> bool {
        lock(&self.topics).contains_key(&chat_id)
    }

    /// The highest announced sequence of the chat. `None` if it has no readers here.
    pub(super) fn seen(&self, chat_id: ChatId) -> Option<i64> {
        lock(&self.topics).get(&chat_id).map(|topic| topic.seen)
    }

    /// The chats with readers here.
    pub(super) fn chats(&self) -> Vec<ChatId> {
        lock(&self.topics).keys().copied().collect()
    }

    fn sender(&self, chat_id: ChatId, seen: i64) -> Option<broadcast::Sender<Hint>> {
        let mut topics = lock(&self.topics);
        let topic = topics.get_mut(&chat_id)?;
        topic.seen = topic.seen.max(seen);
        Some(topic.sender.clone())
    }
}

impl Subscription {
    /// The next hint. Fails if some were dropped before this reader received them.
    pub(super) async fn next(&mut self) -> Result<Hint, broadcast::error::RecvError> {
        self.receiver.recv().await
    }

    /// Records that this reader has everything up to `head`.
    pub(super) fn knows(&self, head: i64) {
        if let Some(topic) = lock(&self.hub.topics).get_mut(&self.chat_id) {
            topic.seen = topic.seen.max(head);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut topics = lock(&self.hub.topics);
        if let Some(topic) = topics.get_mut(&self.chat_id) {
            topic.readers -= 1;
            if topic.readers == 0 {
                topics.remove(&self.chat_id);
            }
        }
    }
}
