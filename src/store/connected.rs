//! Data for open connections: the access of their actors, and the leases that they keep alive.

use super::{Result, Rows, Store, Tx, principals};
use crate::domain::event::Signal;
use crate::domain::rooms::Principal;
use entity::{ActorId, ChatId, Timestamp, actor, presence};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

/// The maximum number of presences renewed by one statement.
const CHUNK: usize = 1_000;

/// The presences to keep alive.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Users of whom all presences are renewed.
    pub everywhere: Vec<ActorId>,
    /// Users and the chat in which their presence is renewed.
    pub in_chat: Vec<(ActorId, ChatId)>,
}

/// Reads the `auth_version` of each actor.
pub async fn auth_versions(store: &Store, ids: &[ActorId]) -> Result<Vec<(ActorId, i64)>> {
    Ok(actor::Entity::find()
        .select_only()
        .columns([actor::Column::Id, actor::Column::AuthVersion])
        .filter(actor::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(store.connection())
        .await?)
}

/// Reads the rows of the actors, with their rooms.
pub async fn principals_by_id(store: &Store, ids: &[ActorId]) -> Result<Vec<Principal>> {
    principals::read(store, actor::Entity::find().filter(actor::Column::Id.is_in(ids.iter().copied()))).await
}

/// Moves the end of the leases to `expires_at`, and publishes each renewed presence. Skips rows that are
/// locked, so that this never waits for an action. The next renewal includes them.
pub async fn renew_presences(
    store: &Store,
    kept: &Kept,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    let mut whose = Condition::any();
    if !kept.everywhere.is_empty() {
        whose = whose.add(presence::Column::UserId.is_in(kept.everywhere.iter().copied()));
    }
    for (user_id, chat_id) in &kept.in_chat {
        whose = whose.add(
            Condition::all()
                .add(presence::Column::UserId.eq(*user_id))
                .add(presence::Column::ChatId.eq(*chat_id)),
        );
    }
    if whose.is_empty() {
        return Ok(());
    }
    let renewed = store.transaction(async |tx| renew_free(tx, whose, now, expires_at).await);
    renewed.await.map(|done| done.value)
}

async fn renew_free(tx: &mut Tx, whose: Condition, now: Timestamp, expires_at: Timestamp) -> Result<()> {
    let free = presence::Entity::find()
        .filter(presence::Column::EndedAt.is_null())
        .filter(whose)
        .order_by_asc(presence::Column::Id)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx.connection())
        .await?;
    for chunk in free.chunks(CHUNK) {
        presence::Entity::update_many()
            .col_expr(presence::Column::LastSeenAt, Expr::value(now))
            .col_expr(presence::Column::ExpiresAt, Expr::value(expires_at))
            .filter(presence::Column::Id.is_in(chunk.iter().map(|row| row.id)))
            .exec(tx.connection())
            .await?;
    }
    for row in free {
        let chat_id = row.chat_id;
        tx.hint(chat_id, Signal::Presence(presence::Model { last_seen_at: now, expires_at, ..row }));
    }
    Ok(())
}

/// Records that the actors were active.
pub async fn seen(store: &Store, ids: &[ActorId], now: Timestamp) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let free = actor::Entity::find()
        .select_only()
        .column(actor::Column::Id)
        .filter(actor::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(actor::Column::Id)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .into_query();
    let noted = store.transaction(async |tx| {
        actor::Entity::update_many()
            .col_expr(actor::Column::LastSeenAt, Expr::value(now))
            .filter(actor::Column::Id.in_subquery(free))
            .exec(tx.connection())
            .await?;
        Ok(())
    });
    noted.await.map(|done| done.value)
}
