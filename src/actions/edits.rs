//! Editing a message, which keeps its previous texts, and deleting its content, which leaves a tombstone.

use super::history::audience_of;
use super::write::lock_visible_chat;
use super::{Actions, Error, Result};
use crate::domain::event::{MessageRow, Subject};
use crate::domain::message::{Handled, MessageAction, digest};
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::tx::Fact;
use crate::store::{Tx, attachments, messages, organizations, reactions, revisions};
use entity::{ActorId, EventKind, MessageId, message_revision};
use futures_util::FutureExt;

/// A new text for a message.
#[derive(Clone, Debug)]
pub struct EditMessage {
    /// Which.
    pub message_id: MessageId,
    /// 1 to 2000 characters.
    pub text: String,
}

impl Actions {
    /// Gives a message another text. The one that it has changes nothing.
    pub async fn edit_message(&self, viewer: &Viewer, input: EditMessage) -> Result<MessageRow> {
        policy::may(viewer.role, Verb::EditMessage)?;
        let viewer = viewer.clone();
        Ok(self.write_to(input.message_id, move |tx| edit(tx, viewer, input).boxed()).await?.value)
    }

    /// Takes a message's content away and leaves a tombstone. Again it changes nothing.
    pub async fn delete_message(&self, viewer: &Viewer, message_id: MessageId) -> Result<MessageRow> {
        policy::may(viewer.role, Verb::DeleteMessage)?;
        let viewer = viewer.clone();
        Ok(self.write_to(message_id, move |tx| delete(tx, viewer, message_id).boxed()).await?.value)
    }
}

async fn edit(tx: &mut Tx, viewer: Viewer, input: EditMessage) -> Result<MessageRow> {
    let EditMessage { message_id, text } = input;
    text::message("text", &text)?;
    let Locked { mut row, acts, window_minutes } = lock_message(tx, &viewer, message_id).await?;
    let (message, now) = (&row.message, tx.now());
    let handled = Handled { viewer: &viewer, chat: tx.chat()?, acts, message, now, window_minutes };
    handled.takes(MessageAction::Edit)?;
    if message.text.as_ref() == Some(&text) {
        return Ok(row);
    }
    handled.may(MessageAction::Edit)?;
    let number = revisions::count(tx, message_id).await?;
    if number >= limits::EDITS {
        let reason = "A message can be edited at most 50 times.";
        return Err(Refused::Invalid { field: "messageId".into(), reason }.into());
    }
    let before = row.message.text.replace(text).unwrap_or_default();
    row.message.sent_digest.get_or_insert_with(|| digest(message_id, Some(&before)));
    let created_at = row.message.edited_at.replace(now).unwrap_or(row.message.created_at);
    let revision = message_revision::Model { message_id, number, text: before, created_at };
    revisions::insert(tx, &revision).await?;
    change(tx, row, viewer.actor_id).await
}

async fn delete(tx: &mut Tx, viewer: Viewer, message_id: MessageId) -> Result<MessageRow> {
    let Locked { mut row, acts, window_minutes } = lock_message(tx, &viewer, message_id).await?;
    let (message, now) = (&row.message, tx.now());
    let handled = Handled { viewer: &viewer, chat: tx.chat()?, acts, message, now, window_minutes };
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

/// A message whose chat is locked, and so the message.
pub(super) struct Locked {
    pub row: MessageRow,
    /// Whether the viewer may act in its chat.
    pub acts: bool,
    /// For how long the sender may change it.
    pub window_minutes: i32,
}

/// Locks the chat of a message that the viewer sees.
pub(super) async fn lock_message(tx: &mut Tx, viewer: &Viewer, id: MessageId) -> Result<Locked> {
    let not_found = || Error::from(Refused::NotFound { what: "message", field: "messageId".into() });
    let organization_id = viewer.organization_id;
    let found = messages::find_many_by_id(tx, organization_id, &[id]).await?.pop().ok_or_else(not_found)?;
    let place = match lock_visible_chat(tx, viewer, found.message.chat_id).await {
        Err(Error::Refused(Refused::NotFound { .. })) => return Err(not_found()),
        place => place?,
    };
    if !policy::sees_message(viewer, &found) {
        return Err(not_found());
    }
    // What it says may have changed until the lock was there.
    let row = messages::find_many_by_id(tx, organization_id, &[id]).await?.pop().ok_or_else(not_found)?;
    let acts = policy::acts_in_chat(viewer, tx.chat()?, place.participates());
    let organization = organizations::find(tx, organization_id).await?;
    let organization = organization.ok_or_else(|| Error::Failed("the organization is gone".into()))?;
    Ok(Locked { row, acts, window_minutes: organization.edit_window_minutes })
}

/// Writes the message as it now is, and records that it changed.
async fn change(tx: &mut Tx, row: MessageRow, by: ActorId) -> Result<MessageRow> {
    messages::update(tx, &row.message).await?;
    record_message_change(tx, &row, by)?;
    Ok(row)
}

/// Records that a message changed.
pub(super) fn record_message_change(tx: &mut Tx, row: &MessageRow, by: ActorId) -> Result<()> {
    tx.record(Fact {
        kind: EventKind::MessageChanged,
        subject_id: row.message.id.0,
        subject: Subject::Message(row.clone()),
        actor_id: Some(by),
        audience: audience_of(&row.message),
    })?;
    Ok(())
}
