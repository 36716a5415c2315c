//! Reads participations.

use crate::actions::pages::PageOfEach;
use crate::actions::{Actions, Result};
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Verb};
use crate::domain::viewer::Viewer;
use crate::store::own_views::{self, ListedParticipations};
use crate::store::participations;
use entity::{ActorId, ChatId, ParticipationId, actor, participation};
use std::collections::HashMap;

/// The maximum number of names in a chat's title.
const TITLE_NAMES: usize = 5;

impl Actions {
    /// Lists the same page of participations for each chat.
    pub async fn participations_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
        asked: ListedParticipations,
        page: &PageRequest,
    ) -> Result<PageOfEach<participation::Model>> {
        let pages = participations::list_of_each(&self.0.store, viewer, chats, asked, page).await?;
        Ok(chats.iter().copied().zip(pages).collect())
    }

    /// Finds the viewer's own participation in each chat, including ended ones.
    pub async fn own_participation_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
    ) -> Result<HashMap<ChatId, participation::Model>> {
        let found = participations::list_of_actor(&self.0.store, viewer.actor_id, chats).await?;
        Ok(found.into_iter().map(|participation| (participation.chat_id, participation)).collect())
    }

    /// Lists the first few other participants of each chat, for its title.
    pub async fn others_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
    ) -> Result<HashMap<ChatId, Vec<actor::Model>>> {
        let mut others: HashMap<ChatId, Vec<actor::Model>> = HashMap::new();
        for (participation, actor) in participations::list_actors_of_each(&self.0.store, chats).await? {
            let others = others.entry(participation.chat_id).or_default();
            if let Some(actor) = actor.filter(|actor| actor.id != viewer.actor_id)
                && others.len() < TITLE_NAMES
            {
                others.push(actor);
            }
        }
        Ok(others)
    }

    /// Counts the unread messages of each participation, up to 100. Counts only what the viewer may see.
    pub async fn unread_of_each(
        &self,
        viewer: &Viewer,
        ids: &[ParticipationId],
    ) -> Result<HashMap<ParticipationId, u64>> {
        let with_notes = policy::sees_notes(viewer);
        let found = participations::unread_of_each(&self.0.store, ids, with_notes).await?;
        Ok(found.into_iter().map(|(id, unread)| (id, u64::try_from(unread).unwrap_or_default())).collect())
    }

    /// Lists the chats in which an actor participates. `None` if the viewer may
    /// not see them.
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

    /// Filters participations by visibility of their chats.
    pub async fn visible_participations(
        &self,
        viewer: &Viewer,
        ids: &[ParticipationId],
    ) -> Result<Vec<participation::Model>> {
        let found = participations::find_many(&self.0.store, ids).await?;
        self.in_visible_chats(viewer, found, |row| row.chat_id).await
    }

    /// Counts the unread messages in all chats of the viewer, up to 100.
    pub async fn unread_count(&self, viewer: &Viewer) -> Result<u64> {
        if policy::may(viewer.role, Verb::ActInChat).is_err() {
            return Ok(0);
        }
        let with_notes = policy::sees_notes(viewer);
        Ok(participations::unread_of_actor(&self.0.store, viewer.actor_id, with_notes).await?)
    }
}
