//! A reader of one chat's log: it scans the log, then follows it live.
//!
//! Invariants: `position` is the sequence up to which every entry was returned or is invisible to the viewer.
//! The next entry is `position + 1`, or there is none. An entry of a hint is returned only if nothing newer
//! was returned before, so that no row ever goes back in time. For any other hint, the log is read again.

use super::hub::{Hint, Subscription};
use super::shared::{Read, SharedReads};
use super::{Live, LiveError};
use crate::domain::event::{Change, Entry, Signal};
use crate::domain::policy::{self, Ties};
use crate::domain::viewer::{Standing, Viewer};
use crate::store::log::{self, Batch, MessageBatch, Start};
use crate::store::{Error, Result as Stored, participations};
use entity::{ActorId, ChatId, Timestamp, chat};
use futures_util::FutureExt;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;
use uuid::Uuid;

/// The maximum number of entries read at once.
pub(super) const BATCH: u64 = 200;
/// The maximum number of rows whose latest returned state is remembered. Above it, all are forgotten.
const SHOWN: usize = 256;

/// Reads of logs in progress: of a chat, after a sequence.
pub(super) type Reads = SharedReads<(ChatId, i64), Stored<Option<Batch>>>;
/// Reads of messages in progress: of a chat, after a sequence, as staff or as one visitor.
pub(super) type MessageReads = SharedReads<(ChatId, i64, Option<ActorId>), Stored<Option<MessageBatch>>>;

/// The starting position of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Only new entries.
    Head,
    /// Entries after this sequence.
    After(i64),
}

/// A step of a reader.
#[derive(Debug)]
pub(super) enum Step {
    /// The next entry that the viewer may see.
    Entry(Arc<Entry>),
    /// A signal that is not in the log.
    Signal(Arc<Signal>),
    /// Entries after this sequence are no longer stored. The reader continued at the head.
    Trimmed(i64),
    /// The viewer can no longer see the chat. This is the last step.
    Gone,
}

/// A position in one chat's log.
pub(super) struct Reader {
    live: Live,
    viewer: Viewer,
    standing: watch::Receiver<Standing>,
    subscription: Subscription,
    /// The latest returned state of the chat.
    chat: Arc<chat::Model>,
    ties: Ties,
    position: i64,
    is_behind: bool,
    /// Whether [`Step::Gone`] was returned.
    is_over: bool,
    pending: VecDeque<Arc<Entry>>,
    shown: HashMap<Uuid, Timestamp>,
}

impl Reader {
    /// Starts reading. Fails if the chat does not exist for the viewer, or the position cannot be resumed.
    pub(super) async fn open(
        live: &Live,
        viewer: &Viewer,
        chat_id: ChatId,
        from: Position,
    ) -> Result<Self, LiveError> {
        // Subscribe before reading, so that nothing is missed in between.
        let subscription = live.0.hub.subscribe(chat_id);
        let (standing, viewer) = live.stand(viewer).await;
        let start =
            log::start_in_organization(&live.0.store, viewer.organization_id, chat_id, viewer.actor_id)
                .await?;
        let Some(Start { chat, ties }) = start else { return Err(LiveError::NotFound) };
        let head = chat.last_sequence;
        subscription.knows(head);
        let mut reader = Self {
            live: live.clone(),
            viewer,
            standing,
            subscription,
            chat,
            ties,
            position: head,
            is_behind: false,
            is_over: false,
            pending: VecDeque::new(),
            shown: HashMap::new(),
        };
        if !reader.sees() {
            return Err(LiveError::NotFound);
        }
        if let Position::After(after) = from {
            if after > head {
                return Err(LiveError::CursorExpired);
            }
            reader.position = after;
            let batch = reader.read_log().await?.ok_or(LiveError::NotFound)?;
            if !reader.take_batch(batch) {
                return Err(LiveError::CursorExpired);
            }
        }
        Ok(reader)
    }

    pub(super) fn chat(&self) -> &Arc<chat::Model> {
        &self.chat
    }

    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// Whether every entry found by the last read has been returned.
    pub(super) fn is_live(&self) -> bool {
        self.pending.is_empty() && !self.is_behind
    }

    /// Continues at the head, after entries were read by other means. Returns whether the viewer still sees
    /// the chat.
    pub(super) fn go_to(&mut self, start: Start) -> bool {
        self.ties = start.ties;
        self.position = start.chat.last_sequence;
        self.chat = start.chat;
        self.pending.clear();
        self.is_behind = false;
        self.subscription.knows(self.position);
        self.sees()
    }

    /// Whether a row in this state may be returned: not if a newer state was.
    pub(super) fn is_news(&mut self, signal: &Signal) -> bool {
        let (id, at) = match signal {
            Signal::Participation(row) => (row.id.0, row.updated_at),
            Signal::Presence(row) => (row.id.0, seen_at(row)),
            Signal::Typing | Signal::Room(_) => return true,
        };
        if self.shown.get(&id).is_some_and(|shown| *shown > at) {
            return false;
        }
        self.remember(id, at);
        true
    }

    /// The next step. `None` if the stream has ended. Never returns for a deactivated viewer.
    pub(super) async fn next(&mut self) -> Option<Step> {
        loop {
            if self.is_over {
                return None;
            }
            self.stand().await;
            if !self.sees() {
                return Some(self.gone());
            }
            if let Some(entry) = self.pending.pop_front() {
                if let Some(step) = self.take(entry) {
                    return Some(step);
                }
                continue;
            }
            if self.is_behind {
                // Boxed, so that a live reader does not carry the size of a read.
                if let Some(step) = Box::pin(self.read()).await {
                    return Some(step);
                }
                continue;
            }
            let hint = tokio::select! {
                biased;
                _ = self.standing.changed() => continue,
                hint = self.subscription.next() => hint,
            };
            match hint {
                Ok(Hint::Entry(entry)) if entry.event.sequence <= self.position => {}
                Ok(Hint::Entry(entry)) if self.is_next(&entry) => {
                    if let Some(step) = self.take(entry) {
                        return Some(step);
                    }
                }
                Ok(Hint::Head(head)) if head <= self.position => {}
                Ok(Hint::Signal(signal)) => {
                    if self.is_news(&signal) {
                        return Some(Step::Signal(signal));
                    }
                }
                // A gap, or dropped hints because this reader was too slow: the log has everything.
                Ok(Hint::Entry(_) | Hint::Head(_)) | Err(_) => self.is_behind = true,
            }
        }
    }

    fn sees(&self) -> bool {
        policy::sees_chat(&self.viewer, &self.chat, self.ties)
    }

    /// Updates the viewer's role and rooms. Never returns for a deactivated viewer: the end of the stream would tell
    /// the client that it is complete, so the transport closes the connection instead.
    pub(super) async fn stand(&mut self) {
        let is_here = self.viewer.stand(&self.standing.borrow_and_update());
        if !is_here {
            std::future::pending::<()>().await;
        }
    }

    fn is_next(&self, entry: &Entry) -> bool {
        entry.event.sequence == self.position + 1 && entry.chat.last_sequence >= self.chat.last_sequence
    }

    fn gone(&mut self) -> Step {
        self.is_over = true;
        Step::Gone
    }

    fn take(&mut self, entry: Arc<Entry>) -> Option<Step> {
        self.position = entry.event.sequence;
        if entry.chat.last_sequence >= self.chat.last_sequence {
            self.chat = Arc::clone(&entry.chat);
        }
        match &entry.event.change {
            Change::Participation(_, row) => {
                if row.actor_id == self.viewer.actor_id {
                    self.ties = Ties::of(Some(row));
                }
                self.remember(row.id.0, row.updated_at);
            }
            Change::Presence(_, row) => self.remember(row.id.0, seen_at(row)),
            Change::Chat | Change::History { .. } | Change::Message(..) | Change::Session(..) => {}
        }
        if !self.sees() {
            return Some(self.gone());
        }
        policy::sees_entry(&self.viewer, &entry).then_some(Step::Entry(entry))
    }

    /// Reads the log after the position. Readers at the same position share the read. The result is at least
    /// as new as the states that this reader received or returned.
    async fn read_log(&self) -> Stored<Option<Batch>> {
        let (live, chat_id, after) = (&self.live, self.chat.id, self.position);
        let begin = || {
            let (store, reads) = (live.0.store.clone(), live.0.turns.reads());
            async move {
                let _turn = reads.acquire_owned().await;
                log::read(&store, chat_id, after, BATCH).await
            }
            .boxed()
        };
        let Read { result, is_fresh } = live.0.reads.read((chat_id, after), begin).await;
        match result {
            Ok(Some(batch)) if !is_fresh && self.is_stale(&batch.chat) => begin().await,
            other => other,
        }
    }

    /// Reads messages after a sequence, shared like [`Self::read_log`].
    pub(super) async fn read_messages(&self, after: i64) -> Stored<Option<(MessageBatch, Start)>> {
        let (live, chat_id) = (&self.live, self.chat.id);
        let begin = || {
            let (store, reads, viewer) = (live.0.store.clone(), live.0.turns.reads(), self.viewer.clone());
            async move {
                let _turn = reads.acquire_owned().await;
                log::messages_after(&store, chat_id, &viewer, after, BATCH).await
            }
            .boxed()
        };
        let reader = policy::message_reader(&self.viewer);
        let Read { result, is_fresh } = live.0.message_reads.read((chat_id, after, reader), begin).await;
        let batch = match result {
            Ok(Some(batch)) if !is_fresh && self.is_stale(&batch.chat) => begin().await,
            other => other,
        };
        let Some(batch) = batch? else { return Ok(None) };
        // Read after the messages, so that a viewer who was removed in between sees none of them.
        let ties = participations::ties_of(&live.0.store, chat_id, self.viewer.actor_id).await?;
        let start = Start { chat: Arc::clone(&batch.chat), ties };
        Ok(Some((batch, start)))
    }

    /// Whether a state of the chat is older than one that this reader received or returned.
    fn is_stale(&self, chat: &chat::Model) -> bool {
        let seen = self.live.0.hub.seen(chat.id).unwrap_or_default();
        chat.last_sequence < self.chat.last_sequence.max(seen)
    }

    /// Reads from the current position. Retries while the database is unavailable.
    async fn read(&mut self) -> Option<Step> {
        match self.read_log().await {
            Ok(Some(batch)) => {
                if self.take_batch(batch) {
                    return None;
                }
                self.skip_trimmed().await
            }
            Ok(None) => Some(self.gone()),
            Err(error) => {
                self.wait_after(&error).await;
                None
            }
        }
    }

    /// Waits briefly after a failed read.
    pub(super) async fn wait_after(&self, error: &Error) {
        tracing::warn!(chat_id = %self.chat.id, %error, "a reader is waiting for the database");
        tokio::time::sleep(self.live.0.settings.sweep).await;
    }

    /// Continues at the head, because earlier entries are no longer stored.
    async fn skip_trimmed(&mut self) -> Option<Step> {
        let (organization_id, actor_id) = (self.viewer.organization_id, self.viewer.actor_id);
        let chat_id = self.chat.id;
        match log::start_in_organization(&self.live.0.store, organization_id, chat_id, actor_id).await {
            Ok(Some(start)) => {
                let after = self.position;
                if self.go_to(start) { Some(Step::Trimmed(after)) } else { Some(self.gone()) }
            }
            Ok(None) => Some(self.gone()),
            Err(error) => {
                self.wait_after(&error).await;
                None
            }
        }
    }

    /// Queues a batch. Returns `false` if the entries right after the position are no longer stored.
    fn take_batch(&mut self, batch: Batch) -> bool {
        let head = batch.chat.last_sequence;
        self.subscription.knows(head);
        match batch.entries.first() {
            Some(first) if first.event.sequence != self.position + 1 => return false,
            None if head > self.position => return false,
            Some(_) | None => {}
        }
        self.is_behind = batch.entries.last().map_or(self.position, |last| last.event.sequence) < head;
        self.pending.extend(batch.entries);
        true
    }

    fn remember(&mut self, id: Uuid, at: Timestamp) {
        if self.shown.len() >= SHOWN {
            self.shown.clear();
        }
        self.shown.insert(id, at);
    }
}

/// The version of a presence. An ended presence is newer than all its renewals.
fn seen_at(row: &entity::presence::Model) -> Timestamp {
    if row.ended_at.is_some() { Timestamp(i64::MAX) } else { row.last_seen_at }
}
