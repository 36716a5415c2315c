//! Creates rooms.

use super::access::lock_before_closing;
use super::secret::{new_identity_secret, new_widget_key};
use crate::actions::{Actions, Result};
use crate::domain::origin::origins;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, principals, rooms};
use entity::room::{self, Origins};
use entity::{RoomAccess, RoomId};

/// A room to create.
#[derive(Clone, Debug)]
pub struct CreateRoom {
    /// The room's name.
    pub name: String,
    /// The origins of pages that may use its widget key.
    pub allowed_origins: Vec<String>,
    /// For how many minutes its chats can be resumed. Default 30.
    pub resume_window_minutes: Option<i32>,
    /// After how many minutes idle chats end. Defaults to never.
    pub end_after_idle_minutes: Option<i32>,
    /// Which users see its chats; all, where absent.
    pub access: Option<RoomAccess>,
}

impl Actions {
    pub async fn create_room(&self, viewer: &Viewer, input: CreateRoom) -> Result<room::Model> {
        let permit = self.permit(viewer, Verb::ManageOrganization)?;
        Ok(permit.write(create, input).await?.value)
    }
}

async fn create(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
    input: CreateRoom,
) -> Result<room::Model> {
    let CreateRoom { mut name, allowed_origins, resume_window_minutes, end_after_idle_minutes, access } =
        input;
    text::name("name", &mut name)?;
    check_minutes(resume_window_minutes, end_after_idle_minutes)?;
    let access = access.unwrap_or(RoomAccess::Open);
    let staff = match access {
        RoomAccess::Open => Vec::new(),
        RoomAccess::Members => lock_before_closing(tx, organization_id).await?,
    };
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
        access,
    };
    rooms::insert(tx, &row).await?;
    let now = tx.now();
    principals::rooms_changed(tx, &staff, now).await?;
    Ok(row)
}

pub(super) fn check_minutes(resume_window: Option<i32>, idle: Option<i32>) -> Result<()> {
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
