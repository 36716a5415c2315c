//! Removes members from rooms.

use super::add_members::lock_room_and_users;
use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, departures, members, principals};
use entity::{ActorId, RoomAccess, RoomId, room};

/// Users to remove from a room.
#[derive(Clone, Debug)]
pub struct RemoveRoomMembers {
    /// Which room.
    pub room_id: RoomId,
    /// The users. For those who are no members, nothing changes.
    pub user_ids: Vec<ActorId>,
}

impl Actions {
    /// Removes members from a room. If it is for members only, they leave its open chats soon after.
    pub async fn remove_room_members(
        &self,
        viewer: &Viewer,
        input: RemoveRoomMembers,
    ) -> Result<room::Model> {
        let permit = self.permit(viewer, Verb::ManageOrganization)?;
        let room = permit.write(remove, input).await?.value;
        if room.access == RoomAccess::Members {
            self.end_lost_parts_soon();
        }
        Ok(room)
    }
}

async fn remove(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
    input: RemoveRoomMembers,
) -> Result<room::Model> {
    let RemoveRoomMembers { room_id, user_ids } = input;
    let (room, ids) = lock_room_and_users(tx, organization_id, room_id, &user_ids).await?;
    let known = members::among(tx, room_id, &ids).await?;
    if known.is_empty() {
        return Ok(room);
    }
    members::delete(tx, room_id, &known).await?;
    if room.access == RoomAccess::Members {
        departures::insert(tx, room_id, &known).await?;
    }
    let now = tx.now();
    principals::rooms_changed(tx, &known, now).await?;
    Ok(room)
}
