//! Deletes a chat for everybody. Its rows stay in the database for audits.

use super::ending::close;
use super::history::record_chat;
use super::write::lock_visible_chat;
use super::{Actions, Result};
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::Tx;
use entity::ChatId;
use futures_util::FutureExt;

impl Actions {
    /// Deletes a chat, which ends where it had not.
    pub async fn delete_chat(&self, viewer: &Viewer, chat_id: ChatId) -> Result<()> {
        policy::may(viewer.role, Verb::DeleteChat)?;
        let viewer = viewer.clone();
        self.write_to(chat_id, move |tx| delete(tx, viewer, chat_id).boxed()).await?;
        Ok(())
    }
}

async fn delete(tx: &mut Tx, viewer: Viewer, chat_id: ChatId) -> Result<()> {
    lock_visible_chat(tx, &viewer, chat_id).await?;
    if !policy::deletes_chat(&viewer, tx.chat()?) {
        let reason = "Only admins can delete this chat, or the owner if it is a GROUP chat.";
        return Err(Refused::Invalid { field: "chatId".into(), reason }.into());
    }
    if tx.chat()?.ended_at.is_none() {
        close(tx, &viewer).await?;
    }
    let now = tx.now();
    let chat = tx.chat_mut()?;
    (chat.deleted_at, chat.deleted_by) = (Some(now), Some(viewer.actor_id));
    // The pair may have another chat from now on.
    chat.pair_key = None;
    record_chat(tx, Some(viewer.actor_id))
}
