//! The members of rooms.

use super::keyset::{self, Sorting};
use super::{Result, Rows, Tx};
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy;
use crate::domain::viewer::Viewer;
use entity::{ActorId, RoomId, Timestamp, room_member};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

/// The same page of the members of each room, the earliest first.
pub async fn list_of_each(
    rows: &impl Rows,
    room_ids: &[RoomId],
    page: &PageRequest,
) -> Result<Vec<Page<room_member::Model>>> {
    let lists = room_ids
        .iter()
        .map(|room_id| room_member::Entity::find().filter(room_member::Column::RoomId.eq(*room_id)));
    let sorting = Sorting::ascending(room_member::Column::CreatedAt, room_member::Column::ActorId);
    let owner =
        |row: &room_member::Model| room_ids.iter().position(|id| *id == row.room_id).unwrap_or(usize::MAX);
    keyset::page_of_each(rows, lists.collect(), sorting, page, owner).await
}

/// The same page of the rooms of which each actor is a member and that the viewer sees, the earliest membership first.
pub async fn list_of_each_actor(
    rows: &impl Rows,
    viewer: &Viewer,
    actor_ids: &[ActorId],
    page: &PageRequest,
) -> Result<Vec<Page<room_member::Model>>> {
    let lists = actor_ids.iter().map(|actor_id| {
        let list = room_member::Entity::find().filter(room_member::Column::ActorId.eq(*actor_id));
        match viewer.rooms.closed() {
            closed if policy::is_bound_to_rooms(viewer.role) && !closed.is_empty() => {
                list.filter(room_member::Column::RoomId.is_not_in(closed.iter().copied()))
            }
            _ => list,
        }
    });
    let sorting = Sorting::ascending(room_member::Column::CreatedAt, room_member::Column::RoomId);
    let owner =
        |row: &room_member::Model| actor_ids.iter().position(|id| *id == row.actor_id).unwrap_or(usize::MAX);
    keyset::page_of_each(rows, lists.collect(), sorting, page, owner).await
}

/// Those of the actors that are members of the room.
pub async fn among(rows: &impl Rows, room_id: RoomId, actor_ids: &[ActorId]) -> Result<Vec<ActorId>> {
    let found = room_member::Entity::find()
        .filter(room_member::Column::RoomId.eq(room_id))
        .filter(room_member::Column::ActorId.is_in(actor_ids.iter().copied()))
        .all(rows.connection())
        .await?;
    Ok(found.into_iter().map(|row| row.actor_id).collect())
}

/// Adds members, who are none yet, to the locked room.
pub async fn insert(tx: &Tx, room_id: RoomId, actor_ids: &[ActorId], now: Timestamp) -> Result<()> {
    let rows = actor_ids
        .iter()
        .map(|actor_id| room_member::Model { room_id, actor_id: *actor_id, created_at: now })
        .map(IntoActiveModel::into_active_model);
    room_member::Entity::insert_many(rows).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Removes members from the locked room.
pub async fn delete(tx: &Tx, room_id: RoomId, actor_ids: &[ActorId]) -> Result<()> {
    room_member::Entity::delete_many()
        .filter(room_member::Column::RoomId.eq(room_id))
        .filter(room_member::Column::ActorId.is_in(actor_ids.iter().copied()))
        .exec(tx.connection())
        .await?;
    Ok(())
}
