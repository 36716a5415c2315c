//! Moves the read mark of a participant.

use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::event::ViewChange;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, participations};
use entity::{ChatId, participation};

/// A read mark to set.
#[derive(Clone, Debug)]
pub struct MarkRead {
    /// The chat of the messages.
    pub chat_id: ChatId,
    /// The sequence of the last message read.
    pub through_sequence: i64,
}

impl Actions {
    /// Moves the viewer's read mark forward, never back. Does nothing in a visible chat in which the viewer
    /// does not participate, because they have no mark there.
    pub async fn mark_read(&self, viewer: &Viewer, input: MarkRead) -> Result<Option<participation::Model>> {
        let permit = self.permit(viewer, Verb::ActInChat)?;
        Ok(permit.write_to(input.chat_id, mark, input).await?.value)
    }
}

async fn mark(tx: &mut Tx, viewer: Viewer, input: MarkRead) -> Result<Option<participation::Model>> {
    let MarkRead { chat_id, through_sequence } = input;
    if through_sequence < 0 {
        let reason = "`throughSequence` must be 0 or more.";
        return Err(Refused::Invalid { field: "throughSequence".into(), reason }.into());
    }
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    let is_taking_part = place.access.participates();
    let Some(mut row) = place.participation else { return Ok(None) };
    let sequence = through_sequence.min(tx.chat()?.last_sequence);
    if is_taking_part && sequence > row.last_read_sequence {
        let now = tx.now();
        (row.last_read_sequence, row.last_read_at) = (sequence, Some(now));
        (row.updated_at, row.viewed_at) = (now, Some(now));
        participations::update(tx, &row).await?;
        tx.view_changed(row.clone(), ViewChange::Read)?;
    }
    Ok(Some(row))
}
