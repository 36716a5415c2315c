//! Archives the older messages of a chat.

use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::event::Change;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::tx::Fact;
use crate::store::{Tx, messages};
use entity::{ActorId, Audience, ChatId, MessageId, Timestamp, chat};
use std::sync::Arc;

impl Actions {
    /// Archives the messages that exist now and were created strictly before a moment. The archive mark never
    /// moves back: archived messages stay archived until all of them are restored.
    pub async fn archive_messages(
        &self,
        viewer: &Viewer,
        chat_id: ChatId,
        before: Timestamp,
    ) -> Result<Arc<chat::Model>> {
        let permit = self.permit(viewer, Verb::ArchiveMessages)?;
        Ok(permit.write_to(chat_id, archive, (chat_id, before)).await?.with_chat()?.1)
    }
}

/// Locks a chat to archive messages. Ended chats can be archived too.
pub(super) async fn lock(tx: &mut Tx, viewer: &Viewer, chat_id: ChatId) -> Result<()> {
    let place = lock_visible_chat(tx, viewer, chat_id).await?;
    if place.access.acts() { Ok(()) } else { Err(Refused::NotParticipant.into()) }
}

/// Senders wait for the chat's lock, so a message either exists and can be archived, or gets a sequence after
/// the mark.
async fn archive(tx: &mut Tx, viewer: Viewer, (chat_id, before): (ChatId, Timestamp)) -> Result<()> {
    lock(tx, &viewer, chat_id).await?;
    let head = tx.chat()?.last_sequence;
    let Some(last) = messages::find_last_before(tx, chat_id, head, before).await? else { return Ok(()) };
    if tx.chat()?.is_archived(last.sequence) {
        return Ok(());
    }
    let (now, mark) = (tx.now(), tx.chat()?.archived_sequence);
    let audience = audience_between(tx, mark, last.sequence).await?;
    let chat = tx.chat_mut()?;
    chat.archived_sequence = last.sequence;
    match audience {
        Audience::All => chat.archived_at = Some(now),
        Audience::Staff | Audience::Called => chat.archived_at = chat.archived_at.or(Some(now)),
    }
    record(tx, (last.id, last.sequence), audience, viewer.actor_id)
}

/// The audience of a change to the messages in a range of sequences: staff only, if all of them are notes.
pub(super) async fn audience_between(tx: &Tx, after: i64, through: i64) -> Result<Audience> {
    let last = messages::find_last_public(tx, tx.chat()?.id, through).await?;
    Ok(if last.is_some_and(|last| last > after) { Audience::All } else { Audience::Staff })
}

pub(super) fn record(
    tx: &mut Tx,
    (newest_id, through): (MessageId, i64),
    audience: Audience,
    by: ActorId,
) -> Result<()> {
    tx.record(Fact { change: Change::History { newest_id, through }, actor_id: Some(by), audience })?;
    Ok(())
}
