//! What is due later than it can be: it was set while the clock was ahead of now.

use super::{Result, Rows, Tx};
use entity::{SessionState, Timestamp, chat_session, presence};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

/// Lets every session that rings end by `rings_until` and every lease by `expires_at`: how many ended later.
pub async fn pull_in(tx: &Tx, rings_until: Timestamp, expires_at: Timestamp) -> Result<u64> {
    let sessions = chat_session::Entity::update_many()
        .col_expr(chat_session::Column::RingsUntil, Expr::value(rings_until))
        .filter(chat_session::Column::State.eq(SessionState::Started))
        .filter(chat_session::Column::RingsUntil.gt(rings_until))
        .exec(tx.connection())
        .await?;
    let presences = presence::Entity::update_many()
        .col_expr(presence::Column::ExpiresAt, Expr::value(expires_at))
        .filter(presence::Column::EndedAt.is_null())
        .filter(presence::Column::ExpiresAt.gt(expires_at))
        .exec(tx.connection())
        .await?;
    Ok(sessions.rows_affected + presences.rows_affected)
}
