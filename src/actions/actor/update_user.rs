//! Changes and deactivates users.

use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::text;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors};
use entity::{ActorId, ActorType, UserRole, actor};

/// Changes to a user. Absent fields stay as they are.
#[derive(Clone, Debug)]
pub struct UpdateUser {
    /// The user to change.
    pub user_id: ActorId,
    /// The name that colleagues see.
    pub name: Option<String>,
    /// The name that visitors see.
    pub public_name: Option<String>,
    /// The user's role.
    pub role: Option<UserRole>,
    /// Whether the user can sign in.
    pub is_active: Option<bool>,
}

impl Actions {
    /// Changes a user. Deactivating a user closes their connections and ends their presences at once.
    pub async fn update_user(&self, viewer: &Viewer, input: UpdateUser) -> Result<actor::Model> {
        let permit = self.permit(viewer, Verb::ManageOrganization)?;
        let user = permit.write(update, input).await?.value;
        if user.deactivated_at.is_some() {
            self.end_presences_of(viewer.organization_id, user.id).await?;
        }
        Ok(user)
    }
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
            reason: "An organization must have at least one active admin.",
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
