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
    /// The same page of the sessions of each chat that the filter matches.
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

    /// The sessions with these ids, as far as the viewer sees them.
    pub async fn sessions_by_id(
        &self,
        viewer: &Viewer,
        ids: &[SessionId],
    ) -> Result<HashMap<SessionId, SessionRow>> {
        let found = sessions::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        let seen = found.into_iter().filter(|row| policy::sees_session(viewer, &row.participant_ids));
        Ok(seen.map(|row| (row.session.id, row)).collect())
    }

    /// The session of each chat that rings or runs.
    pub async fn open_session_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
    ) -> Result<HashMap<ChatId, SessionRow>> {
        let found = sessions::list_open_of_each(&self.0.store, chats).await?;
        let seen = found.into_iter().filter(|row| policy::sees_session(viewer, &row.participant_ids));
        Ok(seen.map(|row| (row.session.chat_id, row)).collect())
    }

    /// Those of the chats that have a session that rings or runs, whoever is called to it.
    pub async fn chats_with_open_session(&self, chats: &[ChatId]) -> Result<Vec<ChatId>> {
        Ok(sessions::chats_with_open(&self.0.store, chats).await?)
    }

    /// The running sessions of each of the actors.
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

    /// A session of a chat that the viewer sees; a visitor sees the ones they are called to.
    pub async fn session(&self, viewer: &Viewer, id: SessionId) -> Result<Option<SessionRow>> {
        Ok(self.visible_sessions(viewer, &[id]).await?.pop())
    }

    /// Those of the sessions that are of chats that the viewer sees; of a visitor's, those they are called to.
    pub async fn visible_sessions(&self, viewer: &Viewer, ids: &[SessionId]) -> Result<Vec<SessionRow>> {
        let mut found =
            sessions::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        found.retain(|row| policy::sees_session(viewer, &row.participant_ids));
        self.in_visible_chats(viewer, found, |row| row.session.chat_id).await
    }

    /// The sessions of the chats that the viewer sees.
    pub async fn sessions(
        &self,
        viewer: &Viewer,
        asked: &ListedSessions,
        page: &PageRequest,
    ) -> Result<Page<SessionRow>> {
        Ok(sessions::list_visible(&self.0.store, viewer, asked, page).await?)
    }

    /// The sessions that the viewer is called to and that are not over, newest first.
    pub async fn open_sessions(&self, viewer: &Viewer) -> Result<Vec<SessionRow>> {
        Ok(sessions::list_not_over_of_viewer(&self.0.store, viewer, limits::OPEN_SESSIONS).await?)
    }
}
