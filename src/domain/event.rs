//! Committed events: log entries with their rows, and transient signals.

use super::change::{MessageChange, ParticipationChange, PresenceChange, SessionChange, StoredChange};
use entity::{
    ActorId, Audience, ChatId, MessageId, Timestamp, actor, chat, chat_session, event, message,
    participation, presence, room,
};
use std::sync::Arc;

/// A message with its sender's row, which every page and delivery shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    pub message: message::Model,
    /// The sender. Absent if the server itself acted.
    pub sender: Option<actor::Model>,
    /// For messages of type SESSION, the current participants of the session. Empty if the store has already
    /// filtered by visibility.
    pub called_ids: Vec<ActorId>,
}

/// A session with its participants, ordered by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub session: chat_session::Model,
    /// The participants, including the creator.
    pub participant_ids: Vec<ActorId>,
}

impl SessionRow {
    /// Whether the actor is a participant.
    #[must_use]
    pub fn has_participant(&self, actor_id: ActorId) -> bool {
        self.participant_ids.contains(&actor_id)
    }

    /// The actors who always remain participants: those who created, started or accepted the session.
    #[must_use]
    pub fn stays(&self) -> Vec<ActorId> {
        let session = &self.session;
        [Some(session.created_by), session.started_by, session.accepted_by].into_iter().flatten().collect()
    }
}

/// A change of a chat, with the row that changed. The row may be newer than the event, never older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The chat's own fields changed.
    Chat,
    /// Messages were archived or restored.
    History {
        /// The newest of these messages.
        newest_id: MessageId,
        /// The sequence of the newest message.
        through: i64,
    },
    /// A message was added or changed.
    Message(MessageChange, MessageRow),
    /// A user joined or left.
    Presence(PresenceChange, presence::Model),
    /// An actor's participation began, changed or ended.
    Participation(ParticipationChange, participation::Model),
    /// A session was created, changed or moved.
    Session(SessionChange, SessionRow),
}

impl Change {
    /// The form that the log stores.
    #[must_use]
    pub fn stored(&self, chat_id: ChatId) -> StoredChange {
        match self {
            Self::Chat => StoredChange::Chat(chat_id),
            Self::History { newest_id, through: _ } => StoredChange::History(*newest_id),
            Self::Message(change, row) => StoredChange::Message(*change, row.message.id),
            Self::Presence(change, row) => StoredChange::Presence(*change, row.id),
            Self::Participation(change, row) => StoredChange::Participation(*change, row.id),
            Self::Session(change, row) => StoredChange::Session(*change, row.session.id),
        }
    }
}

/// An event of a chat's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub chat_id: ChatId,
    /// The position in the chat's log.
    pub sequence: i64,
    pub change: Change,
    /// The actor who made the change. Absent if the server did.
    pub actor_id: Option<ActorId>,
    pub audience: Audience,
    /// The time at which it was recorded.
    pub created_at: Timestamp,
}

impl Event {
    /// The row that the log stores.
    #[must_use]
    pub fn row(&self) -> event::Model {
        let Self { chat_id, sequence, change, actor_id, audience, created_at } = self;
        let (kind, subject_id) = change.stored(*chat_id).kind_and_id();
        event::Model {
            chat_id: *chat_id,
            sequence: *sequence,
            kind,
            subject_id,
            actor_id: *actor_id,
            audience: *audience,
            created_at: *created_at,
        }
    }
}

/// An event with its chat, ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub event: Event,
    /// The chat, at least as new as the event.
    pub chat: Arc<chat::Model>,
}

/// A transient signal, which is not in the log. After reconnecting, clients read the state again instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A read mark moved.
    Participation(participation::Model),
    /// A presence was renewed.
    Presence(presence::Model),
    /// The typing actors changed.
    Typing,
    /// The room became staffed or unstaffed.
    Room(room::Model),
}

/// A change of a participant's own view of a chat, sent to their other devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewChange {
    /// The participant named, annotated, hid or showed the chat.
    Own {
        /// Whether the chat was hidden before.
        was_hidden: bool,
    },
    /// Their read mark moved.
    Read,
}

/// The news of a commit.
#[derive(Clone, Debug)]
pub enum News {
    /// A chat's log grew.
    Log {
        /// The chat's row before the change. Absent if the chat is new.
        before: Option<Arc<chat::Model>>,
        /// The added entries, in order.
        entries: Vec<Arc<Entry>>,
    },
    /// A transient signal in a chat.
    Signal(ChatId, Signal),
    /// A participant changed their own view of a chat, or their read mark moved.
    View {
        chat: Arc<chat::Model>,
        /// The participation that stores the view.
        participation: participation::Model,
        /// The kind of change.
        change: ViewChange,
    },
    /// An actor's role or status changed.
    Actor(actor::Model),
    /// The rooms of these actors changed. Each has a new `auth_version`.
    Rooms(Vec<(ActorId, i64)>),
    /// A room's own fields changed.
    Room,
}
