//! Presence: users join and leave chats, and show that they are still there.

use super::{Actions, Result};
use crate::domain::viewer::Viewer;
use entity::{ChatId, chat, presence};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct JoinChat {
    pub chat_id: ChatId,
    pub is_exclusive: bool,
}

pub struct JoinedChat {
    pub chat: Arc<chat::Model>,
    pub presence: presence::Model,
}

pub struct LeftChat {
    pub chat: Arc<chat::Model>,
    /// The presence that ended; absent when there was none: leaving twice is no error.
    pub presence: Option<presence::Model>,
}

impl Actions {
    pub async fn join_chat(&self, _viewer: &Viewer, _input: JoinChat) -> Result<JoinedChat> {
        todo!()
    }
    pub async fn leave_chat(&self, _viewer: &Viewer, _chat_id: ChatId) -> Result<LeftChat> {
        todo!()
    }
    pub async fn keep_presence(&self, _viewer: &Viewer, _chat_id: ChatId) -> Result<presence::Model> {
        todo!()
    }
    pub async fn set_typing(&self, _viewer: &Viewer, _chat_id: ChatId, _is_typing: bool) -> Result<Arc<chat::Model>> {
        todo!()
    }
}
