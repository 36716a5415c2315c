//! Reads presences.

use crate::actions::pages::PageOfEach;
use crate::actions::{Actions, Result};
use crate::domain::page::PageRequest;
use crate::domain::viewer::Viewer;
use crate::store::presences;
use entity::{ChatId, PresenceId, presence};

impl Actions {
    /// Lists the same page of presences for each chat.
    pub async fn presences_of_each(
        &self,
        _viewer: &Viewer,
        chats: &[ChatId],
        include_ended: bool,
        is_descending: bool,
        page: &PageRequest,
    ) -> Result<PageOfEach<presence::Model>> {
        let store = &self.0.store;
        let pages = presences::list_of_each(store, chats, include_ended, is_descending, page).await?;
        Ok(chats.iter().copied().zip(pages).collect())
    }

    /// Finds the chats in which the viewer is present.
    pub async fn viewer_is_present_in(&self, viewer: &Viewer, chats: &[ChatId]) -> Result<Vec<ChatId>> {
        Ok(presences::chats_of_user(&self.0.store, viewer.actor_id, chats).await?)
    }

    /// Filters presences by visibility of their chats.
    pub async fn visible_presences(
        &self,
        viewer: &Viewer,
        ids: &[PresenceId],
    ) -> Result<Vec<presence::Model>> {
        let found = presences::find_many(&self.0.store, ids).await?;
        self.in_visible_chats(viewer, found, |row| row.chat_id).await
    }
}
