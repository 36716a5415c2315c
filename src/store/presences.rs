//! Presences: the users who have joined a chat, and their expiry.

use super::changed::all_but_key;
use super::keyset::{self, Sorting};
use super::{Result, Rows, Tx};
use crate::domain::page::{Page, PageRequest};
use entity::{ActorId, ChatId, PresenceId, Timestamp, presence};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

/// Finds a presence in any chat. The caller must check that the viewer sees the chat.
pub async fn find(rows: &impl Rows, id: PresenceId) -> Result<Option<presence::Model>> {
    Ok(find_many(rows, &[id]).await?.pop())
}

/// Finds presences in any chat. The caller must check that the viewer sees the chats.
pub async fn find_many(rows: &impl Rows, ids: &[PresenceId]) -> Result<Vec<presence::Model>> {
    Ok(presence::Entity::find()
        .filter(presence::Column::Id.is_in(ids.iter().copied()))
        .all(rows.connection())
        .await?)
}

/// Lists the presences of the chat that have not ended, oldest first. Some may be past their lease.
pub async fn list_now(rows: &impl Rows, chat_id: ChatId) -> Result<Vec<presence::Model>> {
    Ok(presence::Entity::find()
        .filter(presence::Column::ChatId.eq(chat_id))
        .filter(presence::Column::EndedAt.is_null())
        .order_by_asc(presence::Column::CreatedAt)
        .order_by_asc(presence::Column::Id)
        .all(rows.connection())
        .await?)
}

/// Lists the presences of the chats that have not ended, in no order. The caller must check that the viewer
/// sees the chats.
pub async fn list_now_of_many(rows: &impl Rows, chat_ids: &[ChatId]) -> Result<Vec<presence::Model>> {
    Ok(presence::Entity::find()
        .filter(presence::Column::ChatId.is_in(chat_ids.iter().copied()))
        .filter(presence::Column::EndedAt.is_null())
        .all(rows.connection())
        .await?)
}

/// Finds the user's newest presence in the chat, even if it has ended.
pub async fn find_last_of_user(
    rows: &impl Rows,
    chat_id: ChatId,
    user_id: ActorId,
) -> Result<Option<presence::Model>> {
    Ok(presence::Entity::find()
        .filter(presence::Column::ChatId.eq(chat_id))
        .filter(presence::Column::UserId.eq(user_id))
        .order_by_desc(presence::Column::CreatedAt)
        .order_by_desc(presence::Column::Id)
        .one(rows.connection())
        .await?)
}

/// Finds the chats in which the user is present.
pub async fn chats_of_user(rows: &impl Rows, user_id: ActorId, chat_ids: &[ChatId]) -> Result<Vec<ChatId>> {
    Ok(presence::Entity::find()
        .select_only()
        .column(presence::Column::ChatId)
        .filter(presence::Column::UserId.eq(user_id))
        .filter(presence::Column::EndedAt.is_null())
        .filter(presence::Column::ChatId.is_in(chat_ids.iter().copied()))
        .into_tuple()
        .all(rows.connection())
        .await?)
}

/// Finds all chats in which the user is present.
pub async fn all_chats_of_user(rows: &impl Rows, user_id: ActorId) -> Result<Vec<ChatId>> {
    Ok(presence::Entity::find()
        .select_only()
        .column(presence::Column::ChatId)
        .filter(presence::Column::UserId.eq(user_id))
        .filter(presence::Column::EndedAt.is_null())
        .into_tuple()
        .all(rows.connection())
        .await?)
}

/// Finds up to `limit` chats with presences whose lease ended before `now`.
pub async fn chats_with_expired(rows: &impl Rows, now: Timestamp, limit: u64) -> Result<Vec<ChatId>> {
    Ok(presence::Entity::find()
        .select_only()
        .column(presence::Column::ChatId)
        .distinct()
        .filter(presence::Column::EndedAt.is_null())
        .filter(presence::Column::ExpiresAt.lt(now))
        .limit(limit)
        .into_tuple()
        .all(rows.connection())
        .await?)
}

/// Lists the same page of presences for several chats.
pub async fn list_of_each(
    rows: &impl Rows,
    chat_ids: &[ChatId],
    include_ended: bool,
    is_descending: bool,
    page: &PageRequest,
) -> Result<Vec<Page<presence::Model>>> {
    let lists = chat_ids.iter().map(|chat_id| {
        let list = presence::Entity::find().filter(presence::Column::ChatId.eq(*chat_id));
        if include_ended { list } else { list.filter(presence::Column::EndedAt.is_null()) }
    });
    let sorting = Sorting::by(presence::Column::CreatedAt, presence::Column::Id, is_descending);
    let owner =
        |row: &presence::Model| chat_ids.iter().position(|id| *id == row.chat_id).unwrap_or(usize::MAX);
    keyset::page_of_each(rows, lists.collect(), sorting, page, owner).await
}

pub async fn insert(tx: &Tx, row: &presence::Model) -> Result<()> {
    presence::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.connection()).await?;
    Ok(())
}

pub async fn update(tx: &Tx, row: &presence::Model) -> Result<()> {
    presence::Entity::update_many()
        .set(all_but_key(row))
        .filter(presence::Column::Id.eq(row.id))
        .exec(tx.connection())
        .await?;
    Ok(())
}
