//! Reads sessions.

use crate::actions::pages::PageOfEach;
use crate::actions::{Actions, Result};
use crate::domain::event::SessionRow;
use crate::domain::page::{Page, PageRequest};
use crate::domain::viewer::Viewer;
use crate::domain::{limits, policy};
use crate::store::sessions::{self, ListedSessions};
use entity::{ActorId, ChatId, SessionId};
use std::collections::HashMap;

impl Actions {
    /// Lists the same page of sessions for each chat.
    pub async fn sessions_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
        asked: &ListedSessions,
        page: &PageRequest,
    ) -> Result<PageOfEach<SessionRow>> {
        let pages = sessions::list_of_each(&self.0.store, viewer, chats, asked, page).await?;
        Ok(chats.iter().copied().zip(pages).collect())
    }

    /// Finds sessions by id that the viewer sees.
    pub async fn sessions_by_id(
        &self,
        viewer: &Viewer,
        ids: &[SessionId],
    ) -> Result<HashMap<SessionId, SessionRow>> {
        let found = sessions::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        let seen = found.into_iter().filter(|row| policy::sees_session(viewer, &row.participant_ids));
        Ok(seen.map(|row| (row.session.id, row)).collect())
    }

    /// Finds the session of each chat that is ringing or in progress.
    pub async fn open_session_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
    ) -> Result<HashMap<ChatId, SessionRow>> {
        let found = sessions::list_open_of_each(&self.0.store, chats).await?;
        let seen = found.into_iter().filter(|row| policy::sees_session(viewer, &row.participant_ids));
        Ok(seen.map(|row| (row.session.chat_id, row)).collect())
    }

    /// Finds the chats with a session that is ringing or in progress, whoever is called to it.
    pub async fn chats_with_open_session(&self, chats: &[ChatId]) -> Result<Vec<ChatId>> {
        Ok(sessions::chats_with_open(&self.0.store, chats).await?)
    }

    /// Finds the sessions in progress of each actor.
    pub async fn busy_in(
        &self,
        viewer: &Viewer,
        ids: &[ActorId],
    ) -> Result<HashMap<ActorId, Vec<SessionId>>> {
        let mut busy: HashMap<ActorId, Vec<SessionId>> = HashMap::new();
        for (actor_id, session_id) in
            sessions::list_running_of_actors(&self.0.store, viewer.organization_id, ids).await?
        {
            busy.entry(actor_id).or_default().push(session_id);
        }
        Ok(busy)
    }

    /// Finds a session in a chat that the viewer sees. Visitors see only sessions they are called to.
    pub async fn session(&self, viewer: &Viewer, id: SessionId) -> Result<Option<SessionRow>> {
        Ok(self.visible_sessions(viewer, &[id]).await?.pop())
    }

    /// Filters sessions by visibility of their chats. Visitors see only sessions they are called to.
    pub async fn visible_sessions(&self, viewer: &Viewer, ids: &[SessionId]) -> Result<Vec<SessionRow>> {
        let mut found =
            sessions::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        found.retain(|row| policy::sees_session(viewer, &row.participant_ids));
        self.in_visible_chats(viewer, found, |row| row.session.chat_id).await
    }

    /// Lists the sessions in chats that the viewer sees.
    pub async fn sessions(
        &self,
        viewer: &Viewer,
        asked: &ListedSessions,
        page: &PageRequest,
    ) -> Result<Page<SessionRow>> {
        Ok(sessions::list_visible(&self.0.store, viewer, asked, page).await?)
    }

    /// Lists the unfinished sessions that the viewer is called to, newest first.
    pub async fn open_sessions(&self, viewer: &Viewer) -> Result<Vec<SessionRow>> {
        Ok(sessions::list_not_over_of_viewer(&self.0.store, viewer, limits::OPEN_SESSIONS).await?)
    }
}
