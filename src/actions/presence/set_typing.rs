//! Sends typing indicators.

use crate::actions::{Actions, Error, Result};
use crate::domain::policy::{self, ChatAccess, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::participations;
use entity::{ChatId, chat};
use std::sync::Arc;

impl Actions {
    /// Shows the others that the viewer is typing, or has stopped. Nothing is stored.
    pub async fn set_typing(
        &self,
        viewer: &Viewer,
        chat_id: ChatId,
        is_typing: bool,
    ) -> Result<Arc<chat::Model>> {
        policy::may(viewer.role, Verb::ActInChat)?;
        let not_found = || Error::from(Refused::NotFound { what: "chat", field: "chatId".into() });
        let chat = self.chat(viewer, chat_id).await?.ok_or_else(not_found)?;
        let ties = participations::ties_of(&self.0.store, chat_id, viewer.actor_id).await?;
        if !ChatAccess::of(viewer, &chat, ties).acts() {
            return Err(Refused::NotParticipant.into());
        }
        if chat.ended_at.is_some() {
            return Err(Refused::ChatEnded.into());
        }
        self.0.live.set_typing(chat_id, viewer.actor_id, is_typing);
        Ok(Arc::new(chat))
    }
}
