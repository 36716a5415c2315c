//! Reactions of actors to messages.

use super::{Result, Rows, Tx};
use entity::{ActorId, MessageId, reaction};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

/// A reaction to a message, with its count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub emoji: String,
    /// The number of actors who reacted with it.
    pub count: i64,
    /// Whether the viewer is one of them.
    pub is_own: bool,
}

/// Counts the reactions to each message, the earliest first, in one statement.
pub async fn count_of_each(
    rows: &impl Rows,
    ids: &[MessageId],
    viewer: ActorId,
) -> Result<Vec<(MessageId, Counted)>> {
    let is_own = Expr::case(reaction::Column::ActorId.eq(viewer), 1).finally(0);
    let found: Vec<(MessageId, String, i64, i64)> = reaction::Entity::find()
        .select_only()
        .columns([reaction::Column::MessageId, reaction::Column::Emoji])
        .expr_as(Expr::cust("count(*)"), "count")
        .expr_as(Expr::expr(is_own).sum(), "own")
        .filter(reaction::Column::MessageId.is_in(ids.iter().copied()))
        .group_by(reaction::Column::MessageId)
        .group_by(reaction::Column::Emoji)
        .order_by_asc(Expr::col(reaction::Column::CreatedAt).min())
        .order_by_asc(reaction::Column::Emoji)
        .into_tuple()
        .all(rows.connection())
        .await?;
    let counted = |(id, emoji, count, own)| (id, Counted { emoji, count, is_own: own > 0 });
    Ok(found.into_iter().map(counted).collect())
}

/// Adds a reaction. Returns whether it is new.
pub async fn insert(tx: &Tx, row: &reaction::Model) -> Result<bool> {
    let nothing = OnConflict::new().do_nothing().to_owned();
    let inserted = reaction::Entity::insert(row.clone().into_active_model())
        .on_conflict(nothing)
        .exec_without_returning(tx.connection())
        .await?;
    Ok(inserted > 0)
}

/// Removes a reaction. Returns whether it existed.
pub async fn remove(tx: &Tx, message_id: MessageId, emoji: &str, actor_id: ActorId) -> Result<bool> {
    let removed = reaction::Entity::delete_many()
        .filter(reaction::Column::MessageId.eq(message_id))
        .filter(reaction::Column::Emoji.eq(emoji))
        .filter(reaction::Column::ActorId.eq(actor_id))
        .exec(tx.connection())
        .await?;
    Ok(removed.rows_affected > 0)
}

/// Deletes all reactions to a message.
pub async fn forget(tx: &Tx, message_id: MessageId) -> Result<()> {
    reaction::Entity::delete_many()
        .filter(reaction::Column::MessageId.eq(message_id))
        .exec(tx.connection())
        .await?;
    Ok(())
}
