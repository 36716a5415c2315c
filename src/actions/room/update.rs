//! Changes rooms.

use super::access::change_access;
use super::create::check_minutes;
use crate::actions::{Actions, Result};
use crate::domain::origin::origins;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::text;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, principals, rooms};
use entity::room::{self, Origins};
use entity::{RoomAccess, RoomId};

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
    /// Which users see its chats.
    pub access: Option<RoomAccess>,
}

impl Actions {
    pub async fn update_room(&self, viewer: &Viewer, input: UpdateRoom) -> Result<room::Model> {
        let permit = self.permit(viewer, Verb::ManageOrganization)?;
        let (room, has_closed) = permit.write(update, input).await?.value;
        if has_closed {
            self.end_lost_parts_soon();
        }
        Ok(room)
    }
}

async fn update(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
    input: UpdateRoom,
) -> Result<(room::Model, bool)> {
    let UpdateRoom {
        room_id,
        mut name,
        allowed_origins,
        resume_window_minutes,
        end_after_idle_minutes,
        access,
    } = input;
    if let Some(name) = &mut name {
        text::name("name", name)?;
    }
    check_minutes(resume_window_minutes, end_after_idle_minutes)?;
    let allowed_origins = allowed_origins.map(|given| origins("allowedOrigins", given)).transpose()?;
    let staff = match access {
        None => Vec::new(),
        Some(_) => principals::lock_staff(tx, organization_id).await?,
    };
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
    row.access = access.unwrap_or(row.access);
    if row != before {
        rooms::update(tx, &row).await?;
        tx.room_changed();
    }
    let has_closed = row.access == RoomAccess::Members && before.access == RoomAccess::Open;
    if row.access != before.access {
        change_access(tx, &row, &staff).await?;
    }
    Ok((row, has_closed))
}
