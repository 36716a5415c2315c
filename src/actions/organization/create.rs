//! Creates an organization with its first admin.

use crate::actions::actor::add::new_actor;
use crate::actions::{Actions, Result};
use crate::domain::refused::Refused;
use crate::domain::{limits, text};
use crate::store::{self, Tx, actors, organizations};
use entity::{ActorType, OrganizationId, UserRole, actor, organization};

/// An organization with its first admin.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// The customer's name.
    pub tenant_name: String,
    /// The name of one of the customer's instances.
    pub instance_name: String,
    /// The organization's name.
    pub name: String,
    /// The name of the first admin.
    pub admin_name: String,
}

impl NewOrganization {
    /// Checks and trims the names, so that a caller can refuse them before it opens a store.
    pub fn check(&mut self) -> std::result::Result<(), Refused> {
        text::name("tenant", &mut self.tenant_name)?;
        text::name("instance", &mut self.instance_name)?;
        text::name("name", &mut self.name)?;
        text::name("admin", &mut self.admin_name)
    }
}

impl Actions {
    /// Creates an organization and its first admin. For the command line: checks no permissions.
    pub async fn create_organization(
        &self,
        input: NewOrganization,
    ) -> Result<(organization::Model, actor::Model)> {
        Ok(self.write(found, input).await?.value)
    }
}

async fn found(tx: &mut Tx, mut input: NewOrganization) -> Result<(organization::Model, actor::Model)> {
    input.check()?;
    let NewOrganization { tenant_name, instance_name, name, admin_name } = input;
    let row = organization::Model {
        id: OrganizationId(tx.new_id()),
        tenant_name,
        instance_name,
        name,
        created_at: tx.now(),
        edit_window_minutes: limits::EDIT_WINDOW_MINUTES.1,
    };
    match organizations::insert(tx, &row).await {
        Err(store::Error::Taken(_)) => return Err(Refused::Conflict { field: "instanceName".into() }.into()),
        other => other?,
    }
    let mut admin = new_actor(tx, row.id, ActorType::User);
    admin.role = Some(UserRole::Admin);
    (admin.name, admin.public_name) = (Some(admin_name.clone()), Some(admin_name));
    actors::insert(tx, &admin).await?;
    Ok((row, admin))
}
