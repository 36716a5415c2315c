//! Organizations and rooms.

use super::tokens::{WIDGET_KEY, new_actor, unguessable};
use super::{Actions, Error, Result};
use crate::domain::origin::origins;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{self, Tx, actors, organizations, rooms};
use entity::room::Origins;
use entity::{ActorType, OrganizationId, RoomId, SecretText, UserRole, actor, organization, room};
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

/// Changes of an organization. What is absent stays.
#[derive(Clone, Debug)]
pub struct UpdateOrganization {
    /// What people call it.
    pub name: Option<String>,
    /// For how long a sender may edit and delete a message.
    pub edit_window_minutes: Option<i32>,
}

/// A room to create.
#[derive(Clone, Debug)]
pub struct CreateRoom {
    /// What people call it.
    pub name: String,
    /// Whose pages may use its widget key.
    pub allowed_origins: Vec<String>,
    /// For how long its chats can be resumed; 30 minutes, where absent.
    pub resume_window_minutes: Option<i32>,
    /// After how long idle chats end; never, where absent.
    pub end_after_idle_minutes: Option<i32>,
}

/// Changes of a room. What is absent stays.
#[derive(Clone, Debug)]
pub struct UpdateRoom {
    /// Which.
    pub room_id: RoomId,
    /// What people call it.
    pub name: Option<String>,
    /// Whose pages may use its widget key.
    pub allowed_origins: Option<Vec<String>>,
    /// For how long its chats can be resumed.
    pub resume_window_minutes: Option<i32>,
    /// After how long idle chats end.
    pub end_after_idle_minutes: Option<i32>,
}

impl NewOrganization {
    /// Checks and cleans the names, so that a caller can refuse them before it opens a store.
    pub fn check(&mut self) -> std::result::Result<(), Refused> {
        text::name("tenant", &mut self.tenant_name)?;
        text::name("instance", &mut self.instance_name)?;
        text::name("name", &mut self.name)?;
        text::name("admin", &mut self.admin_name)
    }
}

impl Actions {
    /// Makes an organization and its first admin; for the command line, which answers to nobody.
    pub async fn create_organization(
        &self,
        input: NewOrganization,
    ) -> Result<(organization::Model, actor::Model)> {
        Ok(self.write(move |tx| found(tx, input).boxed()).await?.value)
    }

    /// Changes the viewer's organization.
    pub async fn update_organization(
        &self,
        viewer: &Viewer,
        input: UpdateOrganization,
    ) -> Result<organization::Model> {
        policy::may(viewer.role, Verb::ManageOrganization)?;
        let organization_id = viewer.organization_id;
        Ok(self.write(move |tx| change(tx, organization_id, input).boxed()).await?.value)
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

async fn change(
    tx: &mut Tx,
    organization_id: OrganizationId,
    input: UpdateOrganization,
) -> Result<organization::Model> {
    let UpdateOrganization { mut name, edit_window_minutes } = input;
    if let Some(name) = &mut name {
        text::name("name", name)?;
    }
    let (least, _, most) = limits::EDIT_WINDOW_MINUTES;
    if edit_window_minutes.is_some_and(|minutes| !(least..=most).contains(&minutes)) {
        let reason = "`editWindowMinutes` must be 0–525,600.";
        return Err(Refused::Invalid { field: "editWindowMinutes".into(), reason }.into());
    }
    organizations::lock(tx, organization_id).await?;
    let row = organizations::find(tx, organization_id).await?;
    let mut row = row.ok_or_else(|| Error::Failed("the viewer's organization is gone".into()))?;
    row.name = name.unwrap_or(row.name);
    row.edit_window_minutes = edit_window_minutes.unwrap_or(row.edit_window_minutes);
    organizations::update(tx, &row).await?;
    Ok(row)
}

async fn create(tx: &mut Tx, organization_id: OrganizationId, input: CreateRoom) -> Result<room::Model> {
    let CreateRoom { mut name, allowed_origins, resume_window_minutes, end_after_idle_minutes } = input;
    text::name("name", &mut name)?;
    check_minutes(resume_window_minutes, end_after_idle_minutes)?;
    let row = room::Model {
        id: RoomId(tx.new_id()),
        organization_id,
        name,
        created_at: tx.now(),
        widget_key: new_widget_key(),
        identity_secret: new_identity_secret(),
        allowed_origins: Origins(origins("allowedOrigins", allowed_origins)?),
        resume_window_minutes: resume_window_minutes.unwrap_or(limits::RESUME_MINUTES.1),
        end_after_idle_minutes: end_after_idle_minutes.unwrap_or(limits::IDLE_MINUTES.0),
    };
    rooms::insert(tx, &row).await?;
    Ok(row)
}

async fn update(tx: &mut Tx, organization_id: OrganizationId, input: UpdateRoom) -> Result<room::Model> {
    let UpdateRoom { room_id, mut name, allowed_origins, resume_window_minutes, end_after_idle_minutes } =
        input;
    if let Some(name) = &mut name {
        text::name("name", name)?;
    }
    check_minutes(resume_window_minutes, end_after_idle_minutes)?;
    let allowed_origins = allowed_origins.map(|given| origins("allowedOrigins", given)).transpose()?;
    let before = rooms::lock_in_organization(tx, organization_id, room_id)
        .await?
        .ok_or(Refused::NotFound { what: "room", field: "roomId".into() })?;
    let mut row = before.clone();
    if let Some(name) = name {
        row.name = name;
    }
    if let Some(allowed_origins) = allowed_origins {
        row.allowed_origins = Origins(allowed_origins);
    }
    row.resume_window_minutes = resume_window_minutes.unwrap_or(row.resume_window_minutes);
    row.end_after_idle_minutes = end_after_idle_minutes.unwrap_or(row.end_after_idle_minutes);
    if row != before {
        rooms::update(tx, &row).await?;
    }
    Ok(row)
}

pub(super) fn new_widget_key() -> String {
    format!("{WIDGET_KEY}{}", unguessable())
}

/// As long as the hash that it keys.
pub(super) fn new_identity_secret() -> SecretText {
    SecretText(format!("is_{}{}", unguessable(), unguessable()))
}

fn check_minutes(resume_window: Option<i32>, idle: Option<i32>) -> Result<()> {
    let ((least, _, most), (idle_least, idle_most)) = (limits::RESUME_MINUTES, limits::IDLE_MINUTES);
    if resume_window.is_some_and(|minutes| !(least..=most).contains(&minutes)) {
        let reason = "`resumeWindowMinutes` must be 0–10,080.";
        return Err(Refused::Invalid { field: "resumeWindowMinutes".into(), reason }.into());
    }
    if idle.is_some_and(|minutes| !(idle_least..=idle_most).contains(&minutes)) {
        let reason = "`endAfterIdleMinutes` must be 0–43,200.";
        return Err(Refused::Invalid { field: "endAfterIdleMinutes".into(), reason }.into());
    }
    Ok(())
}
