//! Changes rooms.

use super::create::check_minutes;
use crate::actions::{Actions, Result};
use crate::domain::origin::origins;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::text;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, rooms};
use entity::RoomId;
use entity::room::{self, Origins};

/// Changes to a room. Absent fields stay as they are.
#[derive(Clone, Debug)]
pub struct UpdateRoom {
    /// The room to change.
    pub room_id: RoomId,
    /// The room's name.
    pub name: Option<String>,
    /// The origins of pages that may use its widget key.
    pub allowed_origins: Option<Vec<String>>,
    /// For how many minutes its chats can be resumed.
    pub resume_window_minutes: Option<i32>,
    /// After how many minutes idle chats end.
    pub end_after_idle_minutes: Option<i32>,
}

impl Actions {
    pub async fn update_room(&self, viewer: &Viewer, input: UpdateRoom) -> Result<room::Model> {
        let permit = self.permit(viewer, Verb::ManageOrganization)?;
        Ok(permit.write(update, input).await?.value)
    }
}

async fn update(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
    input: UpdateRoom,
) -> Result<room::Model> {
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
