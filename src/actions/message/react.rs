//! Reactions: emojis that actors put on messages. Adding and removing are idempotent.

use super::lock::{Locked, lock_message, record_message_change};
use crate::actions::{Actions, Result};
use crate::domain::emoji::emoji;
use crate::domain::event::MessageRow;
use crate::domain::limits;
use crate::domain::message::{Handled, MessageAction};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, reactions};
use entity::{MessageId, reaction};

/// A reaction to add or remove.
#[derive(Clone, Debug)]
pub struct React {
    /// The message.
    pub message_id: MessageId,
    /// The reaction, one emoji.
    pub emoji: String,
    /// Whether the reaction is added or removed.
    pub is_there: bool,
}

impl Actions {
    /// Adds or removes a reaction of the viewer's.
    pub async fn react(&self, viewer: &Viewer, input: React) -> Result<MessageRow> {
        let permit = self.permit(viewer, Verb::React)?;
        Ok(permit.write_to(input.message_id, react, input).await?.value)
    }
}

async fn react(tx: &mut Tx, viewer: Viewer, input: React) -> Result<MessageRow> {
    let React { message_id, emoji: typed, is_there } = input;
    let emoji = emoji("emoji", &typed)?;
    let Locked { row, access, window_minutes } = lock_message(tx, &viewer, message_id).await?;
    let (message, now) = (&row.message, tx.now());
    let handled = Handled { viewer: &viewer, chat: tx.chat()?, access, message, now, window_minutes };
    handled.may(MessageAction::React)?;
    let (actor_id, created_at) = (viewer.actor_id, now);
    let changed = if is_there {
        let there = reactions::count_of_each(tx, &[message_id], actor_id).await?;
        let is_new = !there.iter().any(|(_, counted)| counted.emoji == emoji);
        if is_new && there.len() >= limits::EMOJIS {
            return Err(Refused::TooMany { field: "emoji".into(), limit: limits::EMOJIS }.into());
        }
        reactions::insert(tx, &reaction::Model { message_id, emoji, actor_id, created_at }).await?
    } else {
        reactions::remove(tx, message_id, &emoji, actor_id).await?
    };
    if changed {
        record_message_change(tx, &row, actor_id)?;
    }
    Ok(row)
}
