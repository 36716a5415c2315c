//! Rooms, and the number of chats that wait in them.

use super::changed::all_but_key;
use super::keyset::{self, Sorting};
use super::{Result, Rows, Tx, access};
use crate::domain::page::{Page, PageRequest};
use crate::domain::viewer::Viewer;
use entity::{
    ActorType, OrganizationId, RoomAccess, RoomId, Timestamp, actor, chat, participation, room, room_member,
    room_origin,
};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, LockType, Query};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, Order, PaginatorTrait, QueryFilter, QuerySelect,
};

/// Finds a room of the organization.
pub async fn find_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    id: RoomId,
) -> Result<Option<room::Model>> {
    Ok(find_many_in_organization(rows, organization_id, &[id]).await?.pop())
}

/// Finds rooms of the organization.
pub async fn find_many_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    ids: &[RoomId],
) -> Result<Vec<room::Model>> {
    Ok(room::Entity::find()
        .filter(room::Column::OrganizationId.eq(organization_id))
        .filter(room::Column::Id.is_in(ids.iter().copied()))
        .all(rows.connection())
        .await?)
}

/// Lists the rooms that the viewer sees, oldest first.
pub async fn list_visible(
    rows: &impl Rows,
    viewer: &Viewer,
    page: &PageRequest,
) -> Result<Page<room::Model>> {
    let list = room::Entity::find().filter(access::sees_room(viewer));
    keyset::page(rows, list, Sorting::ascending(room::Column::CreatedAt, room::Column::Id), page).await
}

/// Counts the chats that the viewer sees and that wait for an answer in each room. Rooms without such chats are left
/// out.
pub async fn waiting_counts(rows: &impl Rows, viewer: &Viewer, ids: &[RoomId]) -> Result<Vec<(RoomId, i64)>> {
    let waiting = chat::Entity::find()
        .select_only()
        .column(chat::Column::RoomId)
        .column_as(Expr::cust("count(*)"), "waiting")
        .filter(access::sees_chat(viewer))
        .filter(chat::Column::RoomId.is_in(ids.iter().copied()))
        .filter(chat::Column::WaitingSince.is_not_null())
        .filter(chat::Column::EndedAt.is_null())
        .group_by(chat::Column::RoomId);
    Ok(waiting.into_tuple().all(rows.connection()).await?)
}

/// The number of a room's newest chats that show who answers there.
const TELLING: u64 = 100;

/// Finds the rooms in which a user answers who was active at or after `since`. In a room for members, this is a member.
/// In an open room, it is a user who participates or participated in one of its newest chats, or who has not
/// participated in a chat of any room yet.
pub async fn staffed(
    rows: &impl Rows,
    organization_id: OrganizationId,
    ids: &[RoomId],
    since: Timestamp,
) -> Result<Vec<RoomId>> {
    let is_online = || {
        Condition::all()
            .add(Expr::col((actor::Entity, actor::Column::OrganizationId)).eq(organization_id))
            .add(actor::Column::ActorType.eq(ActorType::User))
            .add(Expr::col((actor::Entity, actor::Column::LastSeenAt)).gte(since))
            .add(Expr::col((actor::Entity, actor::Column::DeactivatedAt)).is_null())
    };
    let is_member_online = Query::select()
        .expr(Expr::val(1))
        .from(room_member::Entity)
        .inner_join(
            actor::Entity,
            Expr::col((room_member::Entity, room_member::Column::ActorId))
                .equals((actor::Entity, actor::Column::Id)),
        )
        .and_where(
            Expr::col((room_member::Entity, room_member::Column::RoomId))
                .equals((room::Entity, room::Column::Id)),
        )
        .cond_where(is_online())
        .to_owned();
    let part_of_actor = || {
        Expr::col((participation::Entity, participation::Column::ActorId))
            .equals((actor::Entity, actor::Column::Id))
    };
    let newest = Alias::new("newest");
    let of_room = Query::select()
        .column(chat::Column::Id)
        .from(chat::Entity)
        .and_where(Expr::col((chat::Entity, chat::Column::OrganizationId)).eq(organization_id))
        .and_where(Expr::col((chat::Entity, chat::Column::RoomId)).equals((room::Entity, room::Column::Id)))
        .order_by((chat::Entity, chat::Column::StartedAt), Order::Desc)
        .order_by((chat::Entity, chat::Column::Id), Order::Desc)
        .limit(TELLING)
        .to_owned();
    let answers_here = Query::select()
        .expr(Expr::val(1))
        .from_subquery(of_room, newest.clone())
        .inner_join(
            participation::Entity,
            Expr::col((participation::Entity, participation::Column::ChatId))
                .equals((newest, chat::Column::Id)),
        )
        .inner_join(actor::Entity, part_of_actor())
        .cond_where(is_online())
        .to_owned();
    let of_any_room = Query::select()
        .expr(Expr::val(1))
        .from(participation::Entity)
        .inner_join(
            chat::Entity,
            Expr::col((chat::Entity, chat::Column::Id))
                .equals((participation::Entity, participation::Column::ChatId)),
        )
        .and_where(part_of_actor())
        .and_where(Expr::col((chat::Entity, chat::Column::RoomId)).is_not_null())
        .to_owned();
    let may_answer_anywhere = Query::select()
        .expr(Expr::val(1))
        .from(actor::Entity)
        .cond_where(is_online())
        .and_where(Expr::exists(of_any_room).not())
        .to_owned();
    Ok(room::Entity::find()
        .select_only()
        .column(room::Column::Id)
        .filter(room::Column::OrganizationId.eq(organization_id))
        .filter(room::Column::Id.is_in(ids.iter().copied()))
        .filter(
            Condition::any()
                .add(
                    Condition::all()
                        .add(room::Column::Access.eq(RoomAccess::Members))
                        .add(Expr::exists(is_member_online)),
                )
                .add(Condition::all().add(room::Column::Access.eq(RoomAccess::Open)).add(
                    Condition::any().add(Expr::exists(answers_here)).add(Expr::exists(may_answer_anywhere)),
                )),
        )
        .into_tuple()
        .all(rows.connection())
        .await?)
}

/// Counts the organization's rooms for members only.
pub async fn count_closed(rows: &impl Rows, organization_id: OrganizationId) -> Result<u64> {
    Ok(room::Entity::find()
        .filter(room::Column::OrganizationId.eq(organization_id))
        .filter(room::Column::Access.eq(RoomAccess::Members))
        .count(rows.connection())
        .await?)
}

/// Finds the room of a widget key, in any organization. For authentication only.
pub async fn find_by_widget_key(rows: &impl Rows, key: &str) -> Result<Option<room::Model>> {
    Ok(room::Entity::find().filter(room::Column::WidgetKey.eq(key)).one(rows.connection()).await?)
}

/// Whether pages of this origin may use the widget key of a room, in any organization.
pub async fn is_origin_allowed(rows: &impl Rows, origin: &str) -> Result<bool> {
    let found = room_origin::Entity::find().filter(room_origin::Column::Origin.eq(origin));
    Ok(found.one(rows.connection()).await?.is_some())
}

/// Locks a room of the organization until the transaction ends. Chats can still start in it.
pub async fn lock_in_organization(
    tx: &Tx,
    organization_id: OrganizationId,
    id: RoomId,
) -> Result<Option<room::Model>> {
    Ok(room::Entity::find_by_id(id)
        .filter(room::Column::OrganizationId.eq(organization_id))
        .lock(LockType::NoKeyUpdate)
        .one(tx.connection())
        .await?)
}

pub async fn insert(tx: &Tx, row: &room::Model) -> Result<()> {
    room::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.connection()).await?;
    list_origins(tx, row).await
}

pub async fn update(tx: &Tx, row: &room::Model) -> Result<()> {
    room::Entity::update_many()
        .set(all_but_key(row))
        .filter(room::Column::Id.eq(row.id))
        .exec(tx.connection())
        .await?;
    room_origin::Entity::delete_many()
        .filter(room_origin::Column::RoomId.eq(row.id))
        .exec(tx.connection())
        .await?;
    list_origins(tx, row).await
}

async fn list_origins(tx: &Tx, row: &room::Model) -> Result<()> {
    let origins = row
        .allowed_origins
        .0
        .iter()
        .map(|origin| room_origin::Model { origin: origin.clone(), room_id: row.id }.into_active_model());
    if !row.allowed_origins.0.is_empty() {
        room_origin::Entity::insert_many(origins).exec_without_returning(tx.connection()).await?;
    }
    Ok(())
}
