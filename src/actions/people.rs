//! Users and visitors.

use super::tokens::new_actor;
use super::{Actions, Error, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{self, Tx, actors};
use entity::{ActorId, ActorType, OrganizationId, UserRole, actor};
use futures_util::FutureExt;

/// A user to create.
#[derive(Clone, Debug)]
pub struct CreateUser {
    /// As colleagues see it.
    pub name: String,
    /// As visitors see it; the name itself, where absent.
    pub public_name: Option<String>,
    /// What the user may do.
    pub role: UserRole,
    /// The user's id in the organization's own systems; unique among its users.
    pub external_id: Option<String>,
}

/// Changes of a user. What is absent stays.
#[derive(Clone, Debug)]
pub struct UpdateUser {
    /// Whom.
    pub user_id: ActorId,
    /// As colleagues see it.
    pub name: Option<String>,
    /// As visitors see it.
    pub public_name: Option<String>,
    /// What the user may do.
    pub role: Option<UserRole>,
    /// Whether the user may act at all.
    pub is_active: Option<bool>,
}

/// A visitor to create or to change.
#[derive(Clone, Debug)]
pub struct UpsertVisitor {
    /// The visitor's id in the organization's own systems; unique among its visitors.
    pub external_id: String,
    /// `None` leaves it, `Some(None)` takes it away.
    pub display_name: Option<Option<String>>,
    /// Replaces all attributes, where given.
    pub attributes: Option<Vec<(String, String)>>,
}

impl Actions {
    /// Creates a user.
    pub async fn create_user(&self, viewer: &Viewer, input: CreateUser) -> Result<actor::Model> {
        policy::may(viewer.role, Verb::ManageOrganization)?;
        let viewer = viewer.clone();
        Ok(self.write(move |tx| create(tx, viewer, input).boxed()).await?.value)
    }

    /// Changes a user. Who is deactivated loses every connection and every presence at once.
    pub async fn update_user(&self, viewer: &Viewer, input: UpdateUser) -> Result<actor::Model> {
        policy::may(viewer.role, Verb::ManageOrganization)?;
        let organization_id = viewer.organization_id;
        let viewer = viewer.clone();
        let user = self.write(move |tx| update(tx, viewer, input).boxed()).await?.value;
        if user.deactivated_at.is_some() {
            self.end_presences_of(organization_id, user.id).await?;
        }
        Ok(user)
    }

    /// Creates the visitor with this external id, or changes them.
    pub async fn upsert_visitor(&self, viewer: &Viewer, input: UpsertVisitor) -> Result<actor::Model> {
        policy::may(viewer.role, Verb::UpsertVisitor)?;
        let organization_id = viewer.organization_id;
        let again = input.clone();
        match self.write(move |tx| upsert(tx, organization_id, input).boxed()).await {
            // Two calls made the same visitor at once: the second one finds it there.
            Err(Error::Refused(Refused::Conflict { .. })) => {
                Ok(self.write(move |tx| upsert(tx, organization_id, again).boxed()).await?.value)
            }
            other => Ok(other?.value),
        }
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

async fn update(tx: &mut Tx, viewer: Viewer, input: UpdateUser) -> Result<actor::Model> {
    let UpdateUser { user_id, mut name, mut public_name, role, is_active } = input;
    for (field, value) in [("name", &mut name), ("publicName", &mut public_name)] {
        if let Some(value) = value {
            text::name(field, value)?;
        }
    }
    let not_found = Refused::NotFound { what: "user", field: "userId".into() };
    let locked = actors::lock_with_active_admins(tx, viewer.organization_id, user_id).await?;
    let mut row = locked
        .iter()
        .find(|actor| actor.id == user_id && actor.actor_type == ActorType::User)
        .cloned()
        .ok_or(not_found)?;
    let before = row.clone();
    if name.is_some() {
        row.name = name;
    }
    if public_name.is_some() {
        row.public_name = public_name;
    }
    if role.is_some() {
        row.role = role;
    }
    match is_active {
        Some(true) => row.deactivated_at = None,
        Some(false) if row.deactivated_at.is_none() => row.deactivated_at = Some(tx.now()),
        Some(false) | None => {}
    }
    let is_active_admin = row.role == Some(UserRole::Admin) && row.deactivated_at.is_none();
    if !is_active_admin && locked.iter().all(|actor| actor.id == user_id) {
        let field = if is_active == Some(false) { "isActive" } else { "role" };
        return Err(Refused::Invalid {
            field: field.into(),
            reason: "An organization must keep at least one active admin.",
        }
        .into());
    }
    if row == before {
        return Ok(row);
    }
    if (row.role, row.deactivated_at) != (before.role, before.deactivated_at) {
        row.auth_version += 1;
        tx.actor_changed(row.clone());
    }
    actors::update(tx, &row).await?;
    Ok(row)
}

/// Creates the visitor, or changes them; they are locked then.
pub(super) async fn upsert(
    tx: &mut Tx,
    organization_id: OrganizationId,
    input: UpsertVisitor,
) -> Result<actor::Model> {
    let UpsertVisitor { external_id, mut display_name, mut attributes } = input;
    text::external_id("externalId", &external_id)?;
    if let Some(Some(display_name)) = &mut display_name {
        text::name("displayName", display_name)?;
    }
    if let Some(attributes) = &mut attributes {
        check_attributes("attributes", attributes)?;
    }
    let known = actors::find_by_external_id(tx, organization_id, ActorType::Visitor, &external_id).await?;
    // Read again under the lock: what another call changes at the same time stays.
    let found = match known {
        Some(known) => actors::lock_in_organization(tx, organization_id, &[known.id]).await?.pop(),
        None => None,
    };
    let is_new = found.is_none();
    let mut row = found.unwrap_or_else(|| new_actor(tx, organization_id, ActorType::Visitor));
    if let Some(display_name) = display_name {
        row.name = display_name;
    }
    if let Some(attributes) = attributes {
        row.attributes = attributes.into();
    }
    row.external_id = Some(external_id);
    if is_new {
        return insert(tx, row).await;
    }
    actors::update(tx, &row).await?;
    Ok(row)
}

/// What an organization knows about a visitor.
pub(super) fn check_attributes(
    field: impl Into<FieldPath>,
    attributes: &mut [(String, String)],
) -> std::result::Result<(), Refused> {
    let field = field.into();
    if attributes.len() > limits::ATTRIBUTES {
        return Err(Refused::TooMany { field, limit: limits::ATTRIBUTES });
    }
    for (index, (name, value)) in attributes.iter_mut().enumerate() {
        text::name(field.item(index).field("name"), name)?;
        text::note(field.item(index).field("value"), value, limits::DETAIL)?;
    }
    for (index, (name, _)) in attributes.iter().enumerate() {
        if attributes[..index].iter().any(|(other, _)| other == name) {
            let reason = "Attribute names must be unique.";
            return Err(Refused::Invalid { field: field.item(index).field("name"), reason });
        }
    }
    Ok(())
}

async fn insert(tx: &Tx, row: actor::Model) -> Result<actor::Model> {
    match actors::insert(tx, &row).await {
        Err(store::Error::Taken(_)) => Err(Refused::Conflict { field: "externalId".into() }.into()),
        other => Ok(other.map(|()| row)?),
    }
}
