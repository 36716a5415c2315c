//! Restores the archived messages of a chat.

use super::archive::{audience_between, lock, record};
use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, messages};
use entity::{ChatId, chat};
use std::sync::Arc;

impl Actions {
    pub async fn restore_messages(&self, viewer: &Viewer, chat_id: ChatId) -> Result<Arc<chat::Model>> {
        let permit = self.permit(viewer, Verb::ArchiveMessages)?;
        Ok(permit.write_to(chat_id, restore, chat_id).await?.with_chat()?.1)
    }
}

async fn restore(tx: &mut Tx, viewer: Viewer, chat_id: ChatId) -> Result<()> {
    lock(tx, &viewer, chat_id).await?;
    let through = tx.chat()?.archived_sequence;
    let found = messages::find_many(tx, viewer.organization_id, &[(chat_id, through)]).await?;
    let Some(last) = found.first() else { return Ok(()) };
    let audience = audience_between(tx, 0, through).await?;
    let chat = tx.chat_mut()?;
    (chat.archived_sequence, chat.archived_at) = (0, None);
    record(tx, (last.message.id, through), audience, viewer.actor_id)
}
