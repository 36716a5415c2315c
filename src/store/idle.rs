//! Idle chats in rooms that end such chats.

use super::{Result, Rows, sessions};
use entity::{ChatId, Timestamp, chat, chat_session, room};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait};

/// The number of milliseconds in a minute.
const MINUTE: i64 = 60_000;

/// Lists up to `limit` chats of all organizations that are idle at `now`.
pub async fn list_idle(rows: &impl Rows, now: Timestamp, limit: u64) -> Result<Vec<ChatId>> {
    let statement = idle(now).limit(limit).to_owned();
    let found = rows.connection().query_all(&statement).await?;
    found.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Whether the chat is idle at `now`.
pub async fn is_idle(rows: &impl Rows, chat_id: ChatId, now: Timestamp) -> Result<bool> {
    let statement = idle(now).and_where(chat::Column::Id.eq(chat_id)).to_owned();
    Ok(rows.connection().query_one(&statement).await?.is_some())
}

/// Selects open chats whose log has not grown for the idle time of their room, and in which no session rings,
/// is in progress or is planned. A session whose planned time has just passed delays the end by the same idle
/// time.
fn idle(now: Timestamp) -> SelectStatement {
    let wait = Expr::col((room::Entity, room::Column::EndAfterIdleMinutes)).cast_as(Alias::new("bigint"));
    let since = Expr::val(now.0).sub(wait.mul(MINUTE));
    let session = Query::select()
        .expr(Expr::val(1))
        .from(chat_session::Entity)
        .and_where(
            Expr::col((chat_session::Entity, chat_session::Column::ChatId))
                .equals((chat::Entity, chat::Column::Id)),
        )
        .and_where(
            sessions::is_open().or(sessions::is_pending()
                .and(Expr::col((chat_session::Entity, chat_session::Column::ScheduledAt)).gt(since.clone()))),
        )
        .to_owned();
    Query::select()
        .column((chat::Entity, chat::Column::Id))
        .from(room::Entity)
        .inner_join(
            chat::Entity,
            Expr::col((chat::Entity, chat::Column::RoomId)).equals((room::Entity, room::Column::Id)),
        )
        .and_where(room::Column::EndAfterIdleMinutes.gt(0))
        .and_where(chat::Column::EndedAt.is_null())
        .and_where(Expr::col((chat::Entity, chat::Column::LoggedAt)).lte(since))
        .and_where(Expr::not_exists(session))
        .to_owned()
}
