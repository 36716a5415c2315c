//! Committed events: log entries with the rows they name, and transient signals.

use entity::{ActorId, ChatId, actor, chat, chat_session, event, message, participation, presence};
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

/// The row that an event names, as it was when the event was read: never older than the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The chat's own fields.
    Chat,
    /// The messages up to this sequence, which were archived or restored.
    History(i64),
    /// A message.
    Message(MessageRow),
    /// A presence.
    Presence(presence::Model),
    /// A participation.
    Participation(participation::Model),
    /// A session.
    Session(SessionRow),
}

/// An entry of a chat's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event that was recorded.
    pub event: event::Model,
    /// To what.
    pub subject: Subject,
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
