//! Edits messages.

use super::lock::{Locked, change, lock_message};
use crate::actions::{Actions, Result};
use crate::domain::event::MessageRow;
use crate::domain::message::{Handled, MessageAction, digest};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, revisions};
use entity::{MessageId, message_revision};

/// A new text for a message.
#[derive(Clone, Debug)]
pub struct EditMessage {
    /// The message to edit.
    pub message_id: MessageId,
    /// 1 to 2000 characters.
    pub text: String,
}

impl Actions {
    /// Replaces a message's text. The same text changes nothing.
    pub async fn edit_message(&self, viewer: &Viewer, input: EditMessage) -> Result<MessageRow> {
        let permit = self.permit(viewer, Verb::EditMessage)?;
        Ok(permit.write_to(input.message_id, edit, input).await?.value)
    }
}

async fn edit(tx: &mut Tx, viewer: Viewer, input: EditMessage) -> Result<MessageRow> {
    let EditMessage { message_id, text } = input;
    text::message("text", &text)?;
    let Locked { mut row, access, window_minutes } = lock_message(tx, &viewer, message_id).await?;
    let (message, now) = (&row.message, tx.now());
    let handled = Handled { viewer: &viewer, chat: tx.chat()?, access, message, now, window_minutes };
    handled.takes(MessageAction::Edit)?;
    if message.text.as_ref() == Some(&text) {
        return Ok(row);
    }
    handled.may(MessageAction::Edit)?;
    let number = revisions::count(tx, message_id).await?;
    if number >= limits::EDITS {
        let reason = "The message has already been edited 50 times.";
        return Err(Refused::Invalid { field: "messageId".into(), reason }.into());
    }
    let before = row.message.text.replace(text).unwrap_or_default();
    row.message.sent_digest.get_or_insert_with(|| digest(message_id, Some(&before)));
    let created_at = row.message.edited_at.replace(now).unwrap_or(row.message.created_at);
    let revision = message_revision::Model { message_id, number, text: before, created_at };
    revisions::insert(tx, &revision).await?;
    change(tx, row, viewer.actor_id).await
}
