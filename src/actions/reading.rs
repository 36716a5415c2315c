//! Reading: what a viewer may see, one by one and in pages. What they may not see is not there.

use super::{Actions, Error, Result};
use crate::domain::event::{MessageRow, SessionRow};
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Verb};
use crate::domain::search::Matching;
use crate::domain::viewer::{Viewer, ViewerRole};
use crate::domain::{limits, text};
use crate::store::chats::ListedChats;
use crate::store::sessions::{SessionFilter, SessionOrder};
use crate::store::{actors, chats, messages, organizations, participations, presences, rooms, sessions};
use entity::{
    ActorId, ActorType, ChatId, MessageId, OrganizationId, ParticipationId, PresenceId, RoomId, SessionId,
    actor, chat, organization, participation, presence, room,
};
use std::collections::HashSet;

impl Actions {
    /// The viewer's organization.
    pub async fn organization(&self, viewer: &Viewer) -> Result<organization::Model> {
        organizations::find(&self.0.store, viewer.organization_id)
            .await?
            .ok_or_else(|| Error::Failed("the viewer's organization is gone".into()))
    }

    /// The organization of that name; for the command line, which answers to nobody.
    pub async fn find_organization(
        &self,
        tenant_name: &str,
        instance_name: &str,
    ) -> Result<Option<organization::Model>> {
        Ok(organizations::find_by_names(&self.0.store, tenant_name, instance_name).await?)
    }

    /// Whether there is any organization.
    pub async fn has_organization(&self) -> Result<bool> {
        Ok(organizations::is_any(&self.0.store).await?)
    }

    /// A user or visitor by id, external id or name; for the command line, which answers to nobody.
    pub async fn find_person(
        &self,
        organization_id: OrganizationId,
        actor_type: ActorType,
        id: Option<ActorId>,
        known_as: &str,
    ) -> Result<Option<actor::Model>> {
        let store = &self.0.store;
        let by_id = match id {
            Some(id) => actors::find_in_organization(store, organization_id, id).await?,
            None => None,
        };
        let found = match by_id {
            Some(found) => Some(found),
            None => actors::find_by_external_id(store, organization_id, actor_type, known_as).await?,
        };
        let found = match found {
            Some(found) => Some(found),
            None => actors::find_by_name(store, organization_id, actor_type, known_as).await?,
        };
        Ok(found.filter(|actor| actor.actor_type == actor_type))
    }

    /// A room of the organization.
    pub async fn room(&self, viewer: &Viewer, id: RoomId) -> Result<Option<room::Model>> {
        Ok(rooms::find_in_organization(&self.0.store, viewer.organization_id, id).await?)
    }

    /// A user or a visitor; a visitor sees themself and the users of the organization.
    pub async fn actor(&self, viewer: &Viewer, id: ActorId) -> Result<Option<actor::Model>> {
        Ok(self.visible_actors(viewer, &[id]).await?.pop())
    }

    /// Those of the users and visitors that the viewer sees.
    pub async fn visible_actors(&self, viewer: &Viewer, ids: &[ActorId]) -> Result<Vec<actor::Model>> {
        let mut found = actors::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        found.retain(|actor| policy::sees_actor(viewer, actor));
        Ok(found)
    }

    /// The visitor with this external id; nobody has one that cannot be.
    pub async fn visitor_by_external_id(
        &self,
        viewer: &Viewer,
        external_id: &str,
    ) -> Result<Option<actor::Model>> {
        if text::external_id("externalId", external_id).is_err() {
            return Ok(None);
        }
        let (store, organization_id) = (&self.0.store, viewer.organization_id);
        let found =
            actors::find_by_external_id(store, organization_id, ActorType::Visitor, external_id).await?;
        Ok(found.filter(|actor| policy::sees_actor(viewer, actor)))
    }

    /// A chat that the viewer sees.
    pub async fn chat(&self, viewer: &Viewer, id: ChatId) -> Result<Option<chat::Model>> {
        Ok(self.visible_chats(viewer, &[id]).await?.pop())
    }

    /// Those of the chats that the viewer sees.
    pub async fn visible_chats(&self, viewer: &Viewer, ids: &[ChatId]) -> Result<Vec<chat::Model>> {
        Ok(chats::find_many_visible(&self.0.store, viewer, ids).await?)
    }

    /// A message of a chat that the viewer sees.
    pub async fn message(&self, viewer: &Viewer, id: MessageId) -> Result<Option<MessageRow>> {
        Ok(self.visible_messages(viewer, &[id]).await?.pop())
    }

    /// Those of the messages that are in chats that the viewer sees.
    pub async fn visible_messages(&self, viewer: &Viewer, ids: &[MessageId]) -> Result<Vec<MessageRow>> {
        let mut found = messages::find_many_by_id(&self.0.store, viewer.organization_id, ids).await?;
        found.retain(|row| policy::sees_message(viewer, row));
        self.in_visible_chats(viewer, found, |row| row.message.chat_id).await
    }

    /// Those of the presences that are in chats that the viewer sees.
    pub async fn visible_presences(
        &self,
        viewer: &Viewer,
        ids: &[PresenceId],
    ) -> Result<Vec<presence::Model>> {
        let found = presences::find_many(&self.0.store, ids).await?;
        self.in_visible_chats(viewer, found, |row| row.chat_id).await
    }

    /// Those of the participations that are in chats that the viewer sees.
    pub async fn visible_participations(
        &self,
        viewer: &Viewer,
        ids: &[ParticipationId],
    ) -> Result<Vec<participation::Model>> {
        let found = participations::find_many(&self.0.store, ids).await?;
        self.in_visible_chats(viewer, found, |row| row.chat_id).await
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

    /// Those of the rows that belong to chats that the viewer sees.
    async fn in_visible_chats<T>(
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

    /// The organization's rooms, oldest first.
    pub async fn rooms(&self, viewer: &Viewer, page: &PageRequest) -> Result<Page<room::Model>> {
        policy::may(viewer.role, Verb::ReadOrganization)?;
        Ok(rooms::list_in_organization(&self.0.store, viewer.organization_id, page).await?)
    }

    /// The organization's users, oldest first.
    pub async fn users(&self, viewer: &Viewer, page: &PageRequest) -> Result<Page<actor::Model>> {
        policy::may(viewer.role, Verb::ReadOrganization)?;
        Ok(actors::list_users(&self.0.store, viewer.organization_id, page).await?)
    }

    /// The organization's visitors, oldest first. A query matches a part of the display name or the whole external id.
    pub async fn visitors(
        &self,
        viewer: &Viewer,
        query: Option<(&str, Matching)>,
        page: &PageRequest,
    ) -> Result<Page<actor::Model>> {
        policy::may(viewer.role, Verb::ReadOrganization)?;
        if let Some((query, _)) = query {
            text::line("query", query, limits::NAME)?;
        }
        Ok(actors::list_visitors(&self.0.store, viewer.organization_id, query, page).await?)
    }

    /// The chats that the viewer sees and the filter matches.
    pub async fn chats(
        &self,
        viewer: &Viewer,
        asked: ListedChats<'_>,
        page: &PageRequest,
    ) -> Result<Page<chat::Model>> {
        Ok(chats::list_visible(&self.0.store, viewer, asked, page).await?)
    }

    /// The chats that the viewer takes part in or is present in.
    pub async fn inbox(
        &self,
        viewer: &Viewer,
        asked: ListedChats<'_>,
        page: &PageRequest,
    ) -> Result<Page<chat::Model>> {
        Ok(chats::list_inbox(&self.0.store, viewer, asked, page).await?)
    }

    /// The sessions of the chats that the viewer sees.
    pub async fn sessions(
        &self,
        viewer: &Viewer,
        filter: &SessionFilter,
        order: SessionOrder,
        page: &PageRequest,
    ) -> Result<Page<SessionRow>> {
        Ok(sessions::list_visible(&self.0.store, viewer, filter, order, page).await?)
    }

    /// The sessions that the viewer is called to and that are not over, newest first.
    pub async fn open_sessions(&self, viewer: &Viewer) -> Result<Vec<SessionRow>> {
        Ok(sessions::list_not_over_of_viewer(&self.0.store, viewer, limits::OPEN_SESSIONS).await?)
    }

    /// Unread messages over all chats of the viewer, counted up to 100.
    pub async fn unread_count(&self, viewer: &Viewer) -> Result<u64> {
        if viewer.role == ViewerRole::ApiClient {
            return Ok(0);
        }
        Ok(participations::unread_of_actor(&self.0.store, viewer.actor_id, viewer.role.is_staff()).await?)
    }
}
