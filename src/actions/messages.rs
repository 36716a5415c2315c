//! Messages: send them, and remember how far they were read.

use super::{Actions, Result};
use crate::domain::event::MessageRow;
use crate::domain::viewer::Viewer;
use entity::{ActorId, ChatId, chat, participation};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct SendMessage {
    pub chat_id: ChatId,
    pub text: String,
    /// In whose name; admins and API clients only.
    pub sender_id: Option<ActorId>,
    /// Makes sending again safe.
    pub external_id: Option<String>,
}

pub struct SentMessage {
    pub message: MessageRow,
    pub chat: Arc<chat::Model>,
}

#[derive(Clone, Debug)]
pub struct MarkRead {
    pub chat_id: ChatId,
    /// Everything, where absent.
    pub sequence: Option<i64>,
}

impl Actions {
    pub async fn send_message(&self, _viewer: &Viewer, _input: SendMessage) -> Result<SentMessage> {
        todo!()
    }
    pub async fn mark_read(&self, _viewer: &Viewer, _input: MarkRead) -> Result<participation::Model> {
        todo!()
    }
}
