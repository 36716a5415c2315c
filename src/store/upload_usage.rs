//! The number of bytes that actors were allowed to upload within a day.

use super::{Result, Rows as _, Tx};
use chrono::TimeDelta;
use entity::{ActorId, upload_usage};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel};

/// Adds bytes to an actor's usage of the current day and returns the sum. A day begins with the first upload
/// after the previous day ended. A rollback takes the bytes back.
pub async fn add(tx: &Tx, actor_id: ActorId, bytes: i64, day: TimeDelta) -> Result<i64> {
    let now = tx.now();
    let is_over = || upload_usage::Column::Since.lte(now.minus(day));
    let own = |column| Expr::col((upload_usage::Entity, column));
    let since = CaseStatement::new().case(is_over(), now).finally(own(upload_usage::Column::Since));
    let sum = own(upload_usage::Column::Bytes).add(bytes);
    let sum = CaseStatement::new().case(is_over(), bytes).finally(sum);
    let row = upload_usage::Model { actor_id, since: now, bytes };
    let add = OnConflict::column(upload_usage::Column::ActorId)
        .value(upload_usage::Column::Since, since)
        .value(upload_usage::Column::Bytes, sum)
        .to_owned();
    upload_usage::Entity::insert(row.into_active_model())
        .on_conflict(add)
        .exec_without_returning(tx.connection())
        .await?;
    let row = upload_usage::Entity::find_by_id(actor_id).one(tx.connection()).await?;
    Ok(row.map_or(bytes, |row: upload_usage::Model| row.bytes))
}
