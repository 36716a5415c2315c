//! Reads rooms.

use crate::actions::{Actions, Result};
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Verb};
use crate::domain::viewer::Viewer;
use crate::store::rooms;
use chrono::TimeDelta;
use entity::{RoomId, room};
use std::collections::{HashMap, HashSet};

/// For how long after their last activity a user counts as online.
const ONLINE: TimeDelta = TimeDelta::seconds(60);

impl Actions {
    /// Finds rooms by id.
    pub async fn rooms_by_id(&self, viewer: &Viewer, ids: &[RoomId]) -> Result<HashMap<RoomId, room::Model>> {
        let found = rooms::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        Ok(found.into_iter().map(|room| (room.id, room)).collect())
    }

    /// Counts the chats that wait for an answer in each room. For operators, private chats are not counted.
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
        let since = self.now().minus(ONLINE);
        let staffed = rooms::staffed(&self.0.store, viewer.organization_id, ids, since).await?;
        Ok(staffed.into_iter().collect())
    }

    /// Finds a room of the organization.
    pub async fn room(&self, viewer: &Viewer, id: RoomId) -> Result<Option<room::Model>> {
        Ok(rooms::find_in_organization(&self.0.store, viewer.organization_id, id).await?)
    }

    /// Lists the organization's rooms, oldest first.
    pub async fn rooms(&self, viewer: &Viewer, page: &PageRequest) -> Result<Page<room::Model>> {
        policy::may(viewer.role, Verb::ReadOrganization)?;
        Ok(rooms::list_in_organization(&self.0.store, viewer.organization_id, page).await?)
    }
}
