//! Locks a message to change it, and records the change.

use crate::actions::history::audience_of;
use crate::actions::write::lock_visible_chat;
use crate::actions::{Error, Result};
use crate::domain::change::MessageChange;
use crate::domain::event::{Change, MessageRow};
use crate::domain::policy::{self, ChatAccess};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::tx::Fact;
use crate::store::{Tx, messages, organizations};
use entity::{ActorId, MessageId};

/// A message whose chat is locked, which locks the message too.
pub(super) struct Locked {
    pub row: MessageRow,
    /// The viewer's access to the chat.
    pub access: ChatAccess,
    /// For how many minutes the sender may change the message.
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
    // The message may have changed before the lock was taken.
    let row = messages::find_many_by_id(tx, organization_id, &[id]).await?.pop().ok_or_else(not_found)?;
    let organization = organizations::find(tx, organization_id).await?;
    let organization = organization.ok_or_else(|| Error::Failed("the organization is gone".into()))?;
    Ok(Locked { row, access: place.access, window_minutes: organization.edit_window_minutes })
}

/// Writes the changed message and records the change.
pub(super) async fn change(tx: &mut Tx, row: MessageRow, by: ActorId) -> Result<MessageRow> {
    messages::update(tx, &row.message).await?;
    record_message_change(tx, &row, by)?;
    Ok(row)
}

pub(super) fn record_message_change(tx: &mut Tx, row: &MessageRow, by: ActorId) -> Result<()> {
    tx.record(Fact {
        change: Change::Message(MessageChange::Changed, row.clone()),
        actor_id: Some(by),
        audience: audience_of(&row.message),
    })?;
    Ok(())
}
