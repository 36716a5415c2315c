//! Reads rooms.

use crate::actions::{Actions, Result};
use crate::domain::limits;
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Verb};
use crate::domain::viewer::Viewer;
use crate::store::{members, rooms};
use entity::{ActorId, RoomId, actor, room, room_member};
use std::collections::{HashMap, HashSet};

impl Actions {
    /// Finds rooms by id. The caller has checked that the viewer sees what refers to them.
    pub async fn rooms_by_id(&self, viewer: &Viewer, ids: &[RoomId]) -> Result<HashMap<RoomId, room::Model>> {
        let found = rooms::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        Ok(found.into_iter().map(|room| (room.id, room)).collect())
    }

    /// Counts the chats that the viewer sees and that wait for an answer in each room.
    pub async fn waiting_count_of_each(
        &self,
        viewer: &Viewer,
        ids: &[RoomId],
    ) -> Result<HashMap<RoomId, u64>> {
        let found = rooms::waiting_counts(&self.0.store, viewer, ids).await?;
        Ok(found.into_iter().map(|(id, waiting)| (id, u64::try_from(waiting).unwrap_or_default())).collect())
    }

    /// Finds the rooms in which somebody is available to answer.
    pub async fn staffed_rooms(&self, viewer: &Viewer, ids: &[RoomId]) -> Result<HashSet<RoomId>> {
        let since = self.now().minus(limits::ONLINE);
        let staffed = rooms::staffed(&self.0.store, viewer.organization_id, ids, since).await?;
        Ok(staffed.into_iter().collect())
    }

    /// Finds the rooms that the viewer sees.
    pub async fn visible_rooms(&self, viewer: &Viewer, ids: &[RoomId]) -> Result<Vec<room::Model>> {
        let mut found = rooms::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        found.retain(|room| policy::sees_room(viewer, room));
        Ok(found)
    }

    /// Lists the same page of members for each room, earliest membership first. The caller has checked that the viewer
    /// sees the rooms.
    pub async fn members_of_each(
        &self,
        viewer: &Viewer,
        ids: &[RoomId],
        page: &PageRequest,
    ) -> Result<HashMap<RoomId, Page<actor::Model>>> {
        let pages = members::list_of_each(&self.0.store, ids, page).await?;
        let actor_ids: Vec<_> =
            pages.iter().flat_map(|page| &page.rows).map(|(_, member)| member.actor_id).collect();
        let actors = self.actors_by_id(viewer, &actor_ids).await?;
        let actor = |member: room_member::Model| actors.get(&member.actor_id).cloned();
        Ok(ids.iter().copied().zip(pages.into_iter().map(|page| page.filter_map(actor))).collect())
    }

    /// Lists the same page of visible rooms for each user, earliest membership first.
    pub async fn rooms_of_each(
        &self,
        viewer: &Viewer,
        user_ids: &[ActorId],
        page: &PageRequest,
    ) -> Result<HashMap<ActorId, Page<room::Model>>> {
        let pages = members::list_of_each_actor(&self.0.store, viewer, user_ids, page).await?;
        let room_ids: Vec<_> =
            pages.iter().flat_map(|page| &page.rows).map(|(_, member)| member.room_id).collect();
        let rooms = self.rooms_by_id(viewer, &room_ids).await?;
        let room = |member: room_member::Model| rooms.get(&member.room_id).cloned();
        Ok(user_ids.iter().copied().zip(pages.into_iter().map(|page| page.filter_map(room))).collect())
    }

    /// Finds a room that the viewer sees.
    pub async fn room(&self, viewer: &Viewer, id: RoomId) -> Result<Option<room::Model>> {
        Ok(self.visible_rooms(viewer, &[id]).await?.pop())
    }

    /// Lists the rooms that the viewer sees, oldest first.
    pub async fn rooms(&self, viewer: &Viewer, page: &PageRequest) -> Result<Page<room::Model>> {
        policy::may(viewer.role, Verb::ReadOrganization)?;
        Ok(rooms::list_visible(&self.0.store, viewer, page).await?)
    }
}
