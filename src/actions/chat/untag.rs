//! Removes tags from chats.

use super::tag::{checked, lock};
use crate::actions::history::record_chat_among_staff;
use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, tags};
use entity::{ChatId, chat};
use std::sync::Arc;

impl Actions {
    /// Removes tags from a chat. Tags it does not have are ignored.
    pub async fn untag_chat(
        &self,
        viewer: &Viewer,
        chat_id: ChatId,
        tags: Vec<String>,
    ) -> Result<Arc<chat::Model>> {
        let permit = self.permit(viewer, Verb::TagChat)?;
        Ok(permit.write_to(chat_id, untag, (chat_id, tags)).await?.with_chat()?.1)
    }
}

async fn untag(tx: &mut Tx, viewer: Viewer, (chat_id, tags): (ChatId, Vec<String>)) -> Result<()> {
    let tags = checked(tags)?;
    lock(tx, &viewer, chat_id).await?;
    let chat = tx.chat_mut()?;
    let before = chat.tags.0.len();
    chat.tags.0.retain(|tag| !tags.contains(tag));
    if chat.tags.0.len() == before {
        return Ok(());
    }
    tags::delete(tx, &tags).await?;
    record_chat_among_staff(tx, Some(viewer.actor_id))
}
