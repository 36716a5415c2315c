//! Actors with the rooms that decide what they see, and changes of those rooms.

use super::{Result, Rows, Tx};
use crate::domain::rooms::{Principal, Rooms};
use crate::domain::viewer::Viewer;
use entity::{ActorId, ActorType, OrganizationId, RoomId, Timestamp, actor};
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

/// Ids of one statement.
const CHUNK: usize = 1_000;

/// The selected actors with their rooms, in one statement, so that both are of one moment.
pub(super) async fn read(rows: &impl Rows, actors: Select<actor::Entity>) -> Result<Vec<Principal>> {
    let connection = rows.connection();
    let ids = match connection.get_database_backend() {
        DbBackend::Postgres => |column: &str| format!("string_agg(CAST({column} AS text), ',')"),
        DbBackend::MySql | DbBackend::Sqlite | _ => {
            |column: &str| format!("group_concat(hex({column}), ',')")
        }
    };
    let closed = format!(
        "(SELECT {} FROM room WHERE room.organization_id = actor.organization_id AND room.access = 'MEMBERS'
            AND actor.type <> 'VISITOR' AND NOT EXISTS (SELECT 1 FROM room_member
                WHERE room_member.room_id = room.id AND room_member.actor_id = actor.id))",
        ids("room.id")
    );
    let own = format!(
        "(SELECT {} FROM room_member WHERE room_member.actor_id = actor.id)",
        ids("room_member.room_id")
    );
    let actors = actors.column_as(Expr::cust(closed), "closed_rooms").column_as(Expr::cust(own), "own_rooms");
    let found = connection.query_all(&actors.into_query()).await?;
    found.iter().map(principal).collect()
}

/// The viewer with the rooms that their actor has now.
pub async fn with_current_rooms(rows: &impl Rows, viewer: &Viewer) -> Result<Viewer> {
    let found = read(rows, actor::Entity::find_by_id(viewer.actor_id)).await?.pop();
    let rooms = found.map_or_else(|| viewer.rooms.clone(), |principal| principal.rooms);
    Ok(Viewer { rooms, ..viewer.clone() })
}

fn principal(row: &QueryResult) -> Result<Principal> {
    let rooms = Rooms::new(room_ids(row, "closed_rooms")?, room_ids(row, "own_rooms")?);
    Ok(Principal { actor: actor::Model::from_query_result(row, "")?, rooms })
}

fn room_ids(row: &QueryResult, column: &str) -> Result<Vec<RoomId>> {
    let ids: Option<String> = row.try_get("", column)?;
    let ids = ids.iter().flat_map(|ids| ids.split(','));
    Ok(ids.filter_map(|id| Uuid::parse_str(id).ok()).map(RoomId).collect())
}

/// Locks the organization's active users and API clients until the transaction ends, in the order of their ids: their
/// rooms are about to change.
pub async fn lock_staff(tx: &Tx, organization_id: OrganizationId) -> Result<Vec<ActorId>> {
    Ok(actor::Entity::find()
        .select_only()
        .column(actor::Column::Id)
        .filter(actor::Column::OrganizationId.eq(organization_id))
        .filter(actor::Column::ActorType.is_in([ActorType::User, ActorType::ApiClient]))
        .filter(actor::Column::DeactivatedAt.is_null())
        .order_by_asc(actor::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple()
        .all(tx.connection())
        .await?)
}

/// Notes that the rooms of these actors, which are locked, have changed, and tells it after the commit.
pub async fn rooms_changed(tx: &mut Tx, ids: &[ActorId], now: Timestamp) -> Result<()> {
    for ids in ids.chunks(CHUNK) {
        let version = Expr::col(actor::Column::AuthVersion);
        actor::Entity::update_many()
            .col_expr(actor::Column::AuthVersion, version.add(1))
            .col_expr(actor::Column::AccessChangedAt, Expr::value(now))
            .filter(actor::Column::Id.is_in(ids.iter().copied()))
            .exec(tx.connection())
            .await?;
        let versions = actor::Entity::find()
            .select_only()
            .columns([actor::Column::Id, actor::Column::AuthVersion])
            .filter(actor::Column::Id.is_in(ids.iter().copied()))
            .into_tuple()
            .all(tx.connection())
            .await?;
        tx.rooms_changed(versions);
    }
    Ok(())
}
