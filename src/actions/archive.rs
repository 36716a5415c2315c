//! Archiving: a mark on the chat hides old messages from lists, search and unread counts, and can be removed
//! again. No message is written, so the cost does not depend on the length of the history.

use super::write::lock_visible_chat;
use super::{Actions, Result};
use crate::domain::event::Subject;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::tx::Fact;
use crate::store::{Tx, messages};
use entity::{ActorId, Audience, ChatId, EventKind, MessageId, Timestamp, chat};
use futures_util::FutureExt;
use std::sync::Arc;

impl Actions {
    /// Archives all messages of a chat that were created strictly before a moment and are there now. The mark
    /// never moves back: what is archived stays so until all of it is restored.
    pub async fn archive_messages(
        &self,
        viewer: &Viewer,
        chat_id: ChatId,
        before: Timestamp,
    ) -> Result<Arc<chat::Model>> {
        policy::may(viewer.role, Verb::ArchiveMessages)?;
        let viewer = viewer.clone();
        Ok(self
            .write_to(chat_id, move |tx| archive(tx, viewer, chat_id, before).boxed())
            .await?
            .with_chat()?
            .1)
    }

    /// Restores all archived messages of a chat.
    pub async fn restore_messages(&self, viewer: &Viewer, chat_id: ChatId) -> Result<Arc<chat::Model>> {
        policy::may(viewer.role, Verb::ArchiveMessages)?;
        let viewer = viewer.clone();
        Ok(self.write_to(chat_id, move |tx| restore(tx, viewer, chat_id).boxed()).await?.with_chat()?.1)
    }
}

/// A chat may have ended: its history is still there to be put away.
async fn lock(tx: &mut Tx, viewer: &Viewer, chat_id: ChatId) -> Result<()> {
    let place = lock_visible_chat(tx, viewer, chat_id).await?;
    if policy::acts_in_chat(viewer, tx.chat()?, place.participates()) {
        Ok(())
    } else {
        Err(Refused::NotParticipant.into())
    }
}

/// Whoever sends waits for the chat's lock, so a message is either there and before the mark, or gets a
/// sequence beyond it.
async fn archive(tx: &mut Tx, viewer: Viewer, chat_id: ChatId, before: Timestamp) -> Result<()> {
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

/// Who may learn that the messages after one place up to another came or went: where all of them are notes, the
/// organization's people alone.
async fn audience_between(tx: &Tx, after: i64, through: i64) -> Result<Audience> {
    let last = messages::find_last_public(tx, tx.chat()?.id, through).await?;
    Ok(if last.is_some_and(|last| last > after) { Audience::All } else { Audience::Staff })
}

fn record(tx: &mut Tx, (last, through): (MessageId, i64), audience: Audience, by: ActorId) -> Result<()> {
    tx.record(Fact {
        kind: EventKind::HistoryChanged,
        subject_id: last.0,
        subject: Subject::History(through),
        actor_id: Some(by),
        audience,
    })?;
    Ok(())
}
