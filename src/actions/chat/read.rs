//! Reads chats.

use crate::actions::{Actions, Result};
use crate::domain::page::{Page, PageRequest};
use crate::domain::viewer::Viewer;
use crate::store::chats::{self, ListedChats};
use entity::{ChatId, chat};
use std::collections::HashSet;

impl Actions {
    /// Finds a chat that the viewer sees.
    pub async fn chat(&self, viewer: &Viewer, id: ChatId) -> Result<Option<chat::Model>> {
        Ok(self.visible_chats(viewer, &[id]).await?.pop())
    }

    /// Filters chats by visibility to the viewer.
    pub async fn visible_chats(&self, viewer: &Viewer, ids: &[ChatId]) -> Result<Vec<chat::Model>> {
        Ok(chats::find_many_visible(&self.0.store, viewer, ids).await?)
    }

    /// Filters rows by visibility of their chats.
    pub(in crate::actions) async fn in_visible_chats<T>(
        &self,
        viewer: &Viewer,
        mut rows: Vec<T>,
        chat_id: impl Fn(&T) -> ChatId,
    ) -> Result<Vec<T>> {
        let mut chat_ids: Vec<_> = rows.iter().map(&chat_id).collect();
        chat_ids.sort_unstable();
        chat_ids.dedup();
        let seen: HashSet<_> =
            self.visible_chats(viewer, &chat_ids).await?.into_iter().map(|chat| chat.id).collect();
        rows.retain(|row| seen.contains(&chat_id(row)));
        Ok(rows)
    }

    /// Lists the chats that the viewer sees and the filter matches.
    pub async fn chats(
        &self,
        viewer: &Viewer,
        asked: ListedChats<'_>,
        page: &PageRequest,
    ) -> Result<Page<chat::Model>> {
        Ok(chats::list_visible(&self.0.store, viewer, asked, page).await?)
    }

    /// Lists the chats in which the viewer participates or is present.
    pub async fn inbox(
        &self,
        viewer: &Viewer,
        asked: ListedChats<'_>,
        page: &PageRequest,
    ) -> Result<Page<chat::Model>> {
        Ok(chats::list_inbox(&self.0.store, viewer, asked, page).await?)
    }
}
