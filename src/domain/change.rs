//! The changes that a chat's log records, and their stored form: the kind of the event and the id of its row.
//!
//! Only this module converts between changes and kinds.

use super::session_action::SessionAction;
use entity::{ChatId, EventKind, MessageId, ParticipationId, PresenceId, SessionId};
use uuid::Uuid;

/// A change of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageChange {
    Added,
    /// The message was edited, deleted or reacted to.
    Changed,
}

/// A change of a presence. Renewals are not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresenceChange {
    /// The user joined.
    Added,
    /// The user left or expired.
    Ended,
}

/// A change of a participation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParticipationChange {
    /// The actor began to participate.
    Added,
    /// It changed in a way that everybody in the chat may see.
    Changed,
    /// The actor stopped participating.
    Ended,
}

/// A change of a chat session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionChange {
    /// It was created.
    Added,
    /// Its own fields changed, but not its state.
    Changed,
    /// An action moved it to another state.
    Moved(SessionAction),
}

impl SessionChange {
    /// The action that moved the session; `None` if it stayed in its state.
    #[must_use]
    pub fn action(self) -> Option<SessionAction> {
        match self {
            Self::Added | Self::Changed => None,
            Self::Moved(action) => Some(action),
        }
    }
}

/// A change with the id of its row. [`Change`](super::event::Change) has the row itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredChange {
    /// The chat's own fields changed.
    Chat(ChatId),
    /// Messages up to this one were archived or restored.
    History(MessageId),
    /// A message changed.
    Message(MessageChange, MessageId),
    /// A presence changed.
    Presence(PresenceChange, PresenceId),
    /// A participation changed.
    Participation(ParticipationChange, ParticipationId),
    /// A session changed.
    Session(SessionChange, SessionId),
}

impl StoredChange {
    /// The change for a kind and id of the log.
    #[must_use]
    pub fn new(kind: EventKind, id: Uuid) -> Self {
        let message = |change| Self::Message(change, MessageId(id));
        let presence = |change| Self::Presence(change, PresenceId(id));
        let participation = |change| Self::Participation(change, ParticipationId(id));
        let session = |change| Self::Session(change, SessionId(id));
        match kind {
            EventKind::ChatChanged => Self::Chat(ChatId(id)),
            EventKind::HistoryChanged => Self::History(MessageId(id)),
            EventKind::MessageAdded => message(MessageChange::Added),
            EventKind::MessageChanged => message(MessageChange::Changed),
            EventKind::PresenceAdded => presence(PresenceChange::Added),
            EventKind::PresenceEnded => presence(PresenceChange::Ended),
            EventKind::ParticipationAdded => participation(ParticipationChange::Added),
            EventKind::ParticipationChanged => participation(ParticipationChange::Changed),
            EventKind::ParticipationEnded => participation(ParticipationChange::Ended),
            EventKind::SessionAdded => session(SessionChange::Added),
            EventKind::SessionChanged => session(SessionChange::Changed),
            EventKind::SessionStarted => session(SessionChange::Moved(SessionAction::Start)),
            EventKind::SessionAccepted => session(SessionChange::Moved(SessionAction::Accept)),
            EventKind::SessionRejected => session(SessionChange::Moved(SessionAction::Reject)),
            EventKind::SessionFinished => session(SessionChange::Moved(SessionAction::Finish)),
        }
    }

    /// The kind and id that the log stores.
    #[must_use]
    pub fn kind_and_id(self) -> (EventKind, Uuid) {
        match self {
            Self::Chat(id) => (EventKind::ChatChanged, id.0),
            Self::History(id) => (EventKind::HistoryChanged, id.0),
            Self::Message(MessageChange::Added, id) => (EventKind::MessageAdded, id.0),
            Self::Message(MessageChange::Changed, id) => (EventKind::MessageChanged, id.0),
            Self::Presence(PresenceChange::Added, id) => (EventKind::PresenceAdded, id.0),
            Self::Presence(PresenceChange::Ended, id) => (EventKind::PresenceEnded, id.0),
            Self::Participation(ParticipationChange::Added, id) => (EventKind::ParticipationAdded, id.0),
            Self::Participation(ParticipationChange::Changed, id) => (EventKind::ParticipationChanged, id.0),
            Self::Participation(ParticipationChange::Ended, id) => (EventKind::ParticipationEnded, id.0),
            Self::Session(SessionChange::Added, id) => (EventKind::SessionAdded, id.0),
            Self::Session(SessionChange::Changed, id) => (EventKind::SessionChanged, id.0),
            Self::Session(SessionChange::Moved(action), id) => (kind_of_action(action), id.0),
        }
    }
}

fn kind_of_action(action: SessionAction) -> EventKind {
    match action {
        SessionAction::Start => EventKind::SessionStarted,
        SessionAction::Accept => EventKind::SessionAccepted,
        SessionAction::Reject => EventKind::SessionRejected,
        SessionAction::Finish => EventKind::SessionFinished,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    #[test]
    fn stored_form_of_every_change_stays_the_same() {
        let session = |change| StoredChange::Session(change, SessionId(ID));
        let participation = |change| StoredChange::Participation(change, ParticipationId(ID));
        let names = [
            (StoredChange::Chat(ChatId(ID)), "CHAT_CHANGED"),
            (StoredChange::History(MessageId(ID)), "HISTORY_CHANGED"),
            (StoredChange::Message(MessageChange::Added, MessageId(ID)), "MESSAGE_ADDED"),
            (StoredChange::Message(MessageChange::Changed, MessageId(ID)), "MESSAGE_CHANGED"),
            (StoredChange::Presence(PresenceChange::Added, PresenceId(ID)), "PRESENCE_ADDED"),
            (StoredChange::Presence(PresenceChange::Ended, PresenceId(ID)), "PRESENCE_ENDED"),
            (participation(ParticipationChange::Added), "PARTICIPATION_ADDED"),
            (participation(ParticipationChange::Changed), "PARTICIPATION_CHANGED"),
            (participation(ParticipationChange::Ended), "PARTICIPATION_ENDED"),
            (session(SessionChange::Added), "SESSION_ADDED"),
            (session(SessionChange::Changed), "SESSION_CHANGED"),
            (session(SessionChange::Moved(SessionAction::Start)), "SESSION_STARTED"),
            (session(SessionChange::Moved(SessionAction::Accept)), "SESSION_ACCEPTED"),
            (session(SessionChange::Moved(SessionAction::Reject)), "SESSION_REJECTED"),
            (session(SessionChange::Moved(SessionAction::Finish)), "SESSION_FINISHED"),
        ];
        for (change, name) in names {
            let (kind, id) = change.kind_and_id();
            assert_eq!((kind.as_str(), id), (name, ID));
            assert_eq!(StoredChange::new(kind, id), change);
        }
    }
}
