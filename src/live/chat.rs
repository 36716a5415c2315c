//! The streams of one chat: its whole log, and the same log filtered to one kind of event.

use super::cursor::CursorError;
use super::lease::Lease;
use super::reader::{BATCH, Position, Reader, Step};
use super::staffing::Waiting;
use super::{
    ChangeAction, ChatItem, Live, LiveError, MessageItem, PresenceItem, Pulse, ResetReason, SessionItem,
};
use crate::domain::change::{MessageChange, PresenceChange};
use crate::domain::event::{Change, Entry, MessageRow, Signal};
use crate::domain::policy;
use crate::domain::viewer::Viewer;
use crate::store::log::{self, MessageBatch};
use crate::store::sessions;
use chrono::TimeDelta;
use entity::{ChatId, ParticipationId, SessionId, Timestamp, participation};
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::collections::VecDeque;
use std::sync::Arc;

/// The period before a returning reader's last event for which changes outside of the log are read again.
/// Longer than any transaction.
pub(super) const OVERLAP: TimeDelta = TimeDelta::seconds(60);

impl Live {
    /// Streams everything that happens in a chat, in order. Continues right after a valid cursor; otherwise
    /// starts with a reset. Keeps the viewer's presence in the chat alive while the connection has a pulse.
    pub async fn chat_events(
        &self,
        viewer: &Viewer,
        pulse: Pulse,
        chat_id: ChatId,
        after: Option<&str>,
    ) -> Result<BoxStream<'static, ChatItem>, LiveError> {
        // Held while the stream waits for its turn, too: whoever comes back is there.
        let lease = Arc::new(self.0.leases.keep(viewer, Some(chat_id), pulse));
        self.start(|| self.open_chat_events(viewer, Arc::clone(&lease), chat_id, after).boxed()).await
    }

    async fn open_chat_events(
        &self,
        viewer: &Viewer,
        lease: Arc<Lease>,
        chat_id: ChatId,
        after: Option<&str>,
    ) -> Result<BoxStream<'static, ChatItem>, LiveError> {
        let (from, mut reset) = match after.map(|cursor| self.0.cursors.decode_chat(chat_id, cursor)) {
            None => (Position::Head, Some(ResetReason::Initial)),
            Some(Ok(sequence)) => (Position::After(sequence), None),
            Some(Err(CursorError::Expired)) => (Position::Head, Some(ResetReason::CursorExpired)),
            Some(Err(CursorError::Invalid)) => return Err(LiveError::CursorInvalid),
        };
        let reader = match Reader::open(self, viewer, chat_id, from).await {
            Err(LiveError::CursorExpired) => {
                reset = Some(ResetReason::CursorExpired);
                Reader::open(self, viewer, chat_id, Position::Head).await?
            }
            opened => opened?,
        };
        let marks = match (from, reset) {
            (Position::After(sequence), None) => {
                let at = log::time_of(&self.0.store, chat_id, sequence).await?;
                Some(Marks { since: at.map_or(Timestamp(0), |at| at.minus(OVERLAP)), after: None })
            }
            (Position::Head | Position::After(_), _) => None,
        };
        let waiting = match reader.chat().room_id {
            Some(room_id) if policy::waits_for_staff(viewer) && reader.chat().ended_at.is_none() => {
                Some(self.wait_in(viewer.organization_id, room_id, chat_id).await?)
            }
            Some(_) | None => None,
        };
        let live = self.clone();
        let reread = VecDeque::new();
        let events = ChatEvents { live, reader, reset, marks, reread, _lease: lease, _waiting: waiting };
        Ok(stream::unfold(events, |mut events| async move {
            let item = events.next().await?;
            Some((item, events))
        })
        .boxed())
    }

    /// Streams new messages of a chat. With a cursor, first those after it, however old.
    pub async fn messages(
        &self,
        viewer: &Viewer,
        chat_id: ChatId,
        after: Option<&str>,
    ) -> Result<BoxStream<'static, MessageItem>, LiveError> {
        let backlog = after.map(|cursor| self.0.cursors.decode_chat(chat_id, cursor)).transpose()?;
        let reader = self.start(|| Reader::open(self, viewer, chat_id, Position::Head).boxed()).await?;
        if backlog.is_some_and(|after| after > reader.chat().last_sequence) {
            return Err(LiveError::CursorExpired);
        }
        let messages = Messages { live: self.clone(), reader, backlog, pending: VecDeque::new() };
        Ok(stream::unfold(messages, |mut messages| async move {
            let item = messages.next().await?;
            Some((item, messages))
        })
        .boxed())
    }

    /// Streams presences that are added, end or are renewed in a chat.
    pub async fn presence_changes(
        &self,
        viewer: &Viewer,
        chat_id: ChatId,
        after: Option<&str>,
    ) -> Result<BoxStream<'static, PresenceItem>, LiveError> {
        let live = self.clone();
        let steps = self.steps(viewer, chat_id, after).await?;
        Ok(steps.filter_map(move |at| std::future::ready(live.presence_item(at))).boxed())
    }

    /// Streams the transitions of one session.
    pub async fn session_changes(
        &self,
        viewer: &Viewer,
        session_id: SessionId,
        after: Option<&str>,
    ) -> Result<BoxStream<'static, SessionItem>, LiveError> {
        let find = || sessions::find_in_organization(&self.0.store, viewer.organization_id, session_id);
        let row = self.start(|| async move { Ok(find().await?) }.boxed()).await?;
        let row = row.filter(|row| policy::sees_session(viewer, &row.participant_ids));
        let chat_id = row.ok_or(LiveError::NotFound)?.session.chat_id;
        let live = self.clone();
        let steps = self.steps(viewer, chat_id, after).await?;
        Ok(steps.filter_map(move |at| std::future::ready(live.session_item(session_id, at))).boxed())
    }

    /// The steps of a reader, until the viewer loses access to the chat or the log is trimmed beyond its
    /// position.
    async fn steps(
        &self,
        viewer: &Viewer,
        chat_id: ChatId,
        after: Option<&str>,
    ) -> Result<BoxStream<'static, StepAt>, LiveError> {
        let from = match after {
            None => Position::Head,
            Some(cursor) => Position::After(self.0.cursors.decode_chat(chat_id, cursor)?),
        };
        let reader = self.start(|| Reader::open(self, viewer, chat_id, from).boxed()).await?;
        Ok(stream::unfold(reader, |mut reader| async move {
            let step = match reader.next().await? {
                Step::Gone | Step::Trimmed(_) => return None,
                step @ (Step::Entry(_) | Step::Signal(_)) => step,
            };
            Some((StepAt { position: reader.position(), chat_id: reader.chat().id, step }, reader))
        })
        .boxed())
    }

    fn presence_item(&self, at: StepAt) -> Option<PresenceItem> {
        let cursor = || self.0.cursors.encode_chat(at.chat_id, at.position);
        match at.step {
            Step::Entry(entry) => {
                let (action, presence) = match &entry.event.change {
                    Change::Presence(PresenceChange::Added, row) => (ChangeAction::Added, row.clone()),
                    Change::Presence(PresenceChange::Ended, row) => (ChangeAction::Removed, row.clone()),
                    Change::Chat
                    | Change::History { .. }
                    | Change::Message(..)
                    | Change::Participation(..)
                    | Change::Session(..) => return None,
                };
                Some(PresenceItem { cursor: cursor(), at: entry.event.created_at, action, presence })
            }
            Step::Signal(signal) => match &*signal {
                Signal::Presence(row) => {
                    let (at, presence) = (row.last_seen_at, row.clone());
                    Some(PresenceItem { cursor: cursor(), at, action: ChangeAction::Changed, presence })
                }
                Signal::Participation(_) | Signal::Typing | Signal::Room(_) => None,
            },
            Step::Trimmed(_) | Step::Gone => None,
        }
    }

    fn session_item(&self, session_id: SessionId, at: StepAt) -> Option<SessionItem> {
        let Step::Entry(entry) = at.step else { return None };
        let Change::Session(change, row) = &entry.event.change else { return None };
        (row.session.id == session_id).then(|| SessionItem {
            cursor: self.0.cursors.encode_chat(at.chat_id, at.position),
            at: entry.event.created_at,
            action: change.action(),
            session: row.clone(),
        })
    }
}

impl From<CursorError> for LiveError {
    fn from(error: CursorError) -> Self {
        match error {
            CursorError::Invalid => Self::CursorInvalid,
            CursorError::Expired => Self::CursorExpired,
        }
    }
}

struct StepAt {
    position: i64,
    chat_id: ChatId,
    step: Step,
}

struct ChatEvents {
    live: Live,
    reader: Reader,
    reset: Option<ResetReason>,
    /// The read marks to read again after the log.
    marks: Option<Marks>,
    reread: VecDeque<participation::Model>,
    _lease: Arc<Lease>,
    /// Has the room watched while a visitor waits in it.
    _waiting: Option<Waiting>,
}

/// Participations to read again: those that changed since a time, after an id.
#[derive(Clone, Copy)]
struct Marks {
    since: Timestamp,
    after: Option<ParticipationId>,
}

impl ChatEvents {
    async fn next(&mut self) -> Option<ChatItem> {
        if let Some(reason) = self.reset.take() {
            return Some(self.reset_item(reason));
        }
        loop {
            if self.reader.is_live() {
                if let Some(row) = self.reread.pop_front() {
                    let signal = Signal::Participation(row);
                    if self.reader.is_news(&signal) {
                        return Some(self.signal_item(signal));
                    }
                    continue;
                }
                if let Some(marks) = self.marks {
                    Box::pin(self.reread(marks)).await;
                    continue;
                }
            }
            return Some(match self.reader.next().await? {
                Step::Entry(entry) => self.entry_item(entry),
                Step::Signal(signal) => self.signal_item((*signal).clone()),
                Step::Trimmed(_) => self.reset_item(ResetReason::CursorExpired),
                Step::Gone => {
                    ChatItem::Gone { at: self.live.0.store.clock().now(), chat_id: self.reader.chat().id }
                }
            });
        }
    }

    async fn reread(&mut self, marks: Marks) {
        let chat_id = self.reader.chat().id;
        let store = &self.live.0.store;
        let turn = self.live.reading().await;
        let read = log::participations_since(store, chat_id, marks.since, marks.after, BATCH).await;
        drop(turn);
        match read {
            Ok(rows) => {
                self.marks = rows.last().map(|last| Marks { after: Some(last.id), ..marks });
                self.reread.extend(rows);
            }
            Err(error) => self.reader.wait_after(&error).await,
        }
    }

    fn cursor(&self) -> String {
        self.live.0.cursors.encode_chat(self.reader.chat().id, self.reader.position())
    }

    fn reset_item(&self, reason: ResetReason) -> ChatItem {
        let chat = Arc::clone(self.reader.chat());
        ChatItem::Reset { cursor: self.cursor(), at: self.live.0.store.clock().now(), reason, chat }
    }

    fn entry_item(&self, entry: Arc<Entry>) -> ChatItem {
        ChatItem::Entry { cursor: self.cursor(), entry }
    }

    fn signal_item(&self, signal: Signal) -> ChatItem {
        let at = match &signal {
            Signal::Participation(row) => row.updated_at,
            Signal::Presence(row) => row.last_seen_at,
            Signal::Typing | Signal::Room(_) => self.live.0.store.clock().now(),
        };
        ChatItem::Signal {
            cursor: self.cursor(),
            at,
            chat: Arc::clone(self.reader.chat()),
            signal: Box::new(signal),
        }
    }
}

struct Messages {
    live: Live,
    reader: Reader,
    /// The sequence after which messages must still be read from the table.
    backlog: Option<i64>,
    pending: VecDeque<Arc<MessageRow>>,
}

impl Messages {
    async fn next(&mut self) -> Option<MessageItem> {
        loop {
            self.reader.stand().await;
            if let Some(message) = self.pending.pop_front() {
                return Some(self.item((*message).clone()));
            }
            if let Some(after) = self.backlog {
                if !Box::pin(self.read(after)).await {
                    return None;
                }
                continue;
            }
            match self.reader.next().await? {
                Step::Entry(entry) => {
                    if let Change::Message(MessageChange::Added, message) = &entry.event.change {
                        return Some(self.item(message.clone()));
                    }
                }
                Step::Signal(_) => {}
                Step::Trimmed(after) => self.backlog = Some(after),
                Step::Gone => return None,
            }
        }
    }

    /// Reads a batch from the table. Returns `false` if the viewer can no longer see the chat.
    async fn read(&mut self, after: i64) -> bool {
        match self.reader.read_messages(after).await {
            Ok(Some((MessageBatch { messages, .. }, start))) => {
                let is_last = u64::try_from(messages.len()).unwrap_or(BATCH) < BATCH;
                self.backlog = messages.last().filter(|_| !is_last).map(|last| last.message.sequence);
                self.pending.extend(messages);
                self.reader.go_to(start)
            }
            Ok(None) => false,
            Err(error) => {
                self.reader.wait_after(&error).await;
                true
            }
        }
    }

    fn item(&self, message: MessageRow) -> MessageItem {
        let cursor = self.live.0.cursors.encode_chat(message.message.chat_id, message.message.sequence);
        MessageItem { cursor, message }
    }
}
