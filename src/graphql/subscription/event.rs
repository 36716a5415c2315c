//! What the events of subscriptions carry, and how what was told live becomes one.

use super::super::chat::{Chat, ChatEdge, Place};
use super::super::connection::List;
use super::super::enums::{ChangeAction, ChatSessionAction, ResetReason};
use super::super::id::Kind;
use super::super::message::{Message, MessageEdge};
use super::super::participation::Participation;
use super::super::presence::Presence;
use super::super::room::Room;
use super::super::scalar::DateTime;
use super::super::session::ChatSession;
use super::super::viewer::Viewer;
use crate::domain::event::{Signal, Subject};
use crate::domain::page::Key;
use crate::live::{ChatItem, ViewerChange, ViewerItem};
use async_graphql::{ID, SimpleObject, Union};
use entity::{ChatId, EventKind, Timestamp, chat};
use std::sync::Arc;

/// A change of a presence in a chat.
#[derive(SimpleObject)]
pub(super) struct PresenceChangedPayload {
    /// Position of the stream after this change: pass it as `after` to resume from here.
    pub(super) cursor: String,
    /// Time of the change.
    pub(super) at: DateTime,
    /// Kind of change. ADDED: the user joined. CHANGED: the presence was renewed, and `expiresAt` moved. REMOVED: the
    /// presence ended.
    pub(super) action: ChangeAction,
    /// The presence after the change, or later.
    pub(super) presence: Presence,
}

/// A change of a session.
#[derive(SimpleObject)]
pub(super) struct ChatSessionChangedPayload {
    /// The position of the stream after this event: pass it as `after` to resume.
    pub(super) cursor: String,
    /// The time of the event.
    pub(super) at: DateTime,
    /// The action that moved the session on. Null if only its fields changed.
    pub(super) action: Option<ChatSessionAction>,
    /// The session, as it then stood or later.
    pub(super) chat_session: ChatSession,
}

/// A chat that came into, changed in or left a place.
#[derive(SimpleObject)]
pub(super) struct ChatChangedPayload {
    /// The position of the stream after this event: pass it as `after` to resume.
    pub(super) cursor: String,
    /// The time of the event.
    pub(super) at: DateTime,
    /// The change.
    pub(super) action: ChangeAction,
    /// The chat's id.
    pub(super) chat_id: ID,
    /// The chat; null once it can't be seen.
    pub(super) chat: Option<Chat>,
}

/// An event of a chat.
#[derive(SimpleObject)]
pub(super) struct ChatEventsPayload {
    /// Position of the stream after this event: pass it as `after` to resume from here. Null for `ChatGoneEvent`,
    /// which
    /// ends the stream.
    pub(super) cursor: Option<String>,
    /// The time of the event.
    pub(super) at: DateTime,
    /// The chat's id.
    pub(super) chat_id: ID,
    /// The chat, with its counters; null once it can't be seen.
    pub(super) chat: Option<Chat>,
    /// The event.
    pub(super) change: ChatEvent,
}

/// An event of a chat.
#[derive(Union)]
#[allow(clippy::large_enum_variant)]
pub(super) enum ChatEvent {
    Reset(ChatResetEvent),
    Gone(ChatGoneEvent),
    Changed(ChatChangedEvent),
    History(HistoryChangedEvent),
    MessageAdded(MessageAddedEvent),
    MessageChanged(MessageChangedEvent),
    PresenceAdded(PresenceAddedEvent),
    PresenceChanged(PresenceChangedEvent),
    PresenceEnded(PresenceEndedEvent),
    ParticipationAdded(ParticipationAddedEvent),
    ParticipationChanged(ParticipationChangedEvent),
    ParticipationEnded(ParticipationEndedEvent),
    SessionAdded(ChatSessionAddedEvent),
    SessionChanged(ChatSessionChangedEvent),
    Typing(TypingChangedEvent),
}

/// Fetch the chat afresh; the stream goes on from here.
#[derive(SimpleObject)]
pub(super) struct ChatResetEvent {
    /// The reason.
    reason: ResetReason,
    /// The chat.
    chat: Chat,
}

/// The viewer can no longer see the chat; a stream of this chat alone ends.
#[derive(SimpleObject)]
pub(super) struct ChatGoneEvent {
    /// The chat's id.
    removed_chat_id: ID,
}

/// The chat's own fields changed: name, detail, privacy, end.
#[derive(SimpleObject)]
pub(super) struct ChatChangedEvent {
    /// The chat.
    chat: Chat,
}

/// Messages up to here were archived or restored: fetch again what is shown of them. `Chat.messages` and what is
/// unread may have changed.
#[derive(SimpleObject)]
pub(super) struct HistoryChangedEvent {
    /// The sequence of the newest message that was archived or restored.
    through_sequence: i32,
}

/// A message was added.
#[derive(SimpleObject)]
pub(super) struct MessageAddedEvent {
    /// The message with its cursor in `Chat.messages`.
    message_edge: MessageEdge,
}

/// A message was edited, deleted (see its `editedAt` and `deletedAt`) or reacted to.
#[derive(SimpleObject)]
pub(super) struct MessageChangedEvent {
    /// The message, as it then stood or later.
    message: Message,
}

/// A user joined.
#[derive(SimpleObject)]
pub(super) struct PresenceAddedEvent {
    /// The presence.
    presence: Presence,
}

/// A presence was renewed: its `expiresAt` moved. Sent at most once per presence in a quarter of the presence TTL (15
/// seconds by default); renewals in between are not sent. Not stored, so a resumed stream does not replay it.
#[derive(SimpleObject)]
pub(super) struct PresenceChangedEvent {
    /// The renewed presence.
    presence: Presence,
}

/// A user left, or was not heard from.
#[derive(SimpleObject)]
pub(super) struct PresenceEndedEvent {
    /// The presence.
    presence: Presence,
    /// Its id.
    ended_presence_id: ID,
}

/// An actor takes part from now on.
#[derive(SimpleObject)]
pub(super) struct ParticipationAddedEvent {
    /// The participation.
    participation: Participation,
}

/// A participation changed, as when its actor has read, or changed their own view of the chat. Both are told as
/// signals, without a place in the
/// log; after a reconnect they are told again.
#[derive(SimpleObject)]
pub(super) struct ParticipationChangedEvent {
    /// The participation.
    participation: Participation,
}

/// An actor takes part no longer.
#[derive(SimpleObject)]
pub(super) struct ParticipationEndedEvent {
    /// The participation.
    participation: Participation,
    /// Its id.
    ended_participation_id: ID,
}

/// A session was created.
#[derive(SimpleObject)]
pub(super) struct ChatSessionAddedEvent {
    /// The session.
    chat_session: ChatSession,
}

/// A session changed.
#[derive(SimpleObject)]
pub(super) struct ChatSessionChangedEvent {
    /// The session, as it then stood or later.
    chat_session: ChatSession,
    /// The action that moved the session on. Null if only its fields changed.
    action: Option<ChatSessionAction>,
}

/// The typing actors changed. A signal: it is not stored, and is not replayed.
#[derive(SimpleObject)]
pub(super) struct TypingChangedEvent {
    /// The chat; `typing` says who types.
    chat: Chat,
}

/// Something that concerns the viewer.
#[derive(SimpleObject)]
pub(super) struct ViewerEventsPayload {
    /// The position of the stream after this event: pass it as `after` to resume.
    pub(super) cursor: String,
    /// The time of the event.
    pub(super) at: DateTime,
    /// The viewer, with what is unread now.
    pub(super) viewer: Viewer,
    /// The event.
    pub(super) change: ViewerEvent,
}

/// An event that concerns the viewer.
#[derive(Union)]
#[allow(clippy::large_enum_variant)]
pub(super) enum ViewerEvent {
    Reset(ViewerResetEvent),
    ChatChanged(ChatChangedEvent),
    ChatGone(ChatGoneEvent),
    QueueChatAdded(QueueChatAddedEvent),
    QueueChatRemoved(QueueChatRemovedEvent),
    InboxChatAdded(InboxChatAddedEvent),
    InboxChatRemoved(InboxChatRemovedEvent),
    SessionAdded(ChatSessionAddedEvent),
    SessionChanged(ChatSessionChangedEvent),
}

/// Fetch everything afresh; the stream goes on from here.
#[derive(SimpleObject)]
pub(super) struct ViewerResetEvent {
    /// The reason.
    reason: ResetReason,
}

/// A chat waits for an answer in one of the rooms. Can be told again after a reconnect: apply by id.
#[derive(SimpleObject)]
pub(super) struct QueueChatAddedEvent {
    /// The chat.
    chat_edge: ChatEdge,
}

/// A chat no longer waits for an answer.
#[derive(SimpleObject)]
pub(super) struct QueueChatRemovedEvent {
    /// The chat's id.
    removed_chat_id: ID,
    /// The room.
    room: Option<Room>,
}

/// A chat came into the viewer's inbox. Can be told again after a reconnect: apply by id.
#[derive(SimpleObject)]
pub(super) struct InboxChatAddedEvent {
    /// The chat.
    chat_edge: ChatEdge,
}

/// A chat left the viewer's inbox.
#[derive(SimpleObject)]
pub(super) struct InboxChatRemovedEvent {
    /// The chat's id.
    removed_chat_id: ID,
}

pub(super) fn chat_event(item: ChatItem) -> Option<ChatEventsPayload> {
    let (cursor, at, chat_id, chat, change) = match item {
        ChatItem::Reset { cursor, at, reason, chat } => {
            let change = ChatEvent::Reset(ChatResetEvent {
                reason: reason.into(),
                chat: Chat::shared(Arc::clone(&chat)),
            });
            (Some(cursor), at, chat.id, Some(chat), change)
        }
        ChatItem::Gone { at, chat_id } => {
            let change = ChatEvent::Gone(gone(chat_id));
            (None, at, chat_id, None, change)
        }
        ChatItem::Entry { cursor, entry } => {
            let change = entry_change(entry.event.kind, &entry.subject, &entry.chat, &cursor)?;
            (Some(cursor), entry.event.created_at, entry.chat.id, Some(Arc::clone(&entry.chat)), change)
        }
        ChatItem::Signal { cursor, at, chat, signal } => {
            let change = match *signal {
                Signal::Participation(row) => ChatEvent::ParticipationChanged(ParticipationChangedEvent {
                    participation: Participation(row),
                }),
                Signal::Presence(row) => {
                    ChatEvent::PresenceChanged(PresenceChangedEvent { presence: Presence(row) })
                }
                Signal::Typing => {
                    ChatEvent::Typing(TypingChangedEvent { chat: Chat::shared(Arc::clone(&chat)) })
                }
            };
            (Some(cursor), at, chat.id, Some(chat), change)
        }
    };
    Some(ChatEventsPayload {
        cursor,
        at: DateTime(at),
        chat_id: Kind::Chat.encode(chat_id.0),
        chat: chat.map(Chat::shared),
        change,
    })
}

/// What an entry of the log says. A kind whose subject is of another type would be a bug; it says nothing.
fn entry_change(
    kind: EventKind,
    subject: &Subject,
    chat: &Arc<chat::Model>,
    cursor: &str,
) -> Option<ChatEvent> {
    let change = match (subject, kind) {
        (Subject::Chat, _) => ChatEvent::Changed(ChatChangedEvent { chat: Chat::shared(Arc::clone(chat)) }),
        (Subject::History(through), _) => {
            let through_sequence = i32::try_from(*through).ok()?;
            ChatEvent::History(HistoryChangedEvent { through_sequence })
        }
        (Subject::Message(row), EventKind::MessageChanged) => {
            ChatEvent::MessageChanged(MessageChangedEvent { message: Message(row.clone()) })
        }
        (Subject::Message(row), _) => {
            let message_edge = MessageEdge { cursor: cursor.to_owned(), node: Message(row.clone()) };
            ChatEvent::MessageAdded(MessageAddedEvent { message_edge })
        }
        (Subject::Presence(row), EventKind::PresenceAdded) => {
            ChatEvent::PresenceAdded(PresenceAddedEvent { presence: Presence(row.clone()) })
        }
        (Subject::Presence(row), EventKind::PresenceEnded) => ChatEvent::PresenceEnded(PresenceEndedEvent {
            presence: Presence(row.clone()),
            ended_presence_id: Kind::Presence.encode(row.id.0),
        }),
        (Subject::Participation(row), EventKind::ParticipationAdded) => {
            let participation = Participation(row.clone());
            ChatEvent::ParticipationAdded(ParticipationAddedEvent { participation })
        }
        (Subject::Participation(row), EventKind::ParticipationChanged) => {
            let participation = Participation(row.clone());
            ChatEvent::ParticipationChanged(ParticipationChangedEvent { participation })
        }
        (Subject::Participation(row), EventKind::ParticipationEnded) => {
            ChatEvent::ParticipationEnded(ParticipationEndedEvent {
                participation: Participation(row.clone()),
                ended_participation_id: Kind::Participation.encode(row.id.0),
            })
        }
        (Subject::Session(row), EventKind::SessionAdded) => {
            ChatEvent::SessionAdded(ChatSessionAddedEvent { chat_session: ChatSession(row.clone()) })
        }
        (Subject::Session(row), _) => {
            let action = crate::live::action_of(kind).map(Into::into);
            ChatEvent::SessionChanged(ChatSessionChangedEvent {
                chat_session: ChatSession(row.clone()),
                action,
            })
        }
        (Subject::Presence(_) | Subject::Participation(_), _) => return None,
    };
    Some(change)
}

pub(super) fn viewer_event(item: ViewerItem, rooms: &[Room]) -> ViewerEventsPayload {
    let ViewerItem { cursor, at, change } = item;
    let change = match change {
        ViewerChange::Reset(reason) => ViewerEvent::Reset(ViewerResetEvent { reason: reason.into() }),
        ViewerChange::ChatChanged(chat) => {
            ViewerEvent::ChatChanged(ChatChangedEvent { chat: Chat::shared(chat) })
        }
        ViewerChange::ChatGone(chat_id) => ViewerEvent::ChatGone(gone(chat_id)),
        ViewerChange::QueueChatAdded(chat) => {
            let since = chat.waiting_since.unwrap_or(chat.started_at);
            let list = chat.room_id.map_or_else(Place::usual_inbox, Place::queue);
            ViewerEvent::QueueChatAdded(QueueChatAddedEvent { chat_edge: chat_edge(chat, list, since) })
        }
        ViewerChange::QueueChatRemoved(chat_id, room_id) => {
            let room = rooms.iter().find(|room| room.0.id == room_id).cloned();
            let removed_chat_id = Kind::Chat.encode(chat_id.0);
            ViewerEvent::QueueChatRemoved(QueueChatRemovedEvent { removed_chat_id, room })
        }
        ViewerChange::InboxChatAdded(chat) => {
            let active_at = chat.active_at;
            ViewerEvent::InboxChatAdded(InboxChatAddedEvent {
                chat_edge: chat_edge(chat, Place::usual_inbox(), active_at),
            })
        }
        ViewerChange::InboxChatRemoved(chat_id) => {
            let removed_chat_id = Kind::Chat.encode(chat_id.0);
            ViewerEvent::InboxChatRemoved(InboxChatRemovedEvent { removed_chat_id })
        }
        ViewerChange::SessionAdded(row) => {
            ViewerEvent::SessionAdded(ChatSessionAddedEvent { chat_session: ChatSession(row) })
        }
        ViewerChange::SessionChanged(row, action) => {
            let action = action.map(Into::into);
            ViewerEvent::SessionChanged(ChatSessionChangedEvent { chat_session: ChatSession(row), action })
        }
    };
    ViewerEventsPayload { cursor, at: DateTime(at), viewer: Viewer, change }
}

fn gone(chat_id: ChatId) -> ChatGoneEvent {
    ChatGoneEvent { removed_chat_id: Kind::Chat.encode(chat_id.0) }
}

/// The chat with its cursor in the list that it came into: a queue by how long it waits, an inbox by its latest
/// message.
fn chat_edge(chat: Arc<chat::Model>, list: List, sorted_by: Timestamp) -> ChatEdge {
    let cursor = list.cursor(Key { value: sorted_by.0, id: chat.id.0 });
    ChatEdge { cursor, node: Chat::shared(chat) }
}
