//! Committed events: log entries with the rows they name, and transient signals.

use super::change::{MessageChange, ParticipationChange, PresenceChange, SessionChange, StoredChange};
use entity::{
    ActorId, Audience, ChatId, MessageId, Timestamp, actor, chat, chat_session, event, message,
    participation, presence,
};
use std::sync::Arc;

/// A message with its sender's row, which every page and every delivery shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// The message.
    pub message: message::Model,
    /// The sender. Absent if the server itself acted.
    pub sender: Option<actor::Model>,
    /// Messages of type SESSION: the current participants of the session. Empty if the store has already left
    /// out what the reader cannot see.
    pub called_ids: Vec<ActorId>,
}

/// A session with the actors who are called to it, ordered by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The session.
    pub session: chat_session::Model,
    /// The participants, including the creator.
    pub participant_ids: Vec<ActorId>,
}

impl SessionRow {
    /// Whether the actor is called to it.
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

/// What happened in a chat, with the row that it happened to. The row may be newer than the event, never older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The chat's own fields changed.
    Chat,
    /// Messages were archived or restored.
    History {
        /// The newest of them.
        newest_id: MessageId,
        /// The sequence of the newest of them.
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
    /// The form that the log of this chat stores.
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
    /// The chat.
    pub chat_id: ChatId,
    /// Its place in the chat's log.
    pub sequence: i64,
    /// What happened.
    pub change: Change,
    /// Who did it; absent when the server did.
    pub actor_id: Option<ActorId>,
    /// Who may see it.
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
    /// What happened, and when.
    pub event: Event,
    /// The chat, no older than the event.
    pub chat: Arc<chat::Model>,
}

/// A transient signal without a place in the log. A client that returns reads the state again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A read mark moved.
    Participation(participation::Model),
    /// A presence was renewed.
    Presence(presence::Model),
    /// The typing actors changed.
    Typing,
}

/// A change of a participant's view of a chat, which their other devices are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewChange {
    /// They named, annotated, hid or showed it.
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
        /// The chat's row as it was before; absent when the chat is new.
        before: Option<Arc<chat::Model>>,
        /// The entries that were added, in order.
        entries: Vec<Arc<Entry>>,
    },
    /// Something passed in a chat.
    Signal(ChatId, Signal),
    /// A participant changed their own view of a chat, or read on.
    View {
        /// The chat.
        chat: Arc<chat::Model>,
        /// The participation that holds the view.
        participation: participation::Model,
        /// The kind of change.
        change: ViewChange,
    },
    /// An actor's role or activity changed.
    Actor(actor::Model),
}
