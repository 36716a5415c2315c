//! The payloads of subscriptions, and their conversion from live events.

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
use crate::domain::change::{MessageChange, ParticipationChange, PresenceChange, SessionChange};
use crate::domain::event::{Change, Signal};
use crate::domain::page::Key;
use crate::live::{ChatItem, ViewerChange, ViewerItem};
use async_graphql::{ID, SimpleObject, Union};
use entity::{ChatId, Timestamp, chat, participation, presence};
use std::sync::Arc;

/// A room after a change.
#[derive(SimpleObject)]
pub(super) struct RoomChangedPayload {
    /// The time at which the server noticed the change.
    pub(super) at: DateTime,
    /// The room in its current state.
    pub(super) room: Room,
}

/// A change of a user's presence in a chat.
#[derive(SimpleObject)]
pub(super) struct PresenceChangedPayload {
    /// The position of the stream after this change. Pass it as `after` to resume.
    pub(super) cursor: String,
    /// The time of the change.
    pub(super) at: DateTime,
    /// The kind of the change. ADDED: the user joined. CHANGED: the presence was renewed, and `expiresAt`
    /// moved. REMOVED: the presence ended.
    pub(super) action: ChangeAction,
    /// The presence after the change. It can already include later changes.
    pub(super) presence: Presence,
}

/// A change of a chat session.
#[derive(SimpleObject)]
pub(super) struct ChatSessionChangedPayload {
    /// The position of the stream after this event. Pass it as `after` to resume.
    pub(super) cursor: String,
    /// The time of the event.
    pub(super) at: DateTime,
    /// The action that changed the state. Null if only other fields changed.
    pub(super) action: Option<ChatSessionAction>,
    /// The session after the change. It can already include later changes.
    pub(super) chat_session: ChatSession,
}

/// A chat that entered, changed in, or left the followed list.
#[derive(SimpleObject)]
pub(super) struct ChatChangedPayload {
    /// The position of the stream after this event. Pass it as `after` to resume.
    pub(super) cursor: String,
    /// The time of the event.
    pub(super) at: DateTime,
    /// The kind of the change.
    pub(super) action: ChangeAction,
    /// The id of the chat.
    pub(super) chat_id: ID,
    /// The chat. Null if the viewer can no longer see it.
    pub(super) chat: Option<Chat>,
}

/// An event in a chat, with its cursor.
#[derive(SimpleObject)]
pub(super) struct ChatEventsPayload {
    /// The position of the stream after this event. Pass it as `after` to resume. Null for `ChatGoneEvent`,
    /// which ends the stream.
    pub(super) cursor: Option<String>,
    /// The time of the event.
    pub(super) at: DateTime,
    /// The id of the chat.
    pub(super) chat_id: ID,
    /// The chat with its current counters. Null if the viewer can no longer see it.
    pub(super) chat: Option<Chat>,
    /// The event that happened in the chat.
    pub(super) change: ChatEvent,
}

/// An event that happened in a chat.
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
    Room(RoomChangedEvent),
}

/// The subscription started without `after`, or cannot resume from it. Fetch the chat again; live events
/// continue from here.
#[derive(SimpleObject)]
pub(super) struct ChatResetEvent {
    /// The reason for the reset.
    reason: ResetReason,
    /// The chat in its current state.
    chat: Chat,
}

/// The viewer can no longer see the chat. `chatEvents` ends after this event.
#[derive(SimpleObject)]
pub(super) struct ChatGoneEvent {
    /// The id of the chat.
    removed_chat_id: ID,
}

/// The chat's own fields changed: its name, description, privacy, tags, owner or end time.
#[derive(SimpleObject)]
pub(super) struct ChatChangedEvent {
    /// The chat in its current state.
    chat: Chat,
}

/// Messages were archived or restored. Fetch the visible messages and the unread counts again.
#[derive(SimpleObject)]
pub(super) struct HistoryChangedEvent {
    /// The sequence of the newest message that was archived or restored.
    through_sequence: i32,
}

/// A message was added to the chat.
#[derive(SimpleObject)]
pub(super) struct MessageAddedEvent {
    /// The message with its cursor in `Chat.messages`.
    message_edge: MessageEdge,
}

/// A message was edited, deleted or reacted to. Compare its `editedAt` and `deletedAt`.
#[derive(SimpleObject)]
pub(super) struct MessageChangedEvent {
    /// The message after the change. It can already include later changes.
    message: Message,
}

/// A user joined the chat.
#[derive(SimpleObject)]
pub(super) struct PresenceAddedEvent {
    /// The user's new presence.
    presence: Presence,
}

/// A presence was renewed, so its `expiresAt` moved. Sent at most once per presence in a quarter of the
/// presence TTL (15 seconds by default). It is not stored, so a resumed subscription does not replay it.
#[derive(SimpleObject)]
pub(super) struct PresenceChangedEvent {
    /// The presence with its new `expiresAt`.
    presence: Presence,
}

/// A user left the chat, or their presence expired.
#[derive(SimpleObject)]
pub(super) struct PresenceEndedEvent {
    /// The presence that has ended.
    presence: Presence,
    /// The id of the presence.
    ended_presence_id: ID,
}

/// An actor became a participant of the chat.
#[derive(SimpleObject)]
pub(super) struct ParticipationAddedEvent {
    /// The actor's participation in the chat.
    participation: Participation,
}

/// A participation changed: its actor has read messages, or changed their own settings for the chat. It is not
/// stored. After a reconnect, the current state can be sent again.
#[derive(SimpleObject)]
pub(super) struct ParticipationChangedEvent {
    /// The participation in its current state.
    participation: Participation,
}

/// An actor is no longer a participant of the chat.
#[derive(SimpleObject)]
pub(super) struct ParticipationEndedEvent {
    /// The participation that has ended.
    participation: Participation,
    /// The id of the participation.
    ended_participation_id: ID,
}

/// A chat session was created.
#[derive(SimpleObject)]
pub(super) struct ChatSessionAddedEvent {
    /// The new chat session.
    chat_session: ChatSession,
}

/// A chat session changed its state or other fields.
#[derive(SimpleObject)]
pub(super) struct ChatSessionChangedEvent {
    /// The session after the change. It can already include later changes.
    chat_session: ChatSession,
    /// The action that changed the state. Null if only other fields changed.
    action: Option<ChatSessionAction>,
}

/// An actor started or stopped typing. It is not stored, so a resumed subscription does not replay it.
#[derive(SimpleObject)]
pub(super) struct TypingChangedEvent {
    /// The chat, whose `typing` lists the actors who are typing.
    chat: Chat,
}

/// The chat's room became staffed or unstaffed: `isStaffed` changed. Sent while the visitor has `chatEvents` open, within
/// 5 seconds of the change. It is not stored, so a resumed subscription does not replay it.
#[derive(SimpleObject)]
pub(super) struct RoomChangedEvent {
    /// The room in its current state.
    room: Room,
}

/// An event across the viewer's chats, with its cursor.
#[derive(SimpleObject)]
pub(super) struct ViewerEventsPayload {
    /// The position of the stream after this event. Pass it as `after` to resume.
    pub(super) cursor: String,
    /// The time of the event.
    pub(super) at: DateTime,
    /// The viewer with the current `unreadCount`.
    pub(super) viewer: Viewer,
    /// The event that happened across the viewer's chats.
    pub(super) change: ViewerEvent,
}

/// An event across the viewer's chats.
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

/// The subscription started without `after`, or cannot resume from it. Fetch all data again; live events
/// continue from here.
#[derive(SimpleObject)]
pub(super) struct ViewerResetEvent {
    /// The reason for the reset.
    reason: ResetReason,
}

/// A chat in one of the rooms now waits for an answer. It can be sent again after a reconnect, so update
/// chats by id.
#[derive(SimpleObject)]
pub(super) struct QueueChatAddedEvent {
    /// The chat with its cursor in the queue.
    chat_edge: ChatEdge,
}

/// A chat in one of the rooms no longer waits for an answer.
#[derive(SimpleObject)]
pub(super) struct QueueChatRemovedEvent {
    /// The id of the chat.
    removed_chat_id: ID,
    /// The room that the chat waited in.
    room: Option<Room>,
}

/// A chat entered the viewer's inbox. It can be sent again after a reconnect, so update chats by id.
#[derive(SimpleObject)]
pub(super) struct InboxChatAddedEvent {
    /// The chat with its cursor in the inbox.
    chat_edge: ChatEdge,
}

/// A chat left the viewer's inbox.
#[derive(SimpleObject)]
pub(super) struct InboxChatRemovedEvent {
    /// The id of the chat.
    removed_chat_id: ID,
}

pub(super) fn chat_event(item: ChatItem) -> ChatEventsPayload {
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
            let change = entry_change(&entry.event.change, &entry.chat, &cursor);
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
                Signal::Room(row) => ChatEvent::Room(RoomChangedEvent { room: Room(row) }),
                Signal::Typing => {
                    ChatEvent::Typing(TypingChangedEvent { chat: Chat::shared(Arc::clone(&chat)) })
                }
            };
            (Some(cursor), at, chat.id, Some(chat), change)
        }
    };
    ChatEventsPayload {
        cursor,
        at: DateTime(at),
        chat_id: Kind::Chat.encode(chat_id.0),
        chat: chat.map(Chat::shared),
        change,
    }
}

/// The event that an entry of the log becomes.
fn entry_change(change: &Change, chat: &Arc<chat::Model>, cursor: &str) -> ChatEvent {
    match change {
        Change::Chat => ChatEvent::Changed(ChatChangedEvent { chat: Chat::shared(Arc::clone(chat)) }),
        Change::History { newest_id: _, through } => {
            let through_sequence = i32::try_from(*through).unwrap_or(i32::MAX);
            ChatEvent::History(HistoryChangedEvent { through_sequence })
        }
        Change::Message(change, row) => message_event(*change, Message(row.clone()), cursor),
        Change::Presence(change, row) => presence_event(*change, row),
        Change::Participation(change, row) => participation_event(*change, row),
        Change::Session(change, row) => session_event(*change, ChatSession(row.clone())),
    }
}

fn message_event(change: MessageChange, message: Message, cursor: &str) -> ChatEvent {
    match change {
        MessageChange::Added => {
            let message_edge = MessageEdge { cursor: cursor.to_owned(), node: message };
            ChatEvent::MessageAdded(MessageAddedEvent { message_edge })
        }
        MessageChange::Changed => ChatEvent::MessageChanged(MessageChangedEvent { message }),
    }
}

fn presence_event(change: PresenceChange, row: &presence::Model) -> ChatEvent {
    let presence = Presence(row.clone());
    match change {
        PresenceChange::Added => ChatEvent::PresenceAdded(PresenceAddedEvent { presence }),
        PresenceChange::Ended => {
            let ended_presence_id = Kind::Presence.encode(row.id.0);
            ChatEvent::PresenceEnded(PresenceEndedEvent { presence, ended_presence_id })
        }
    }
}

fn participation_event(change: ParticipationChange, row: &participation::Model) -> ChatEvent {
    let participation = Participation(row.clone());
    match change {
        ParticipationChange::Added => {
            ChatEvent::ParticipationAdded(ParticipationAddedEvent { participation })
        }
        ParticipationChange::Changed => {
            ChatEvent::ParticipationChanged(ParticipationChangedEvent { participation })
        }
        ParticipationChange::Ended => {
            let ended_participation_id = Kind::Participation.encode(row.id.0);
            ChatEvent::ParticipationEnded(ParticipationEndedEvent { participation, ended_participation_id })
        }
    }
}

fn session_event(change: SessionChange, chat_session: ChatSession) -> ChatEvent {
    match change {
        SessionChange::Added => ChatEvent::SessionAdded(ChatSessionAddedEvent { chat_session }),
        SessionChange::Changed | SessionChange::Moved(_) => {
            let action = change.action().map(Into::into);
            ChatEvent::SessionChanged(ChatSessionChangedEvent { chat_session, action })
        }
    }
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

/// The chat with its cursor in the list that it entered. A queue is sorted by waiting time, an inbox by the
/// latest message.
fn chat_edge(chat: Arc<chat::Model>, list: List, sorted_by: Timestamp) -> ChatEdge {
    let cursor = list.cursor(Key { value: sorted_by.0, id: chat.id.0 });
    ChatEdge { cursor, node: Chat::shared(chat) }
}
