//! The items of live streams.

use crate::domain::event::{Entry, MessageRow, SessionRow, Signal};
use crate::domain::session_action::SessionAction;
use entity::{ActorId, ChatId, RoomId, Timestamp, chat, presence, room};
use std::sync::Arc;

/// The reason why a stream cannot start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// The object does not exist for the viewer.
    #[error("not found")]
    NotFound,
    /// The cursor is garbled, or belongs to another stream.
    #[error("the cursor is invalid")]
    CursorInvalid,
    /// The events after the cursor are no longer stored.
    #[error("the cursor is expired")]
    CursorExpired,
    /// The database is unavailable.
    #[error("unavailable")]
    Unavailable,
    /// A bug. The error is in the log.
    #[error("failed")]
    Failed,
}

impl From<crate::store::Error> for LiveError {
    fn from(error: crate::store::Error) -> Self {
        match error {
            crate::store::Error::Unavailable(cause) => {
                tracing::warn!(%cause, "could not start a stream");
                Self::Unavailable
            }
            crate::store::Error::Taken(cause) | crate::store::Error::Failed(cause) => {
                tracing::error!(%cause, "could not start a stream");
                Self::Failed
            }
        }
    }
}

/// The reason for a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetReason {
    /// The stream starts without a cursor.
    Initial,
    /// The stream cannot continue after the cursor.
    CursorExpired,
}

/// An item of `chatEvents`.
#[derive(Clone, Debug)]
pub enum ChatItem {
    /// The client must fetch the chat again. The stream continues from here.
    Reset { cursor: String, at: Timestamp, reason: ResetReason, chat: Arc<chat::Model> },
    /// The viewer can no longer see the chat. The stream ends.
    Gone { at: Timestamp, chat_id: ChatId },
    /// An entry of the log.
    Entry { cursor: String, entry: Arc<Entry> },
    /// A signal that is not in the log.
    Signal { cursor: String, at: Timestamp, chat: Arc<chat::Model>, signal: Box<Signal> },
}

/// The change of an item in the followed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeAction {
    /// The item entered the list.
    Added,
    /// The item changed.
    Changed,
    /// The item left the list.
    Removed,
}

/// The scope of the chats to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatScope {
    /// Chats of a room.
    Room(RoomId),
    /// Chats with a visitor.
    Visitor(ActorId),
    /// Chats in which an actor participates.
    User(ActorId),
    /// Chats in which a user is present.
    PresentUser(ActorId),
}

/// An item of `chatChanged`.
#[derive(Clone, Debug)]
pub struct ChatChange {
    pub cursor: String,
    pub at: Timestamp,
    pub action: ChangeAction,
    pub chat_id: ChatId,
    /// Absent if the viewer can no longer see it.
    pub chat: Option<Arc<chat::Model>>,
}

/// A change for a viewer.
#[derive(Clone, Debug)]
pub enum ViewerChange {
    /// The client must fetch everything again. The stream continues from here.
    Reset(ResetReason),
    /// A chat of the inbox or of a queue changed.
    ChatChanged(Arc<chat::Model>),
    /// The viewer can no longer see the chat.
    ChatGone(ChatId),
    /// A chat began to wait in a room.
    QueueChatAdded(Arc<chat::Model>),
    /// A chat stopped waiting in the room.
    QueueChatRemoved(ChatId, RoomId),
    /// A chat entered the inbox.
    InboxChatAdded(Arc<chat::Model>),
    /// A chat left the inbox.
    InboxChatRemoved(ChatId),
    /// A session was created.
    SessionAdded(SessionRow),
    /// A session changed. The action is given if it caused the change.
    SessionChanged(SessionRow, Option<SessionAction>),
}

/// An item of `viewerEvents`.
#[derive(Clone, Debug)]
pub struct ViewerItem {
    pub cursor: String,
    pub at: Timestamp,
    pub change: ViewerChange,
}

/// An item of `messageAdded`.
#[derive(Clone, Debug)]
pub struct MessageItem {
    pub cursor: String,
    pub message: MessageRow,
}

/// An item of `roomChanged`.
#[derive(Clone, Debug)]
pub struct RoomItem {
    pub at: Timestamp,
    pub room: room::Model,
}

/// An item of `presenceChanged`.
#[derive(Clone, Debug)]
pub struct PresenceItem {
    pub cursor: String,
    pub at: Timestamp,
    pub action: ChangeAction,
    pub presence: presence::Model,
}

/// An item of `chatSessionChanged`.
#[derive(Clone, Debug)]
pub struct SessionItem {
    pub cursor: String,
    pub at: Timestamp,
    pub action: Option<SessionAction>,
    pub session: SessionRow,
}
