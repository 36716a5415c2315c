//! Reads users and visitors.

use crate::actions::{Actions, Result};
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Verb};
use crate::domain::search::Matching;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::actors;
use entity::{ActorId, ActorType, OrganizationId, actor};
use std::collections::HashMap;

impl Actions {
    /// Finds the actors that something visible to the viewer refers to. Does not check visibility again.
    pub async fn actors_by_id(
        &self,
        viewer: &Viewer,
        ids: &[ActorId],
    ) -> Result<HashMap<ActorId, actor::Model>> {
        let found = actors::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        Ok(found.into_iter().map(|actor| (actor.id, actor)).collect())
    }

    /// Finds a user or visitor by id, external id or name. For the command line: checks no permissions.
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

    /// Finds a user or visitor. Visitors see themselves and the users of the organization.
    pub async fn actor(&self, viewer: &Viewer, id: ActorId) -> Result<Option<actor::Model>> {
        Ok(self.visible_actors(viewer, &[id]).await?.pop())
    }

    /// Filters actors by visibility to the viewer.
    pub async fn visible_actors(&self, viewer: &Viewer, ids: &[ActorId]) -> Result<Vec<actor::Model>> {
        let mut found = actors::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        found.retain(|actor| policy::sees_actor(viewer, actor));
        Ok(found)
    }

    /// Finds the visitor with this external id. An invalid external id finds nobody.
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

    /// Lists the organization's users, oldest first.
    pub async fn users(&self, viewer: &Viewer, page: &PageRequest) -> Result<Page<actor::Model>> {
        policy::may(viewer.role, Verb::ReadOrganization)?;
        Ok(actors::list_users(&self.0.store, viewer.organization_id, page).await?)
    }

    /// Lists the organization's visitors, oldest first. A query matches a substring of the display name or
    /// the whole external id.
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
}
