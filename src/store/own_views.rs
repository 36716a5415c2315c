//! Participants' own views of their chats: lists ordered by activity, and recent changes.

use super::access::participates;
use super::feed::members_of_each;
use super::keyset::{self, Sorting, Way};
use super::{Result, Rows, Store, Tx};
use crate::domain::chat_filter::Members;
use crate::domain::page::{Page, PageRequest};
use entity::{ActorId, ChatId, OrganizationId, ParticipationId, Timestamp, chat, participation};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, RelationDef,
};
use std::collections::HashMap;
use std::sync::Arc;

/// A participant's own view, with its chat and the chat's members.
#[derive(Clone, Debug)]
pub struct OwnView {
    /// The participation that stores the view.
    pub participation: participation::Model,
    pub chat: Arc<chat::Model>,
    /// The current members.
    pub members: Members,
}

/// Lists the chats in which an actor participates, most recent activity first. The actor's own index has them
/// in this order, so the cost does not depend on their number.
pub async fn list_of_actor(
    rows: &impl Rows,
    actor_id: ActorId,
    include_hidden: bool,
    page: &PageRequest,
) -> Result<Page<participation::Model>> {
    let mut of_chat = chat::Entity::find()
        .select_only()
        .column(chat::Column::Id)
        .filter(
            Expr::col((chat::Entity, chat::Column::Id))
                .equals((participation::Entity, participation::Column::ChatId)),
        )
        .filter(chat::Column::DeletedAt.is_null());
    if !include_hidden {
        of_chat = of_chat.filter(is_shown());
    }
    let list = participation::Entity::find()
        .filter(participation::Column::ActorId.eq(actor_id))
        .filter(participates())
        .filter(Expr::exists(of_chat.into_query()));
    let sorting = Sorting {
        value: participation::Column::ActiveAt,
        id: Some(participation::Column::ChatId),
        is_descending: true,
        way: Way::InOrder,
    };
    keyset::page(rows, list, sorting, page).await
}

/// Whether the participation of the row does not hide its chat. A later message makes a hidden chat visible
/// again.
pub(super) fn is_shown() -> Condition {
    let hidden = || Expr::col((participation::Entity, participation::Column::HiddenSequence));
    let last = || Expr::col((chat::Entity, chat::Column::LastMessageSequence));
    // Without messages the comparison is NULL, and so is its negation.
    Condition::any().add(hidden().is_null()).add(last().is_not_null().and(hidden().lt(last())))
}

/// Finds own views by id, of chats that exist. Reads one snapshot.
pub async fn find_many(store: &Store, ids: &[ParticipationId]) -> Result<Vec<OwnView>> {
    let found = participation::Entity::find().filter(participation::Column::Id.is_in(ids.iter().copied()));
    with_chats(store, found).await
}

/// Lists the actor's own views and read marks that changed at or after a moment, newest first.
pub async fn changed_since(
    store: &Store,
    actor_id: ActorId,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<OwnView>> {
    let found = participation::Entity::find()
        .filter(participation::Column::ActorId.eq(actor_id))
        .filter(participation::Column::ViewedAt.gte(since))
        .order_by_desc(participation::Column::ViewedAt)
        .limit(limit);
    with_chats(store, found).await
}

/// An own view that changed.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub struct ChangedView {
    /// The participation that stores the view.
    pub id: ParticipationId,
    pub chat_id: ChatId,
    pub organization_id: OrganizationId,
    /// The time of the change.
    pub viewed_at: Timestamp,
}

/// Lists the own views and read marks of these actors that changed at or after a moment.
pub async fn changed_of_actors(
    store: &Store,
    actor_ids: &[ActorId],
    since: Timestamp,
) -> Result<Vec<ChangedView>> {
    Ok(participation::Entity::find()
        .select_only()
        .columns([participation::Column::Id, participation::Column::ChatId, participation::Column::ViewedAt])
        .column(chat::Column::OrganizationId)
        .join(JoinType::InnerJoin, of_chat())
        .filter(participation::Column::ActorId.is_in(actor_ids.iter().copied()))
        .filter(participation::Column::ViewedAt.gte(since))
        .into_model()
        .all(store.connection())
        .await?)
}

fn of_chat() -> RelationDef {
    participation::Entity::belongs_to(chat::Entity)
        .from(participation::Column::ChatId)
        .to(chat::Column::Id)
        .into()
}

/// Moves the chat up in the lists of all its participants.
pub async fn be_active(tx: &Tx, chat_id: ChatId, at: Timestamp) -> Result<()> {
    participation::Entity::update_many()
        .col_expr(participation::Column::ActiveAt, Expr::value(at))
        .filter(participation::Column::ChatId.eq(chat_id))
        .filter(participates())
        .exec(tx.connection())
        .await?;
    Ok(())
}

async fn with_chats(store: &Store, found: sea_orm::Select<participation::Entity>) -> Result<Vec<OwnView>> {
    let rows = store.snapshot().await?;
    let found = found.all(&rows).await?;
    let chat_ids: Vec<_> = found.iter().map(|row| row.chat_id).collect();
    let chats: HashMap<_, _> = chat::Entity::find()
        .filter(chat::Column::Id.is_in(chat_ids.iter().copied()))
        .all(&rows)
        .await?
        .into_iter()
        .map(|chat| (chat.id, Arc::new(chat)))
        .collect();
    let members = members_of_each(&rows, &chat_ids).await?;
    rows.commit().await?;
    Ok(found
        .into_iter()
        .filter_map(|participation| {
            let chat = Arc::clone(chats.get(&participation.chat_id)?);
            let members = members.get(&participation.chat_id).cloned().unwrap_or_default();
            Some(OwnView { participation, chat, members })
        })
        .collect())
}
