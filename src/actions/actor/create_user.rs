//! Creates users.

use super::add::{insert, new_actor};
use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::text;
use crate::domain::viewer::Viewer;
use crate::store::Tx;
use entity::{ActorType, UserRole, actor};

/// A user to create.
#[derive(Clone, Debug)]
pub struct CreateUser {
    /// The name that colleagues see.
    pub name: String,
    /// The name that visitors see. Defaults to `name`.
    pub public_name: Option<String>,
    /// The user's role.
    pub role: UserRole,
    /// The user's id in the organization's own systems; unique among its users.
    pub external_id: Option<String>,
}

impl Actions {
    pub async fn create_user(&self, viewer: &Viewer, input: CreateUser) -> Result<actor::Model> {
        let permit = self.permit(viewer, Verb::ManageOrganization)?;
        Ok(permit.write(create, input).await?.value)
    }
}

async fn create(tx: &mut Tx, viewer: Viewer, input: CreateUser) -> Result<actor::Model> {
    let CreateUser { mut name, mut public_name, role, external_id } = input;
    text::name("name", &mut name)?;
    if let Some(public_name) = &mut public_name {
        text::name("publicName", public_name)?;
    }
    if let Some(external_id) = &external_id {
        text::external_id("externalId", external_id)?;
    }
    let mut row = new_actor(tx, viewer.organization_id, ActorType::User);
    row.public_name = Some(public_name.unwrap_or_else(|| name.clone()));
    (row.name, row.role, row.external_id) = (Some(name), Some(role), external_id);
    insert(tx, row).await
}
