//! What the events of subscriptions carry, and how what was told live becomes one.

use super::super::chat::{Chat, ChatEdge, Place};
use super::super::connection::List;
use super::super::enums::{ChangeAction, ChatSessionDirective, ResetReason};
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

/// Users joining and leaving a chat.
#[derive(SimpleObject)]
pub(super) struct PresenceChange {
    /// Where the stream stands with this: pass it as `after` to go on from here.
    pub(super) cursor: String,
    /// When it happened.
    pub(super) at: DateTime,
    /// ADDED: joined. REMOVED: left.
    pub(super) action: ChangeAction,
    /// The presence.
    pub(super) presence: Presence,
}

/// A change of a session.
#[derive(SimpleObject)]
pub(super) struct ChatSessionChange {
    /// Where the stream stands with this: pass it as `after` to go on from here.
    pub(super) cursor: String,
    /// When it happened.
    pub(super) at: DateTime,
    /// What moved it on; null where its own fields changed.
    pub(super) directive: Option<ChatSessionDirective>,
    /// The session, as it then stood or later.
    pub(super) session: ChatSession,
}

/// A chat that came into, changed in or left a place.
#[derive(SimpleObject)]
pub(super) struct ChatChange {
    /// Where the stream stands with this: pass it as `after` to go on from here.
    pub(super) cursor: String,
    /// When it happened.
    pub(super) at: DateTime,
    /// What became of it there.
    pub(super) action: ChangeAction,
    /// The chat's id.
    pub(super) chat_id: ID,
    /// The chat; null once it can't be seen.
    pub(super) chat: Option<Chat>,
}

/// One entry of a chat's log.
#[derive(SimpleObject)]
pub(super) struct ChatEvent {
    /// Where the stream stands with this: pass it as `after` to go on from here.
    pub(super) cursor: String,
    /// When it happened.
    pub(super) at: DateTime,
    /// The chat's id.
    pub(super) chat_id: ID,
    /// The chat, with its counters; null once it can't be seen.
    pub(super) chat: Option<Chat>,
    /// What happened.
    pub(super) change: ChatEventChange,
}

/// What can happen in a chat.
#[derive(Union)]
#[allow(clippy::large_enum_variant)]
pub(super) enum ChatEventChange {
    Reset(ChatReset),
    Gone(ChatGone),
    Changed(ChatChanged),
    History(HistoryChanged),
    MessageAdded(MessageAdded),
    MessageChanged(MessageChanged),
    PresenceAdded(PresenceAdded),
    PresenceChanged(PresenceChanged),
    PresenceEnded(PresenceEnded),
    ParticipationAdded(ParticipationAdded),
    ParticipationChanged(ParticipationChanged),
    ParticipationEnded(ParticipationEnded),
    SessionAdded(ChatSessionAdded),
    SessionChanged(ChatSessionChanged),
    Typing(TypingChanged),
}

/// Fetch the chat afresh; the stream goes on from here.
#[derive(SimpleObject)]
pub(super) struct ChatReset {
    /// Why.
    reason: ResetReason,
    /// The chat.
    chat: Chat,
}

/// The viewer can no longer see the chat; a stream of this chat alone ends.
#[derive(SimpleObject)]
pub(super) struct ChatGone {
    /// The chat's id.
    removed_chat_id: ID,
}

/// The chat's own fields changed: name, detail, privacy, end.
#[derive(SimpleObject)]
pub(super) struct ChatChanged {
    /// The chat.
    chat: Chat,
}

/// Messages up to here were archived or restored: fetch again what is shown of them. `Chat.messages` and what is
/// unread may have changed.
#[derive(SimpleObject)]
pub(super) struct HistoryChanged {
    /// The sequence of the newest message that was archived or restored.
    through_sequence: i32,
}

/// A message was added.
#[derive(SimpleObject)]
pub(super) struct MessageAdded {
    /// The message with its cursor in `Chat.messages`.
    message_edge: MessageEdge,
}

/// A message was edited, deleted (see its `editedAt` and `deletedAt`) or reacted to.
#[derive(SimpleObject)]
pub(super) struct MessageChanged {
    /// The message, as it then stood or later.
    message: Message,
}

/// A user joined.
#[derive(SimpleObject)]
pub(super) struct PresenceAdded {
    /// The presence.
    presence: Presence,
}

/// A presence was renewed. A signal: it has no place in the log.
#[derive(SimpleObject)]
pub(super) struct PresenceChanged {
    /// The presence.
    presence: Presence,
}

/// A user left, or was not heard from.
#[derive(SimpleObject)]
pub(super) struct PresenceEnded {
    /// The presence.
    presence: Presence,
    /// Its id.
    ended_presence_id: ID,
}

/// An actor takes part from now on.
#[derive(SimpleObject)]
pub(super) struct ParticipationAdded {
    /// The participation.
    participation: Participation,
}

/// A participation changed, as when its actor has read, or changed their own view of the chat. Both are told as signals, without a place in the
/// log; after a reconnect they are told again.
#[derive(SimpleObject)]
pub(super) struct ParticipationChanged {
    /// The participation.
    participation: Participation,
}

/// An actor takes part no longer.
#[derive(SimpleObject)]
pub(super) struct ParticipationEnded {
    /// The participation.
    participation: Participation,
    /// Its id.
    ended_participation_id: ID,
}

/// A session was created.
#[derive(SimpleObject)]
pub(super) struct ChatSessionAdded {
    /// The session.
    session: ChatSession,
}

/// A session changed.
#[derive(SimpleObject)]
pub(super) struct ChatSessionChanged {
    /// The session, as it then stood or later.
    session: ChatSession,
    /// What moved it on; null where its own fields changed.
    directive: Option<ChatSessionDirective>,
}

/// Who types changed. A signal: never stored, never told again.
#[derive(SimpleObject)]
pub(super) struct TypingChanged {
    /// The chat; `typing` says who types.
    chat: Chat,
}

/// Something that concerns the viewer.
#[derive(SimpleObject)]
pub(super) struct ViewerEvent {
    /// Where the stream stands with this: pass it as `after` to go on from here.
    pub(super) cursor: String,
    /// When it happened.
    pub(super) at: DateTime,
    /// The viewer, with what is unread now.
    pub(super) viewer: Viewer,
    /// What happened.
    pub(super) change: ViewerEventChange,
}

/// What can concern a viewer.
#[derive(Union)]
#[allow(clippy::large_enum_variant)]
pub(super) enum ViewerEventChange {
    Reset(ViewerReset),
    ChatChanged(ChatChanged),
    ChatGone(ChatGone),
    QueueChatAdded(QueueChatAdded),
    QueueChatRemoved(QueueChatRemoved),
    InboxChatAdded(InboxChatAdded),
    InboxChatRemoved(InboxChatRemoved),
    SessionAdded(ChatSessionAdded),
    SessionChanged(ChatSessionChanged),
}

/// Fetch everything afresh; the stream goes on from here.
#[derive(SimpleObject)]
pub(super) struct ViewerReset {
    /// Why.
    reason: ResetReason,
}

/// A chat waits for an answer in one of the rooms. Can be told again after a reconnect: apply by id.
#[derive(SimpleObject)]
pub(super) struct QueueChatAdded {
    /// The chat.
    chat_edge: ChatEdge,
}

/// A chat no longer waits for an answer.
#[derive(SimpleObject)]
pub(super) struct QueueChatRemoved {
    /// The chat's id.
    removed_chat_id: ID,
    /// The room.
    room: Option<Room>,
}

/// A chat came into the viewer's inbox. Can be told again after a reconnect: apply by id.
#[derive(SimpleObject)]
pub(super) struct InboxChatAdded {
    /// The chat.
    chat_edge: ChatEdge,
}

/// A chat left the viewer's inbox.
#[derive(SimpleObject)]
pub(super) struct InboxChatRemoved {
    /// The chat's id.
    removed_chat_id: ID,
}

pub(super) fn chat_event(item: ChatItem) -> Option<ChatEvent> {
    let (cursor, at, chat_id, chat, change) = match item {
        ChatItem::Reset { cursor, at, reason, chat } => {
            let change = ChatEventChange::Reset(ChatReset {
                reason: reason.into(),
                chat: Chat::shared(Arc::clone(&chat)),
            });
            (cursor, at, chat.id, Some(chat), change)
        }
        ChatItem::Gone { at, chat_id } => {
            let change = ChatEventChange::Gone(gone(chat_id));
            (String::new(), at, chat_id, None, change)
        }
        ChatItem::Entry { cursor, entry } => {
            let change = entry_change(entry.event.kind, &entry.subject, &entry.chat, &cursor)?;
            (cursor, entry.event.created_at, entry.chat.id, Some(Arc::clone(&entry.chat)), change)
        }
        ChatItem::Signal { cursor, at, chat, signal } => {
            let change = match *signal {
                Signal::Participation(row) => ChatEventChange::ParticipationChanged(ParticipationChanged {
                    participation: Participation(row),
                }),
                Signal::Presence(row) => {
                    ChatEventChange::PresenceChanged(PresenceChanged { presence: Presence(row) })
                }
                Signal::Typing => {
                    ChatEventChange::Typing(TypingChanged { chat: Chat::shared(Arc::clone(&chat)) })
                }
            };
            (cursor, at, chat.id, Some(chat), change)
        }
    };
    Some(ChatEvent {
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
) -> Option<ChatEventChange> {
    let change = match (subject, kind) {
        (Subject::Chat, _) => ChatEventChange::Changed(ChatChanged { chat: Chat::shared(Arc::clone(chat)) }),
        (Subject::History(through), _) => {
            let through_sequence = i32::try_from(*through).ok()?;
            ChatEventChange::History(HistoryChanged { through_sequence })
        }
        (Subject::Message(row), EventKind::MessageChanged) => {
            ChatEventChange::MessageChanged(MessageChanged { message: Message(row.clone()) })
        }
        (Subject::Message(row), _) => {
            let message_edge = MessageEdge { cursor: cursor.to_owned(), node: Message(row.clone()) };
            ChatEventChange::MessageAdded(MessageAdded { message_edge })
        }
        (Subject::Presence(row), EventKind::PresenceAdded) => {
            ChatEventChange::PresenceAdded(PresenceAdded { presence: Presence(row.clone()) })
        }
        (Subject::Presence(row), EventKind::PresenceEnded) => ChatEventChange::PresenceEnded(PresenceEnded {
            presence: Presence(row.clone()),
            ended_presence_id: Kind::Presence.encode(row.id.0),
        }),
        (Subject::Participation(row), EventKind::ParticipationAdded) => {
            let participation = Participation(row.clone());
            ChatEventChange::ParticipationAdded(ParticipationAdded { participation })
        }
        (Subject::Participation(row), EventKind::ParticipationChanged) => {
            let participation = Participation(row.clone());
            ChatEventChange::ParticipationChanged(ParticipationChanged { participation })
        }
        (Subject::Participation(row), EventKind::ParticipationEnded) => {
            ChatEventChange::ParticipationEnded(ParticipationEnded {
                participation: Participation(row.clone()),
                ended_participation_id: Kind::Participation.encode(row.id.0),
            })
        }
        (Subject::Session(row), EventKind::SessionAdded) => {
            ChatEventChange::SessionAdded(ChatSessionAdded { session: ChatSession(row.clone()) })
        }
        (Subject::Session(row), _) => {
            let directive = crate::live::directive_of(kind).map(Into::into);
            ChatEventChange::SessionChanged(ChatSessionChanged {
                session: ChatSession(row.clone()),
                directive,
            })
        }
        (Subject::Presence(_) | Subject::Participation(_), _) => return None,
    };
    Some(change)
}

pub(super) fn viewer_event(item: ViewerItem, rooms: &[Room]) -> ViewerEvent {
    let ViewerItem { cursor, at, change } = item;
    let change = match change {
        ViewerChange::Reset(reason) => ViewerEventChange::Reset(ViewerReset { reason: reason.into() }),
        ViewerChange::ChatChanged(chat) => {
            ViewerEventChange::ChatChanged(ChatChanged { chat: Chat::shared(chat) })
        }
        ViewerChange::ChatGone(chat_id) => ViewerEventChange::ChatGone(gone(chat_id)),
        ViewerChange::QueueChatAdded(chat) => {
            let since = chat.waiting_since.unwrap_or(chat.started_at);
            let list = chat.room_id.map_or_else(Place::inbox, Place::queue);
            ViewerEventChange::QueueChatAdded(QueueChatAdded { chat_edge: chat_edge(chat, list, since) })
        }
        ViewerChange::QueueChatRemoved(chat_id, room_id) => {
            let room = rooms.iter().find(|room| room.0.id == room_id).cloned();
            let removed_chat_id = Kind::Chat.encode(chat_id.0);
            ViewerEventChange::QueueChatRemoved(QueueChatRemoved { removed_chat_id, room })
        }
        ViewerChange::InboxChatAdded(chat) => {
            let active_at = chat.active_at;
            ViewerEventChange::InboxChatAdded(InboxChatAdded {
                chat_edge: chat_edge(chat, Place::inbox(), active_at),
            })
        }
        ViewerChange::InboxChatRemoved(chat_id) => {
            let removed_chat_id = Kind::Chat.encode(chat_id.0);
            ViewerEventChange::InboxChatRemoved(InboxChatRemoved { removed_chat_id })
        }
        ViewerChange::SessionAdded(row) => {
            ViewerEventChange::SessionAdded(ChatSessionAdded { session: ChatSession(row) })
        }
        ViewerChange::SessionChanged(row, directive) => {
            let directive = directive.map(Into::into);
            ViewerEventChange::SessionChanged(ChatSessionChanged { session: ChatSession(row), directive })
        }
    };
    ViewerEvent { cursor, at: DateTime(at), viewer: Viewer, change }
}

fn gone(chat_id: ChatId) -> ChatGone {
    ChatGone { removed_chat_id: Kind::Chat.encode(chat_id.0) }
}

/// The chat with its cursor in the list that it came into: a queue by how long it waits, an inbox by its latest
/// message.
fn chat_edge(chat: Arc<chat::Model>, list: List, sorted_by: Timestamp) -> ChatEdge {
    let cursor = list.cursor(Key { value: sorted_by.0, id: chat.id.0 });
    ChatEdge { cursor, node: Chat::shared(chat) }
}
