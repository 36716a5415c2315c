//! Stored `requestId`s.

use super::{Result, Rows, Tx};
use entity::{ActorId, request};
use sea_orm::{EntityTrait, IntoActiveModel};

/// Finds what the caller created under this id.
pub async fn find(rows: &impl Rows, caller_id: ActorId, request_id: &str) -> Result<Option<request::Model>> {
    Ok(request::Entity::find_by_id((caller_id, request_id.to_owned())).one(rows.connection()).await?)
}

/// Stores what the caller created. Fails with `Taken` if a concurrent call used the same id.
pub async fn insert(tx: &Tx, row: &request::Model) -> Result<()> {
    request::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.connection()).await?;
    Ok(())
}
