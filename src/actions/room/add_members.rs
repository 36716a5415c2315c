//! Adds members to rooms.

use crate::actions::{Actions, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::limits;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, departures, members, principals, rooms};
use entity::{ActorId, ActorType, OrganizationId, RoomId, room};

/// Users to add to a room.
#[derive(Clone, Debug)]
pub struct AddRoomMembers {
    /// Which room.
    pub room_id: RoomId,
    /// The users. Members stay as they are.
    pub user_ids: Vec<ActorId>,
}

impl Actions {
    /// Adds members to a room.
    pub async fn add_room_members(&self, viewer: &Viewer, input: AddRoomMembers) -> Result<room::Model> {
        let permit = self.permit(viewer, Verb::ManageOrganization)?;
        Ok(permit.write(add, input).await?.value)
    }
}

async fn add(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
    input: AddRoomMembers,
) -> Result<room::Model> {
    let AddRoomMembers { room_id, user_ids } = input;
    let (room, ids) = lock_room_and_users(tx, organization_id, room_id, &user_ids).await?;
    let known = members::among(tx, room_id, &ids).await?;
    let new: Vec<_> = ids.into_iter().filter(|id| !known.contains(id)).collect();
    if new.is_empty() {
        return Ok(room);
    }
    let now = tx.now();
    members::insert(tx, room_id, &new, now).await?;
    departures::delete(tx, room_id, Some(&new)).await?;
    principals::rooms_changed(tx, &new, now).await?;
    Ok(room)
}

/// Locks the users, each once, and then the room.
pub(super) async fn lock_room_and_users(
    tx: &Tx,
    organization_id: OrganizationId,
    room_id: RoomId,
    user_ids: &[ActorId],
) -> Result<(room::Model, Vec<ActorId>)> {
    let field = || FieldPath::of("userIds");
    if user_ids.is_empty() {
        let reason = "`userIds` must have at least one item.";
        return Err(Refused::Invalid { field: field(), reason }.into());
    }
    if user_ids.len() > limits::MEMBERS {
        return Err(Refused::TooMany { field: field(), limit: limits::MEMBERS }.into());
    }
    let mut ids = user_ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let locked = actors::lock_in_organization(tx, organization_id, &ids).await?;
    let room = rooms::lock_in_organization(tx, organization_id, room_id)
        .await?
        .ok_or(Refused::NotFound { what: "room", field: "roomId".into() })?;
    let is_user =
        |id: &ActorId| locked.iter().any(|actor| actor.id == *id && actor.actor_type == ActorType::User);
    if let Some(index) = user_ids.iter().position(|id| !is_user(id)) {
        return Err(Refused::NotFound { what: "user", field: field().item(index) }.into());
    }
    Ok((room, ids))
}
