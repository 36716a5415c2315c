//! The items of live streams.

use crate::domain::event::{Entry, MessageRow, SessionRow, Signal};
use crate::domain::session_action::SessionAction;
use entity::{ActorId, ChatId, RoomId, Timestamp, chat, presence};
use std::sync::Arc;

/// Why a stream cannot start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// What it is about is not there for the viewer.
    #[error("not found")]
    NotFound,
    /// The cursor is garbled, or of another stream.
    #[error("the cursor is invalid")]
    CursorInvalid,
    /// What came after the cursor is not kept any more.
    #[error("the cursor is expired")]
    CursorExpired,
    /// The database cannot serve now.
    #[error("unavailable")]
    Unavailable,
    /// A bug; it is in the log.
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

/// Why a stream starts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetReason {
    /// It starts without a cursor.
    Initial,
    /// What came after the cursor cannot be told.
    CursorExpired,
}

/// An item of `chatEvents`.
#[derive(Clone, Debug)]
pub enum ChatItem {
    /// Fetch the chat afresh; the stream goes on from here.
    Reset { cursor: String, at: Timestamp, reason: ResetReason, chat: Arc<chat::Model> },
    /// The viewer can see the chat no longer; the stream ends.
    Gone { at: Timestamp, chat_id: ChatId },
    /// An entry of the log.
    Entry { cursor: String, entry: Arc<Entry> },
    /// Something without a place in the log.
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

/// The place in which chats are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatScope {
    /// Chats of a room.
    Room(RoomId),
    /// Chats with a visitor.
    Visitor(ActorId),
    /// Chats that an actor takes part in.
    User(ActorId),
    /// Chats that a user is present in.
    PresentUser(ActorId),
}

/// An item of `chatChanged`.
#[derive(Clone, Debug)]
pub struct ChatChange {
    pub cursor: String,
    pub at: Timestamp,
    pub action: ChangeAction,
    pub chat_id: ChatId,
    /// Absent once the viewer cannot see it.
    pub chat: Option<Arc<chat::Model>>,
}

/// What changed for a viewer.
#[derive(Clone, Debug)]
pub enum ViewerChange {
    /// Fetch everything afresh; the stream goes on from here.
    Reset(ResetReason),
    /// A chat of the inbox or of a queue changed.
    ChatChanged(Arc<chat::Model>),
    /// The viewer can see the chat no longer.
    ChatGone(ChatId),
    /// A chat waits in a room.
    QueueChatAdded(Arc<chat::Model>),
    /// A chat waits no longer in the room.
    QueueChatRemoved(ChatId, RoomId),
    /// A chat came into the inbox.
    InboxChatAdded(Arc<chat::Model>),
    /// A chat left the inbox.
    InboxChatRemoved(ChatId),
    /// A session was made.
    SessionAdded(SessionRow),
    /// A session changed, by an action where one is given.
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
