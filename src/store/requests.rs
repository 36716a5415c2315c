//! Remembered `requestId`s.

use super::{Result, Rows, Tx};
use entity::{ActorId, request};
use sea_orm::{EntityTrait, IntoActiveModel};

/// The object that the caller created under this id before.
pub async fn find(rows: &impl Rows, caller_id: ActorId, request_id: &str) -> Result<Option<request::Model>> {
    Ok(request::Entity::find_by_id((caller_id, request_id.to_owned())).one(rows.connection()).await?)
}

/// Remembers what the caller made; `Taken` where the same id made something at the same time.
pub async fn insert(tx: &Tx, row: &request::Model) -> Result<()> {
    request::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.connection()).await?;
    Ok(())
}
