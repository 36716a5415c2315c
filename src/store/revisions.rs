//! Previous texts of edited messages.

use super::{Result, Rows, Tx};
use entity::{MessageId, message_revision};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder};

/// Lists the earlier texts of each message, oldest first.
pub async fn list_of_each(rows: &impl Rows, ids: &[MessageId]) -> Result<Vec<message_revision::Model>> {
    Ok(message_revision::Entity::find()
        .filter(message_revision::Column::MessageId.is_in(ids.iter().copied()))
        .order_by_asc(message_revision::Column::MessageId)
        .order_by_asc(message_revision::Column::Number)
        .all(rows.connection())
        .await?)
}

/// Counts the earlier texts of a message.
pub async fn count(rows: &impl Rows, id: MessageId) -> Result<i32> {
    let of_message = message_revision::Entity::find().filter(message_revision::Column::MessageId.eq(id));
    Ok(i32::try_from(of_message.count(rows.connection()).await?).unwrap_or(i32::MAX))
}

pub async fn insert(tx: &Tx, row: &message_revision::Model) -> Result<()> {
    message_revision::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Deletes all earlier texts of a message.
pub async fn forget(tx: &Tx, id: MessageId) -> Result<()> {
    message_revision::Entity::delete_many()
        .filter(message_revision::Column::MessageId.eq(id))
        .exec(tx.connection())
        .await?;
    Ok(())
}
