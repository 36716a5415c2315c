//! Deadlines that are too late because they were set while the clock was ahead.

use super::{Result, Rows, Tx, sessions};
use entity::{Timestamp, chat_session, presence};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

/// Limits the deadlines of ringing sessions to `rings_until` and of leases to `expires_at`. Returns the
/// number of changed rows. A session with a shorter ring time of its own rings for that time from `now` on.
pub async fn pull_in(tx: &Tx, now: Timestamp, rings_until: Timestamp, expires_at: Timestamp) -> Result<u64> {
    let rings_for =
        || Expr::col(chat_session::Column::RingsUntil).sub(Expr::col(chat_session::Column::StartedAt));
    let own = chat_session::Entity::update_many()
        .col_expr(chat_session::Column::RingsUntil, rings_for().add(now.0))
        .filter(sessions::is_ringing())
        .filter(chat_session::Column::RingsUntil.gt(rings_until))
        .filter(rings_for().between(0, rings_until.0 - now.0))
        .exec(tx.connection())
        .await?;
    let sessions = chat_session::Entity::update_many()
        .col_expr(chat_session::Column::RingsUntil, Expr::value(rings_until))
        .filter(sessions::is_ringing())
        .filter(chat_session::Column::RingsUntil.gt(rings_until))
        .exec(tx.connection())
        .await?;
    let presences = presence::Entity::update_many()
        .col_expr(presence::Column::ExpiresAt, Expr::value(expires_at))
        .filter(presence::Column::EndedAt.is_null())
        .filter(presence::Column::ExpiresAt.gt(expires_at))
        .exec(tx.connection())
        .await?;
    Ok(own.rows_affected + sessions.rows_affected + presences.rows_affected)
}
