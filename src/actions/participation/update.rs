//! Changes a participant's own view of a chat.

use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::event::ViewChange;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, participations};
use entity::{ChatId, chat, participation};
use std::sync::Arc;

/// Changes to the viewer's own view of a chat.
#[derive(Clone, Debug)]
pub struct UpdateParticipation {
    /// The chat.
    pub chat_id: ChatId,
    /// `None` keeps the custom name, `Some(None)` removes it.
    pub name: Option<Option<String>>,
    /// `None` keeps the custom description, `Some(None)` removes it.
    pub detail: Option<Option<String>>,
    /// Whether the chat is hidden until the next message.
    pub is_hidden: Option<bool>,
}

/// The result of changing the viewer's own view.
pub struct UpdatedParticipation {
    pub chat: Arc<chat::Model>,
    /// The participation that stores the view.
    pub participation: participation::Model,
}

impl Actions {
    /// Changes the viewer's own view of a chat, which nobody else sees.
    pub async fn update_participation(
        &self,
        viewer: &Viewer,
        input: UpdateParticipation,
    ) -> Result<UpdatedParticipation> {
        let permit = self.permit(viewer, Verb::ActInChat)?;
        let (participation, chat) = permit.write_to(input.chat_id, update, input).await?.with_chat()?;
        Ok(UpdatedParticipation { chat, participation })
    }
}

async fn update(tx: &mut Tx, viewer: Viewer, input: UpdateParticipation) -> Result<participation::Model> {
    let UpdateParticipation { chat_id, mut name, detail, is_hidden } = input;
    if let Some(Some(name)) = &mut name {
        text::name("customName", name)?;
    }
    if let Some(Some(detail)) = &detail {
        text::note("customDescription", detail, limits::DETAIL)?;
    }
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    let mut row =
        place.participation.filter(participation::Model::is_current).ok_or(Refused::NotParticipant)?;
    let before = row.clone();
    let chat = tx.chat()?;
    let was_hidden = row.is_hidden(chat);
    if let Some(name) = name {
        row.name = name;
    }
    if let Some(detail) = detail {
        row.detail = detail;
    }
    match is_hidden {
        Some(true) if !was_hidden => row.hidden_sequence = Some(chat.last_sequence),
        Some(false) if was_hidden => row.hidden_sequence = None,
        Some(true | false) | None => {}
    }
    if row != before {
        let now = tx.now();
        (row.updated_at, row.viewed_at) = (now, Some(now));
        participations::update(tx, &row).await?;
        tx.view_changed(row.clone(), ViewChange::Own { was_hidden })?;
    }
    Ok(row)
}
