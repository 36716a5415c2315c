//! Chats: start, create, change and end them.

use super::{Actions, Result};
use crate::domain::event::MessageRow;
use crate::domain::viewer::Viewer;
use entity::{ActorId, ChatId, ChatType, RoomId, chat};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct StartChat {
    pub room_id: RoomId,
    /// The visitor; a visitor's own token names none.
    pub visitor_id: Option<ActorId>,
    pub is_private: bool,
    /// The text of a first message.
    pub message: Option<String>,
    pub request_id: Option<String>,
}

pub struct StartedChat {
    pub chat: Arc<chat::Model>,
    pub message: Option<MessageRow>,
}

#[derive(Clone, Debug)]
pub struct CreateChat {
    /// DIRECT or GROUP.
    pub chat_type: ChatType,
    /// The caller is added where missing.
    pub participant_ids: Vec<ActorId>,
    pub owner_id: Option<ActorId>,
    pub name: Option<String>,
    pub detail: Option<String>,
    pub request_id: Option<String>,
}

pub struct CreatedChat {
    pub chat: Arc<chat::Model>,
    pub is_existing: bool,
}

#[derive(Clone, Debug)]
pub struct UpdateChat {
    pub chat_id: ChatId,
    /// `None` leaves it, `Some(None)` takes it away.
    pub name: Option<Option<String>>,
    pub detail: Option<Option<String>>,
    pub is_private: Option<bool>,
}

impl Actions {
    pub async fn start_chat(&self, _viewer: &Viewer, _input: StartChat) -> Result<StartedChat> {
        todo!()
    }
    pub async fn create_chat(&self, _viewer: &Viewer, _input: CreateChat) -> Result<CreatedChat> {
        todo!()
    }
    pub async fn update_chat(&self, _viewer: &Viewer, _input: UpdateChat) -> Result<Arc<chat::Model>> {
        todo!()
    }
    pub async fn end_chat(&self, _viewer: &Viewer, _chat_id: ChatId) -> Result<Arc<chat::Model>> {
        todo!()
    }
}
