//! Participations: the participants of a chat, and their read marks.

use super::access::{participated_in_by, participates};
use super::changed::all_but_key;
use super::keyset::{self, Sorting, Way};
use super::own_views::{self, ListedParticipations, ParticipationOrderField};
use super::{Result, Rows, Tx};
use crate::domain::limits;
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Ties};
use crate::domain::viewer::Viewer;
use entity::{ActorId, ActorType, ChatId, MessageType, ParticipationId, actor, chat, message, participation};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

/// Finds a participation in any chat. The caller must check that the viewer sees the chat.
pub async fn find(rows: &impl Rows, id: ParticipationId) -> Result<Option<participation::Model>> {
    Ok(find_many(rows, &[id]).await?.pop())
}

/// Finds participations in any chat. The caller must check that the viewer sees the chats.
pub async fn find_many(rows: &impl Rows, ids: &[ParticipationId]) -> Result<Vec<participation::Model>> {
    Ok(participation::Entity::find()
        .filter(participation::Column::Id.is_in(ids.iter().copied()))
        .all(rows.connection())
        .await?)
}

/// Finds the actor's participation in the chat, even if it has ended.
pub async fn find_of_actor(
    rows: &impl Rows,
    chat_id: ChatId,
    actor_id: ActorId,
) -> Result<Option<participation::Model>> {
    Ok(list_of_actor(rows, actor_id, &[chat_id]).await?.pop())
}

/// Reads the actor's ties to the chat.
pub async fn ties_of(rows: &impl Rows, chat_id: ChatId, actor_id: ActorId) -> Result<Ties> {
    Ok(Ties::of(find_of_actor(rows, chat_id, actor_id).await?.as_ref()))
}

/// Lists the actor's participations in these chats, including ended ones.
pub async fn list_of_actor(
    rows: &impl Rows,
    actor_id: ActorId,
    chat_ids: &[ChatId],
) -> Result<Vec<participation::Model>> {
    Ok(participation::Entity::find()
        .filter(participation::Column::ActorId.eq(actor_id))
        .filter(participation::Column::ChatId.is_in(chat_ids.iter().copied()))
        .all(rows.connection())
        .await?)
}

/// Lists the current participations of the chat, ordered by actor.
pub async fn list_now(rows: &impl Rows, chat_id: ChatId) -> Result<Vec<participation::Model>> {
    Ok(participation::Entity::find()
        .filter(participation::Column::ChatId.eq(chat_id))
        .filter(participates())
        .order_by_asc(participation::Column::ActorId)
        .all(rows.connection())
        .await?)
}

/// Lists the current participants of these chats, with their rows.
pub async fn list_actors_of_each(
    rows: &impl Rows,
    chat_ids: &[ChatId],
) -> Result<Vec<(participation::Model, Option<actor::Model>)>> {
    Ok(participation::Entity::find()
        .find_also_related(actor::Entity)
        .filter(participation::Column::ChatId.is_in(chat_ids.iter().copied()))
        .filter(participates())
        .order_by_asc(participation::Column::CreatedAt)
        .order_by_asc(participation::Column::Id)
        .all(rows.connection())
        .await?)
}

/// Finds GROUP chats of the organization with exactly these participants. Returns the ids, oldest first.
pub async fn find_chat_of_exactly(
    rows: &impl Rows,
    organization_id: entity::OrganizationId,
    actor_ids: &[ActorId],
) -> Result<Option<ChatId>> {
    let Some(first) = actor_ids.first() else { return Ok(None) };
    let own = participated_in_by(*first);
    let size = i64::try_from(actor_ids.len()).unwrap_or(i64::MAX);
    let of_exactly = participation::Entity::find()
        .select_only()
        .column(participation::Column::ChatId)
        .filter(participation::Column::ChatId.in_subquery(own))
        .filter(participates())
        .group_by(participation::Column::ChatId)
        .having(Expr::cust("count(*)").eq(size))
        .having(
            Expr::expr(
                Expr::case(participation::Column::ActorId.is_in(actor_ids.iter().copied()), 1).finally(0),
            )
            .sum()
            .eq(size),
        )
        .into_query();
    Ok(chat::Entity::find()
        .select_only()
        .column(chat::Column::Id)
        .filter(chat::Column::OrganizationId.eq(organization_id))
        .filter(chat::Column::EndedAt.is_null())
        .filter(chat::Column::Id.in_subquery(of_exactly))
        .order_by_asc(chat::Column::StartedAt)
        .order_by_asc(chat::Column::Id)
        .into_tuple()
        .one(rows.connection())
        .await?)
}

/// Lists the same page of participations for several chats. A chat has few participations, so sorting them is cheap.
pub async fn list_of_each(
    rows: &impl Rows,
    viewer: &Viewer,
    chat_ids: &[ChatId],
    asked: ListedParticipations,
    page: &PageRequest,
) -> Result<Vec<Page<participation::Model>>> {
    let ListedParticipations { actor_type, order, include_hidden } = asked;
    let lists = chat_ids.iter().map(|chat_id| {
        let mut list = participation::Entity::find()
            .filter(participation::Column::ChatId.eq(*chat_id))
            .filter(participates());
        if !include_hidden {
            list = list.filter(is_not_seen_hidden(viewer));
        }
        match actor_type {
            Some(actor_type) => list.filter(participation::Column::ActorType.eq(actor_type)),
            None => list,
        }
    });
    let id = participation::Column::Id;
    let sorting = match order.field {
        ParticipationOrderField::CreatedAt => {
            Sorting::by(participation::Column::CreatedAt, id, order.is_descending)
        }
        ParticipationOrderField::ActiveAt => Sorting {
            way: Way::Sorted,
            ..Sorting::by(participation::Column::ActiveAt, id, order.is_descending)
        },
    };
    let owner =
        |row: &participation::Model| chat_ids.iter().position(|id| *id == row.chat_id).unwrap_or(usize::MAX);
    keyset::page_of_each(rows, lists.collect(), sorting, page, owner).await
}

/// Whether the participation of the row is shown, or the viewer cannot see that it is hidden.
fn is_not_seen_hidden(viewer: &Viewer) -> Condition {
    let shown = Condition::any().add(own_views::in_chat(own_views::is_shown()));
    if policy::reads_all_own_views(viewer) {
        shown
    } else {
        shown.add(participation::Column::ActorId.ne(viewer.actor_id))
    }
}

/// Counts the messages by others after the read mark of each participation, up to 100. Notes are counted for
/// readers who may see them.
pub async fn unread_of_each(
    rows: &impl Rows,
    ids: &[ParticipationId],
    with_notes: bool,
) -> Result<Vec<(ParticipationId, i64)>> {
    Ok(participation::Entity::find()
        .select_only()
        .column(participation::Column::Id)
        .column_as(unread(limits::UNREAD_MAX, with_notes), "unread")
        .filter(participation::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(rows.connection())
        .await?)
}

/// Counts the unread messages in all chats in which the actor participates and that are not hidden, up to
/// 100.
pub async fn unread_of_actor(rows: &impl Rows, actor_id: ActorId, with_notes: bool) -> Result<u64> {
    let bounded = Query::select()
        .expr(Expr::val(1))
        .from(participation::Entity)
        .inner_join(
            message::Entity,
            Expr::col((message::Entity, message::Column::ChatId))
                .equals((participation::Entity, participation::Column::ChatId)),
        )
        .inner_join(
            chat::Entity,
            Expr::col((chat::Entity, chat::Column::Id))
                .equals((participation::Entity, participation::Column::ChatId)),
        )
        .and_where(participation::Column::ActorId.eq(actor_id))
        .and_where(participates())
        .and_where(chat::Column::DeletedAt.is_null())
        .cond_where(own_views::is_shown())
        .and_where(is_unread(with_notes))
        .limit(limits::UNREAD_MAX)
        .to_owned();
    let counted = Query::select()
        .expr_as(Expr::cust("count(*)"), Alias::new("unread"))
        .from_subquery(bounded, Alias::new("bounded"))
        .to_owned();
    let row = sea_orm::ConnectionTrait::query_one(rows.connection(), &counted).await?;
    let counted: i64 = row.map(|row| row.try_get("", "unread")).transpose()?.unwrap_or_default();
    Ok(u64::try_from(counted).unwrap_or_default())
}

/// A scalar subquery that counts the unread messages of the participation of the row, up to `limit`.
fn unread(limit: u64, with_notes: bool) -> Expr {
    let bounded = Query::select()
        .expr(Expr::val(1))
        .from(message::Entity)
        .inner_join(
            chat::Entity,
            Expr::col((chat::Entity, chat::Column::Id)).equals((message::Entity, message::Column::ChatId)),
        )
        .and_where(
            Expr::col((message::Entity, message::Column::ChatId))
                .equals((participation::Entity, participation::Column::ChatId)),
        )
        .and_where(is_unread(with_notes))
        .limit(limit)
        .to_owned();
    let counted =
        Query::select().expr(Expr::cust("count(*)")).from_subquery(bounded, Alias::new("bounded")).to_owned();
    counted.into()
}

/// Whether a message is unread: sent by somebody else, not deleted, and after both the read mark and the
/// archive mark. The two marks form a single bound, so that an index can be used.
fn is_unread(with_notes: bool) -> Expr {
    let read = || Expr::col((participation::Entity, participation::Column::LastReadSequence));
    let archived = || Expr::col((chat::Entity, chat::Column::ArchivedSequence));
    let seen = Expr::case(read().lt(archived()), archived()).finally(read());
    let reader = Expr::col((participation::Entity, participation::Column::ActorId));
    let mut is_meant = Expr::col((message::Entity, message::Column::IsInternal)).eq(false);
    if with_notes {
        let is_colleague = Expr::col((participation::Entity, participation::Column::ActorType));
        is_meant = is_meant.or(is_colleague.eq(ActorType::User));
    }
    Expr::col((message::Entity, message::Column::Sequence))
        .gt(seen)
        .and(is_meant)
        .and(message::Column::MessageType.eq(MessageType::Message))
        .and(Expr::col((message::Entity, message::Column::DeletedAt)).is_null())
        .and(Expr::col((message::Entity, message::Column::SenderId)).ne(reader))
}

pub async fn insert(tx: &Tx, row: &participation::Model) -> Result<()> {
    participation::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

pub async fn update(tx: &Tx, row: &participation::Model) -> Result<()> {
    participation::Entity::update_many()
        .set(all_but_key(row))
        .filter(participation::Column::Id.eq(row.id))
        .exec(tx.connection())
        .await?;
    Ok(())
}
