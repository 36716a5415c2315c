//! Actors who lost a room, and whose participations in its open chats are still to be ended. Whoever takes the room away
//! adds them in the same transaction, so that no stop of the server leaves one out.

use super::{Result, Rows, Tx};
use entity::{
    ActorId, ActorType, ChatId, OrganizationId, RoomAccess, RoomId, UserRole, actor, chat, participation,
    room, room_departure, room_member,
};
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

/// Users who take part in open chats of the room and are neither members of it nor admins.
pub async fn strangers_in(tx: &Tx, organization_id: OrganizationId, room_id: RoomId) -> Result<Vec<ActorId>> {
    let here = Expr::col((actor::Entity, actor::Column::Id)).in_subquery(
        participations_in(room_id).select_only().column(participation::Column::ActorId).into_query(),
    );
    Ok(actor::Entity::find()
        .select_only()
        .column(actor::Column::Id)
        .filter(actor::Column::OrganizationId.eq(organization_id))
        .filter(is_stranger(room_id))
        .filter(here)
        .into_tuple()
        .all(tx.connection())
        .await?)
}

/// Current participations in chats of the room that have not ended.
fn participations_in(room_id: RoomId) -> sea_orm::Select<participation::Entity> {
    let open = chat::Entity::find()
        .select_only()
        .column(chat::Column::Id)
        .filter(chat::Column::RoomId.eq(room_id))
        .filter(chat::Column::EndedAt.is_null())
        .into_query();
    participation::Entity::find()
        .filter(participation::Column::ChatId.in_subquery(open))
        .filter(super::access::participates())
}

fn is_stranger(room_id: RoomId) -> Condition {
    Condition::all()
        .add(actor::Column::ActorType.eq(ActorType::User))
        .add(actor::Column::Role.ne(UserRole::Admin))
        .add(Expr::col((actor::Entity, actor::Column::Id)).not_in_subquery(members_of(room_id)))
}

fn members_of(room_id: RoomId) -> SelectStatement {
    room_member::Entity::find()
        .select_only()
        .column(room_member::Column::ActorId)
        .filter(room_member::Column::RoomId.eq(room_id))
        .into_query()
}

/// Notes actors who lost the locked room.
pub async fn insert(tx: &Tx, room_id: RoomId, actor_ids: &[ActorId]) -> Result<()> {
    if actor_ids.is_empty() {
        return Ok(());
    }
    delete(tx, room_id, Some(actor_ids)).await?;
    let rows = actor_ids
        .iter()
        .map(|actor_id| room_departure::Model { room_id, actor_id: *actor_id }.into_active_model());
    room_departure::Entity::insert_many(rows).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Some departures that are not done.
pub async fn list_due(rows: &impl Rows, limit: u64) -> Result<Vec<room_departure::Model>> {
    Ok(room_departure::Entity::find()
        .order_by_asc(room_departure::Column::RoomId)
        .order_by_asc(room_departure::Column::ActorId)
        .limit(limit)
        .all(rows.connection())
        .await?)
}

/// Open chats of the room in which the actor takes part although they lost the room, with the organization. None once
/// the actor has the room again.
pub async fn chats_to_leave(
    rows: &impl Rows,
    departure: &room_departure::Model,
    limit: u64,
) -> Result<Vec<(ChatId, OrganizationId)>> {
    let room_departure::Model { room_id, actor_id } = *departure;
    let part = participations_in(room_id)
        .filter(participation::Column::ActorId.eq(actor_id))
        .select_only()
        .column(participation::Column::ChatId)
        .into_query();
    let is_closed = room::Entity::find_by_id(room_id)
        .select_only()
        .column(room::Column::Id)
        .filter(room::Column::Access.eq(RoomAccess::Members))
        .into_query();
    let is_lost = actor::Entity::find_by_id(actor_id)
        .select_only()
        .column(actor::Column::Id)
        .filter(is_stranger(room_id))
        .into_query();
    Ok(chat::Entity::find()
        .select_only()
        .columns([chat::Column::Id, chat::Column::OrganizationId])
        .filter(chat::Column::Id.in_subquery(part))
        .filter(Expr::exists(is_closed))
        .filter(Expr::exists(is_lost))
        .limit(limit)
        .into_tuple()
        .all(rows.connection())
        .await?)
}

/// Whether the departure is still to be done.
pub async fn is_due(tx: &Tx, departure: &room_departure::Model) -> Result<bool> {
    let room_departure::Model { room_id, actor_id } = *departure;
    let found = room_departure::Entity::find_by_id((room_id, actor_id)).one(tx.connection()).await?;
    Ok(found.is_some())
}

/// Forgets departures: those of these actors, or all where none are named.
pub async fn delete(tx: &Tx, room_id: RoomId, actor_ids: Option<&[ActorId]>) -> Result<()> {
    let mut delete = room_departure::Entity::delete_many().filter(room_departure::Column::RoomId.eq(room_id));
    if let Some(actor_ids) = actor_ids {
        delete = delete.filter(room_departure::Column::ActorId.is_in(actor_ids.iter().copied()));
    }
    delete.exec(tx.connection()).await?;
    Ok(())
}
