//! Rooms, and how many wait in them.

use super::changed::all_but_key;
use super::keyset::{self, Sorting};
use super::{Result, Rows, Tx};
use crate::domain::page::{Page, PageRequest};
use entity::{OrganizationId, RoomId, chat, room};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};

/// The room, where it is of the organization.
pub async fn find_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    id: RoomId,
) -> Result<Option<room::Model>> {
    Ok(find_many_in_organization(rows, organization_id, &[id]).await?.pop())
}

/// Those of the rooms that are of the organization.
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

/// The organization's rooms, oldest first.
pub async fn list_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    page: &PageRequest,
) -> Result<Page<room::Model>> {
    let list = room::Entity::find().filter(room::Column::OrganizationId.eq(organization_id));
    keyset::page(rows, list, Sorting::ascending(room::Column::CreatedAt, room::Column::Id), page).await
}

/// How many chats wait for an answer in each of the rooms; a room where none does is left out.
pub async fn waiting_counts(
    rows: &impl Rows,
    organization_id: OrganizationId,
    ids: &[RoomId],
    is_private_too: bool,
) -> Result<Vec<(RoomId, i64)>> {
    let mut waiting = chat::Entity::find()
        .select_only()
        .column(chat::Column::RoomId)
        .column_as(Expr::cust("count(*)"), "waiting")
        .filter(chat::Column::OrganizationId.eq(organization_id))
        .filter(chat::Column::RoomId.is_in(ids.iter().copied()))
        .filter(chat::Column::WaitingSince.is_not_null())
        .filter(chat::Column::EndedAt.is_null())
        .group_by(chat::Column::RoomId);
    if !is_private_too {
        waiting = waiting.filter(chat::Column::IsPrivate.eq(false));
    }
    Ok(waiting.into_tuple().all(rows.connection()).await?)
}

/// Adds a room.
pub async fn insert(tx: &Tx, row: &room::Model) -> Result<()> {
    room::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Writes the row as it now is.
pub async fn update(tx: &Tx, row: &room::Model) -> Result<()> {
    room::Entity::update_many()
        .set(all_but_key(row))
        .filter(room::Column::Id.eq(row.id))
        .exec(tx.connection())
        .await?;
    Ok(())
}
