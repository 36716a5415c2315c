//! Tags chats.

use crate::actions::history::record_chat_among_staff;
use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, tags};
use entity::{ChatId, chat};
use std::sync::Arc;

impl Actions {
    /// Adds tags to a chat. Existing tags stay.
    pub async fn tag_chat(
        &self,
        viewer: &Viewer,
        chat_id: ChatId,
        tags: Vec<String>,
    ) -> Result<Arc<chat::Model>> {
        let permit = self.permit(viewer, Verb::TagChat)?;
        Ok(permit.write_to(chat_id, tag, (chat_id, tags)).await?.with_chat()?.1)
    }
}

async fn tag(tx: &mut Tx, viewer: Viewer, (chat_id, tags): (ChatId, Vec<String>)) -> Result<()> {
    let mut new = checked(tags)?;
    lock(tx, &viewer, chat_id).await?;
    let chat = tx.chat_mut()?;
    new.retain(|tag| !chat.tags.0.contains(tag));
    if new.is_empty() {
        return Ok(());
    }
    if chat.tags.0.len() + new.len() > limits::TAGS {
        return Err(Refused::TooMany { field: "tags".into(), limit: limits::TAGS }.into());
    }
    chat.tags.0.extend(new.iter().cloned());
    tags::insert(tx, &new).await?;
    record_chat_among_staff(tx, Some(viewer.actor_id))
}

/// Locks a chat to change its tags. Ended chats can be tagged too.
pub(super) async fn lock(tx: &mut Tx, viewer: &Viewer, chat_id: ChatId) -> Result<()> {
    let place = lock_visible_chat(tx, viewer, chat_id).await?;
    if place.access.acts() { Ok(()) } else { Err(Refused::NotParticipant.into()) }
}

/// Trims the tags and removes duplicates.
pub(super) fn checked(tags: Vec<String>) -> Result<Vec<String>> {
    let mut checked: Vec<String> = Vec::new();
    for (index, tag) in tags.into_iter().enumerate() {
        let tag = text::tag(FieldPath::of("tags").item(index), tag)?;
        if !checked.contains(&tag) {
            checked.push(tag);
        }
        if checked.len() > limits::TAGS {
            return Err(Refused::TooMany { field: "tags".into(), limit: limits::TAGS }.into());
        }
    }
    Ok(checked)
}
