//! Participants' own views of their chats: lists ordered by activity, and recent changes.

use super::access::participates;
use super::feed::members_of_each;
use super::keyset::{self, Sorting};
use super::{Result, Rows, Store, Tx};
use crate::domain::chat_filter::Members;
use crate::domain::page::{Order, Page, PageRequest};
use entity::{ActorId, ActorType, ChatId, OrganizationId, ParticipationId, Timestamp, chat, participation};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, RelationDef, Select,
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

/// The sort field of participations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParticipationOrderField {
    /// The start of the participation.
    CreatedAt,
    /// The time of the chat's newest message, or else its start.
    ActiveAt,
}

impl ParticipationOrderField {
    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "CREATED_AT",
            Self::ActiveAt => "ACTIVE_AT",
        }
    }
}

/// The sort order of participations.
pub type ParticipationOrder = Order<ParticipationOrderField>;

/// The arguments of a list of participations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListedParticipations {
    /// Only participations of actors of this type.
    pub actor_type: Option<ActorType>,
    /// The sort order.
    pub order: ParticipationOrder,
    /// Whether hidden participations are included. A viewer who cannot see `isHidden` of a participation gets it in
    /// either case.
    pub include_hidden: bool,
}

/// Lists the chats in which an actor participates. An index of the actor's participations has them in the requested
/// order, so the cost does not depend on their number.
pub async fn list_of_actor(
    rows: &impl Rows,
    actor_id: ActorId,
    asked: ListedParticipations,
    page: &PageRequest,
) -> Result<Page<participation::Model>> {
    let (list, sorting) = own(actor_id, asked);
    keyset::page(rows, list, sorting, page).await
}

/// The query plan of a page of [`list_of_actor`], line by line.
pub async fn explain_of_actor(
    rows: &impl Rows,
    actor_id: ActorId,
    asked: ListedParticipations,
    page: &PageRequest,
) -> Result<Vec<String>> {
    let (list, sorting) = own(actor_id, asked);
    keyset::explain(rows, &list, sorting, page).await
}

fn own(
    actor_id: ActorId,
    asked: ListedParticipations,
) -> (Select<participation::Entity>, Sorting<participation::Entity>) {
    let ListedParticipations { actor_type, order, include_hidden } = asked;
    let shown = if include_hidden { Condition::all() } else { is_shown() };
    let mut list = participation::Entity::find()
        .filter(participation::Column::ActorId.eq(actor_id))
        .filter(participates())
        .filter(in_chat(shown));
    if let Some(actor_type) = actor_type {
        list = list.filter(participation::Column::ActorType.eq(actor_type));
    }
    let (value, id) = match order.field {
        ParticipationOrderField::CreatedAt => (participation::Column::CreatedAt, participation::Column::Id),
        ParticipationOrderField::ActiveAt => (participation::Column::ActiveAt, participation::Column::ChatId),
    };
    (list, Sorting::by(value, id, order.is_descending))
}

/// Whether the chat of a participation is there, and so.
pub(super) fn in_chat(is_so: Condition) -> Expr {
    let of_row = Expr::col((chat::Entity, chat::Column::Id))
        .equals((participation::Entity, participation::Column::ChatId));
    let chats = chat::Entity::find()
        .select_only()
        .column(chat::Column::Id)
        .filter(of_row)
        .filter(chat::Column::DeletedAt.is_null())
        .filter(is_so);
    Expr::exists(chats.into_query())
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

async fn with_chats(store: &Store, found: Select<participation::Entity>) -> Result<Vec<OwnView>> {
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
