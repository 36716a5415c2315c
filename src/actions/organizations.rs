//! Organizations and rooms.

use super::tokens::new_actor;
use super::{Actions, Result};
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::text;
use crate::domain::viewer::Viewer;
use crate::store::{self, Tx, actors, organizations, rooms};
use entity::{ActorType, OrganizationId, RoomId, UserRole, actor, organization, room};
use futures_util::FutureExt;

/// An organization with its first admin.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// The customer.
    pub tenant_name: String,
    /// Which of the customer's instances.
    pub instance_name: String,
    /// What people call it.
    pub name: String,
    /// Who may change it first.
    pub admin_name: String,
}

/// A room to create.
#[derive(Clone, Debug)]
pub struct CreateRoom {
    /// What people call it.
    pub name: String,
}

/// Changes of a room. What is absent stays.
#[derive(Clone, Debug)]
pub struct UpdateRoom {
    /// Which.
    pub room_id: RoomId,
    /// What people call it.
    pub name: Option<String>,
}

impl Actions {
    /// Makes an organization and its first admin; for the command line, which answers to nobody.
    pub async fn create_organization(
        &self,
        input: NewOrganization,
    ) -> Result<(organization::Model, actor::Model)> {
        Ok(self.write(move |tx| found(tx, input).boxed()).await?.value)
    }

    /// Creates a room.
    pub async fn create_room(&self, viewer: &Viewer, input: CreateRoom) -> Result<room::Model> {
        policy::may(viewer.role, Verb::ManageOrganization)?;
        let organization_id = viewer.organization_id;
        Ok(self.write(move |tx| create(tx, organization_id, input).boxed()).await?.value)
    }

    /// Changes a room.
    pub async fn update_room(&self, viewer: &Viewer, input: UpdateRoom) -> Result<room::Model> {
        policy::may(viewer.role, Verb::ManageOrganization)?;
        let organization_id = viewer.organization_id;
        Ok(self.write(move |tx| update(tx, organization_id, input).boxed()).await?.value)
    }
}

async fn found(tx: &mut Tx, input: NewOrganization) -> Result<(organization::Model, actor::Model)> {
    let NewOrganization { tenant_name, instance_name, name, admin_name } = input;
    text::name("tenantName", &tenant_name)?;
    text::name("instanceName", &instance_name)?;
    text::name("name", &name)?;
    text::name("admin", &admin_name)?;
    let row = organization::Model {
        id: OrganizationId(tx.new_id()),
        tenant_name,
        instance_name,
        name,
        created_at: tx.now(),
    };
    match organizations::insert(tx, &row).await {
        Err(store::Error::Taken(_)) => return Err(Refused::Conflict { field: "instanceName" }.into()),
        other => other?,
    }
    let mut admin = new_actor(tx, row.id, ActorType::User);
    admin.role = Some(UserRole::Admin);
    (admin.name, admin.public_name) = (Some(admin_name.clone()), Some(admin_name));
    actors::insert(tx, &admin).await?;
    Ok((row, admin))
}

async fn create(tx: &mut Tx, organization_id: OrganizationId, input: CreateRoom) -> Result<room::Model> {
    text::name("name", &input.name)?;
    let row =
        room::Model { id: RoomId(tx.new_id()), organization_id, name: input.name, created_at: tx.now() };
    rooms::insert(tx, &row).await?;
    Ok(row)
}

async fn update(tx: &mut Tx, organization_id: OrganizationId, input: UpdateRoom) -> Result<room::Model> {
    let UpdateRoom { room_id, name } = input;
    if let Some(name) = &name {
        text::name("name", name)?;
    }
    let mut row = rooms::find_in_organization(tx, organization_id, room_id)
        .await?
        .ok_or(Refused::NotFound { what: "room", field: "roomId" })?;
    if let Some(name) = name {
        row.name = name;
        rooms::update(tx, &row).await?;
    }
    Ok(row)
}
