//! How news travels. (Interface only; the implementation is on its way.)
#![allow(clippy::todo, clippy::unused_async, missing_docs)]

use crate::domain::chat_filter::ChatFilter;
use crate::domain::directive::Directive;
use crate::domain::event::{Entry, MessageRow, SessionRow, Signal};
use crate::domain::viewer::{Standing, Viewer};
use entity::{ActorId, ChatId, RoomId, SessionId, Timestamp, chat, presence};
use futures_util::stream::BoxStream;
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Clone)]
pub struct Live;
#[derive(Clone)]
pub struct Cursors;
#[derive(Debug)]
pub enum CursorError {
    Invalid,
    Expired,
}
impl Cursors {
    pub fn encode_chat(&self, _chat_id: ChatId, _sequence: i64) -> String {
        todo!()
    }
    pub fn decode_chat(&self, _chat_id: ChatId, _cursor: &str) -> Result<i64, CursorError> {
        todo!()
    }
}
#[derive(Debug)]
pub enum LiveError {
    NotFound,
    CursorInvalid,
    CursorExpired,
    Unavailable,
    Failed,
}
#[derive(Clone, Copy, Debug)]
pub enum ResetReason {
    Initial,
    CursorExpired,
}
pub enum ChatItem {
    Reset { cursor: String, at: Timestamp, reason: ResetReason, chat: Arc<chat::Model> },
    Gone { at: Timestamp, chat_id: ChatId },
    Entry { cursor: String, entry: Arc<Entry> },
    Signal { cursor: String, at: Timestamp, chat: Arc<chat::Model>, signal: Signal },
}
#[derive(Clone, Copy, Debug)]
pub enum ChangeAction {
    Added,
    Changed,
    Removed,
}
pub enum ChatScope {
    Room(RoomId),
    Visitor(ActorId),
    User(ActorId),
    PresentUser(ActorId),
}
pub struct ChatChange {
    pub cursor: String,
    pub at: Timestamp,
    pub action: ChangeAction,
    pub chat_id: ChatId,
    pub chat: Option<Arc<chat::Model>>,
}
pub enum ViewerChange {
    Reset(ResetReason),
    ChatChanged(Arc<chat::Model>),
    ChatGone(ChatId),
    QueueChatAdded(Arc<chat::Model>),
    QueueChatRemoved(ChatId, RoomId),
    InboxChatAdded(Arc<chat::Model>),
    InboxChatRemoved(ChatId),
    SessionAdded(SessionRow),
    SessionChanged(SessionRow, Option<Directive>),
}
pub struct ViewerItem {
    pub cursor: String,
    pub at: Timestamp,
    pub change: ViewerChange,
}
pub struct MessageItem {
    pub cursor: String,
    pub message: MessageRow,
}
pub struct PresenceItem {
    pub cursor: String,
    pub at: Timestamp,
    pub action: ChangeAction,
    pub presence: presence::Model,
}
pub struct SessionItem {
    pub cursor: String,
    pub at: Timestamp,
    pub directive: Option<Directive>,
    pub session: SessionRow,
}
impl Live {
    pub fn cursors(&self) -> &Cursors {
        todo!()
    }
    pub fn standing(&self, _viewer: &Viewer) -> watch::Receiver<Standing> {
        todo!()
    }
    pub async fn chat_events(
        &self,
        _viewer: &Viewer,
        _chat_id: ChatId,
        _after: Option<&str>,
    ) -> Result<BoxStream<'static, ChatItem>, LiveError> {
        todo!()
    }
    pub async fn messages(
        &self,
        _viewer: &Viewer,
        _chat_id: ChatId,
        _after: Option<&str>,
    ) -> Result<BoxStream<'static, MessageItem>, LiveError> {
        todo!()
    }
    pub async fn presence_changes(
        &self,
        _viewer: &Viewer,
        _chat_id: ChatId,
        _after: Option<&str>,
    ) -> Result<BoxStream<'static, PresenceItem>, LiveError> {
        todo!()
    }
    pub async fn session_changes(
        &self,
        _viewer: &Viewer,
        _session_id: SessionId,
        _after: Option<&str>,
    ) -> Result<BoxStream<'static, SessionItem>, LiveError> {
        todo!()
    }
    pub async fn viewer_events(
        &self,
        _viewer: &Viewer,
        _room_ids: Vec<RoomId>,
        _after: Option<&str>,
    ) -> Result<BoxStream<'static, ViewerItem>, LiveError> {
        todo!()
    }
    pub async fn chat_changes(
        &self,
        _viewer: &Viewer,
        _scope: ChatScope,
        _filter: ChatFilter,
        _after: Option<&str>,
    ) -> Result<BoxStream<'static, ChatChange>, LiveError> {
        todo!()
    }
    pub fn set_typing(&self, _chat_id: ChatId, _actor_id: ActorId, _is_typing: bool) {
        todo!()
    }
    pub fn typing(&self, _chat_id: ChatId) -> Vec<(ActorId, Timestamp)> {
        todo!()
    }
}
