//! Sign-ins and their refresh tokens. Changing those of an actor requires that actor's lock.

use super::changed::all_but_key;
use super::{Result, Rows, Tx, principals};
use crate::domain::rooms::Principal;
use entity::{ActorId, SignInId, Timestamp, actor, refresh_token, sign_in};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, QueryTrait};

/// Finds the actor of a token with their rooms, in any organization, unless its sign-in was ended. For authentication
/// only.
pub async fn actor_of_token(
    rows: &impl Rows,
    actor_id: ActorId,
    sign_in_id: SignInId,
) -> Result<Option<Principal>> {
    let ended = sign_in::Entity::find()
        .select_only()
        .column(sign_in::Column::Id)
        .filter(sign_in::Column::Id.eq(sign_in_id))
        .filter(sign_in::Column::RevokedAt.is_not_null())
        .into_query();
    let actor = actor::Entity::find_by_id(actor_id).filter(Expr::exists(ended).not());
    Ok(principals::read(rows, actor).await?.pop())
}

/// Finds a sign-in. A sign-in without refresh tokens has no row until it is revoked.
pub async fn find(rows: &impl Rows, id: SignInId) -> Result<Option<sign_in::Model>> {
    Ok(sign_in::Entity::find_by_id(id).one(rows.connection()).await?)
}

/// Finds a refresh token and its sign-in, in any organization. The caller must check who owns it.
pub async fn find_refresh(
    rows: &impl Rows,
    hash: &str,
) -> Result<Option<(refresh_token::Model, sign_in::Model)>> {
    let token = refresh_token::Entity::find_by_id(hash.to_owned()).one(rows.connection()).await?;
    let Some(token) = token else { return Ok(None) };
    Ok(find(rows, token.sign_in_id).await?.map(|sign_in| (token, sign_in)))
}

/// Inserts or updates a sign-in.
pub async fn save(tx: &Tx, row: &sign_in::Model) -> Result<()> {
    let known = OnConflict::column(sign_in::Column::Id)
        .update_columns([sign_in::Column::ExpiresAt, sign_in::Column::RevokedAt])
        .to_owned();
    sign_in::Entity::insert(row.clone().into_active_model())
        .on_conflict(known)
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Ends all active sign-ins of an actor.
pub async fn end_all_of(tx: &Tx, actor_id: ActorId, now: Timestamp) -> Result<()> {
    sign_in::Entity::update_many()
        .col_expr(sign_in::Column::RevokedAt, Expr::value(now))
        .filter(sign_in::Column::ActorId.eq(actor_id))
        .filter(sign_in::Column::RevokedAt.is_null())
        .exec(tx.connection())
        .await?;
    Ok(())
}

pub async fn insert_refresh(tx: &Tx, row: &refresh_token::Model) -> Result<()> {
    refresh_token::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

pub async fn update_refresh(tx: &Tx, row: &refresh_token::Model) -> Result<()> {
    refresh_token::Entity::update_many()
        .set(all_but_key(row))
        .filter(refresh_token::Column::Hash.eq(&row.hash))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Deletes up to `limit` sign-ins and up to `limit` refresh tokens that ended before a moment. Returns
/// whether there may be more.
pub async fn forget_before(tx: &Tx, before: Timestamp, limit: u64) -> Result<bool> {
    let old = refresh_token::Entity::find()
        .select_only()
        .column(refresh_token::Column::Hash)
        .filter(refresh_token::Column::ExpiresAt.lt(before))
        .limit(limit)
        .into_query();
    let tokens = refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::Hash.in_subquery(old))
        .exec(tx.connection())
        .await?;
    let has_tokens = Query::select()
        .expr(Expr::value(1))
        .from(refresh_token::Entity)
        .and_where(
            Expr::col((refresh_token::Entity, refresh_token::Column::SignInId))
                .equals((sign_in::Entity, sign_in::Column::Id)),
        )
        .to_owned();
    let over = sign_in::Entity::find()
        .select_only()
        .column(sign_in::Column::Id)
        .filter(sign_in::Column::ExpiresAt.lt(before))
        .filter(Expr::exists(has_tokens).not())
        .limit(limit)
        .into_query();
    let sign_ins = sign_in::Entity::delete_many()
        .filter(sign_in::Column::Id.in_subquery(over))
        .exec(tx.connection())
        .await?;
    Ok(tokens.rows_affected == limit || sign_ins.rows_affected == limit)
}
