//! What open connections need of the store: how their actors stand, and the leases that they keep alive.

use super::{Result, Rows, Store};
use entity::{ActorId, ChatId, Timestamp, actor, presence};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

/// Which presences are kept alive.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Users of whom every presence is.
    pub everywhere: Vec<ActorId>,
    /// Users of whom the presence in one chat is.
    pub in_chat: Vec<(ActorId, ChatId)>,
}

/// The `auth_version` of each of the actors.
pub async fn auth_versions(store: &Store, ids: &[ActorId]) -> Result<Vec<(ActorId, i64)>> {
    Ok(actor::Entity::find()
        .select_only()
        .columns([actor::Column::Id, actor::Column::AuthVersion])
        .filter(actor::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(store.connection())
        .await?)
}

/// The rows of the actors.
pub async fn actors_by_id(store: &Store, ids: &[ActorId]) -> Result<Vec<actor::Model>> {
    Ok(actor::Entity::find()
        .filter(actor::Column::Id.is_in(ids.iter().copied()))
        .all(store.connection())
        .await?)
}

/// Moves the end of the leases to `expires_at`, and returns the renewed presences. A row that somebody else is writing is left for the next
/// time, so that this never waits for an action, nor an action for this.
pub async fn renew_presences(
    store: &Store,
    kept: &Kept,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Vec<presence::Model>> {
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
        return Ok(Vec::new());
    }
    let free = presence::Entity::find()
        .select_only()
        .column(presence::Column::Id)
        .filter(presence::Column::EndedAt.is_null())
        .filter(whose)
        .order_by_asc(presence::Column::Id)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query();
    let tx = store.begin().await?;
    let renewed = presence::Entity::update_many()
        .col_expr(presence::Column::LastSeenAt, Expr::value(now))
        .col_expr(presence::Column::ExpiresAt, Expr::value(expires_at))
        .filter(presence::Column::Id.in_subquery(free))
        .exec_with_returning(tx.connection())
        .await;
    end(tx, renewed).await
}

/// Notes that the actors were heard from.
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
    let tx = store.begin().await?;
    let noted = actor::Entity::update_many()
        .col_expr(actor::Column::LastSeenAt, Expr::value(now))
        .filter(actor::Column::Id.in_subquery(free))
        .exec(tx.connection())
        .await;
    end(tx, noted.map(drop)).await
}

async fn end<T>(tx: super::Tx, written: std::result::Result<T, sea_orm::DbErr>) -> Result<T> {
    match written {
        Ok(value) => tx.commit().await.map(|_| value),
        Err(error) => {
            tx.roll_back().await?;
            Err(error.into())
        }
    }
}
