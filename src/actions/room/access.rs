//! Opens rooms to all users, and closes them to all but their members.

use crate::actions::Result;
use crate::domain::limits;
use crate::domain::refused::Refused;
use crate::store::{Tx, departures, principals, rooms};
use entity::{ActorId, OrganizationId, RoomAccess, room};

/// Locks all users and API clients of the organization, whose rooms change when one is closed. Refuses one closed room too
/// many.
pub(super) async fn lock_before_closing(tx: &Tx, organization_id: OrganizationId) -> Result<Vec<ActorId>> {
    let staff = principals::lock_staff(tx, organization_id).await?;
    refuse_too_many(tx, organization_id, limits::CLOSED_ROOMS).await?;
    Ok(staff)
}

/// Follows up on another `access` of the room, which is locked and written. `staff` is locked.
pub(super) async fn change_access(tx: &mut Tx, room: &room::Model, staff: &[ActorId]) -> Result<()> {
    match room.access {
        RoomAccess::Open => departures::delete(tx, room.id, None).await?,
        RoomAccess::Members => {
            // The room itself is written already.
            refuse_too_many(tx, room.organization_id, limits::CLOSED_ROOMS + 1).await?;
            let strangers = departures::strangers_in(tx, room.organization_id, room.id).await?;
            departures::insert(tx, room.id, &strangers).await?;
        }
    }
    let now = tx.now();
    Ok(principals::rooms_changed(tx, staff, now).await?)
}

async fn refuse_too_many(tx: &Tx, organization_id: OrganizationId, limit: u64) -> Result<()> {
    if rooms::count_closed(tx, organization_id).await? < limit {
        return Ok(());
    }
    let reason = "An organization can have at most 500 rooms with `access` MEMBERS.";
    Err(Refused::Invalid { field: "access".into(), reason }.into())
}
