//! Own views: what a participant calls a chat for themself, whether it is in their way, and their list of chats.

use super::write::lock_visible_chat;
use super::{Actions, Result};
use crate::domain::event::ViewChange;
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::own_views::{self, ListedParticipations};
use crate::store::{Tx, participations};
use entity::{ActorId, ChatId, chat, participation};
use futures_util::FutureExt;
use std::sync::Arc;

/// Changes of the viewer's own view of a chat.
#[derive(Clone, Debug)]
pub struct UpdateParticipation {
    /// Which chat.
    pub chat_id: ChatId,
    /// `None` leaves it, `Some(None)` takes it away.
    pub name: Option<Option<String>>,
    /// `None` leaves it, `Some(None)` takes it away.
    pub detail: Option<Option<String>>,
    /// Out of the way until somebody writes.
    pub is_hidden: Option<bool>,
}

/// An own view as it now stands.
pub struct UpdatedParticipation {
    /// The chat.
    pub chat: Arc<chat::Model>,
    /// The participation that holds it.
    pub participation: participation::Model,
}

impl Actions {
    /// Changes the viewer's own view of a chat. Nobody else sees any of it.
    pub async fn update_participation(
        &self,
        viewer: &Viewer,
        input: UpdateParticipation,
    ) -> Result<UpdatedParticipation> {
        policy::may(viewer.role, Verb::ActInChat)?;
        let viewer = viewer.clone();
        let (participation, chat) =
            self.write_to(input.chat_id, move |tx| update(tx, viewer, input).boxed()).await?.with_chat()?;
        Ok(UpdatedParticipation { chat, participation })
    }

    /// The chats in which an actor takes part; `None` where that is not for the viewer.
    pub async fn participations_of(
        &self,
        viewer: &Viewer,
        actor_id: ActorId,
        asked: ListedParticipations,
        page: &PageRequest,
    ) -> Result<Option<Page<participation::Model>>> {
        if !policy::reads_own_views(viewer, actor_id) {
            return Ok(None);
        }
        Ok(Some(own_views::list_of_actor(&self.0.store, actor_id, asked, page).await?))
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
    let mut row = place
        .participation
        .filter(|participation| participation.ended_at.is_none())
        .ok_or(Refused::NotParticipant)?;
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
