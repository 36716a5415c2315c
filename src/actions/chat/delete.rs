//! Deletes a chat for everybody. Its rows stay in the database for audits.

use super::end::close;
use crate::actions::history::record_chat;
use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::Tx;
use entity::ChatId;

impl Actions {
    /// Deletes a chat, and ends it first if it is open.
    pub async fn delete_chat(&self, viewer: &Viewer, chat_id: ChatId) -> Result<()> {
        let permit = self.permit(viewer, Verb::DeleteChat)?;
        permit.write_to(chat_id, delete, chat_id).await?;
        Ok(())
    }
}

async fn delete(tx: &mut Tx, viewer: Viewer, chat_id: ChatId) -> Result<()> {
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    if !place.access.deletes() {
        let reason = "Only an admin, or the owner of a GROUP chat, can delete it.";
        return Err(Refused::Invalid { field: "chatId".into(), reason }.into());
    }
    if tx.chat()?.ended_at.is_none() {
        close(tx, &viewer).await?;
    }
    let now = tx.now();
    let chat = tx.chat_mut()?;
    (chat.deleted_at, chat.deleted_by) = (Some(now), Some(viewer.actor_id));
    // Frees the pair's key, so that the two can have another DIRECT chat.
    chat.pair_key = None;
    record_chat(tx, Some(viewer.actor_id))
}
