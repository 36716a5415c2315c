//! Changes the fields of a chat.

use crate::actions::history::record_chat;
use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::Tx;
use entity::{ChatId, ChatType, chat};
use std::sync::Arc;

/// Changes to a chat's own fields.
#[derive(Clone, Debug)]
pub struct UpdateChat {
    /// The chat to change.
    pub chat_id: ChatId,
    /// `None` keeps the name, `Some(None)` removes it.
    pub name: Option<Option<String>>,
    /// `None` keeps the description, `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// Whether only participants and admins see the chat.
    pub is_private: Option<bool>,
}

impl Actions {
    pub async fn update_chat(&self, viewer: &Viewer, input: UpdateChat) -> Result<Arc<chat::Model>> {
        let permit = self.permit(viewer, Verb::UpdateChat)?;
        Ok(permit.write_to(input.chat_id, update, input).await?.with_chat()?.1)
    }
}

async fn update(tx: &mut Tx, viewer: Viewer, input: UpdateChat) -> Result<()> {
    let UpdateChat { chat_id, mut name, description, is_private } = input;
    if let Some(Some(name)) = &mut name {
        text::name("name", name)?;
    }
    if let Some(Some(description)) = &description {
        text::note("description", description, limits::DETAIL)?;
    }
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    if !place.access.changes() {
        return Err(match tx.chat()?.chat_type {
            ChatType::Visitor | ChatType::Direct => Refused::NotParticipant.into(),
            ChatType::Group => {
                let reason = "Only the owner or an admin can update a GROUP chat.";
                Refused::Invalid { field: "chatId".into(), reason }.into()
            }
        });
    }
    let chat = tx.chat_mut()?;
    if is_private == Some(true) && chat.chat_type != ChatType::Visitor {
        let reason = "`isPrivate` can be true only for VISITOR chats.";
        return Err(Refused::Invalid { field: "isPrivate".into(), reason }.into());
    }
    let before = chat.clone();
    if let Some(name) = name {
        chat.name = name;
    }
    if let Some(description) = description {
        chat.detail = description;
    }
    if let Some(is_private) = is_private {
        chat.is_private = is_private;
    }
    if *chat == before { Ok(()) } else { record_chat(tx, Some(viewer.actor_id)) }
}
