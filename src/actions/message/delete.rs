//! Deletes messages.

use super::lock::{Locked, change, lock_message};
use crate::actions::{Actions, Result};
use crate::domain::event::MessageRow;
use crate::domain::message::{Handled, MessageAction, digest};
use crate::domain::policy::Verb;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, attachments, messages, reactions, revisions};
use entity::MessageId;

impl Actions {
    /// Removes a message's content and leaves a tombstone. Idempotent.
    pub async fn delete_message(&self, viewer: &Viewer, message_id: MessageId) -> Result<MessageRow> {
        let permit = self.permit(viewer, Verb::DeleteMessage)?;
        Ok(permit.write_to(message_id, delete, message_id).await?.value)
    }
}

async fn delete(tx: &mut Tx, viewer: Viewer, message_id: MessageId) -> Result<MessageRow> {
    let Locked { mut row, access, window_minutes } = lock_message(tx, &viewer, message_id).await?;
    let (message, now) = (&row.message, tx.now());
    let handled = Handled { viewer: &viewer, chat: tx.chat()?, access, message, now, window_minutes };
    handled.takes(MessageAction::Delete)?;
    if message.deleted_at.is_some() {
        return Ok(row);
    }
    handled.may(MessageAction::Delete)?;
    let before = row.message.text.take();
    row.message.sent_digest.get_or_insert_with(|| digest(message_id, before.as_deref()));
    row.message.deleted_at = Some(now);
    revisions::forget(tx, message_id).await?;
    attachments::remove_of_message(tx, message_id, now).await?;
    reactions::forget(tx, message_id).await?;
    let chat = tx.chat()?;
    if chat.last_message_sequence == Some(row.message.sequence) {
        let last = messages::find_last_counted(tx, chat.id, row.message.sequence).await?;
        tx.chat_mut()?.last_message_sequence = last;
    }
    change(tx, row, viewer.actor_id).await
}
