//! Chats: finds them, and lists those that a viewer may see.

mod leads;

use super::access::{self, participated_in_by};
use super::keyset::{self, Sorting, Through, Way};
use super::{Result, Rows, Store, own_views};
use crate::domain::chat_filter::{ChatFilter, ChatOrder, ChatOrderField};
use crate::domain::limits;
use crate::domain::page::{Key, Page, PageRequest};
use crate::domain::viewer::Viewer;
use entity::{
    ActorId, ChatId, OrganizationId, RoomId, Timestamp, actor, chat, chat_tag, participation, presence,
};
use leads::Lead;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    RelationTrait, Select,
};

/// Finds a chat of the organization. The caller must check that the viewer sees it.
pub async fn find_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    id: ChatId,
) -> Result<Option<chat::Model>> {
    Ok(chat::Entity::find_by_id(id)
        .filter(chat::Column::OrganizationId.eq(organization_id))
        .one(rows.connection())
        .await?)
}

/// Lists the visitor's open chats in the room that were active at or after `since`, newest first.
pub async fn list_recent_of_visitor(
    rows: &impl Rows,
    visitor: &actor::Model,
    room_id: RoomId,
    since: Timestamp,
) -> Result<Vec<chat::Model>> {
    Ok(chat::Entity::find()
        .filter(chat::Column::OrganizationId.eq(visitor.organization_id))
        .filter(chat::Column::VisitorId.eq(visitor.id))
        .filter(chat::Column::RoomId.eq(room_id))
        .filter(chat::Column::EndedAt.is_null())
        .filter(chat::Column::ActiveAt.gte(since))
        .order_by_desc(chat::Column::ActiveAt)
        .order_by_desc(chat::Column::Id)
        .limit(limits::RESUMABLE)
        .all(rows.connection())
        .await?)
}

/// Finds chats that the viewer sees.
pub async fn find_many_visible(
    rows: &impl Rows,
    viewer: &Viewer,
    ids: &[ChatId],
) -> Result<Vec<chat::Model>> {
    Ok(visible(viewer).filter(chat::Column::Id.is_in(ids.iter().copied())).all(rows.connection()).await?)
}

/// The arguments of a list of chats.
#[derive(Clone, Copy, Debug)]
pub struct ListedChats<'a> {
    /// The conditions that the chats must meet.
    pub filter: &'a ChatFilter,
    /// The sort order.
    pub order: ChatOrder,
    /// Whether chats that the viewer hides are included.
    pub include_hidden: bool,
}

/// Lists the chats that the viewer sees and the filter matches.
pub async fn list_visible(
    store: &Store,
    viewer: &Viewer,
    asked: ListedChats<'_>,
    page: &PageRequest,
) -> Result<Page<chat::Model>> {
    if !leads::are_any(asked.filter, asked.order.field) {
        let (list, sorting) = listed(store, viewer, asked).await?;
        return keyset::page(store, list, sorting, page).await;
    }
    let rows = store.planned_snapshot().await?;
    let (list, sorting) = listed(&rows, viewer, asked).await?;
    let page = keyset::page(&rows, list, sorting, page).await?;
    rows.commit().await?;
    Ok(page)
}

/// The query plan of a page of [`list_visible`], line by line.
pub async fn explain_visible(
    rows: &impl Rows,
    viewer: &Viewer,
    asked: ListedChats<'_>,
    page: &PageRequest,
) -> Result<Vec<String>> {
    let (list, sorting) = listed(rows, viewer, asked).await?;
    keyset::explain(rows, &list, sorting, page).await
}

async fn listed(
    rows: &impl Rows,
    viewer: &Viewer,
    asked: ListedChats<'_>,
) -> Result<(Select<chat::Entity>, Sorting<chat::Entity>)> {
    let ListedChats { filter, order, include_hidden } = asked;
    let mut sorting = sorting(order);
    let few = leads::to_few(rows, viewer.organization_id, filter, order.field).await?;
    let visible = match few {
        Some(Lead::Tag(_) | Lead::Participant(_) | Lead::PresentUser) => visible_among(viewer),
        Some(Lead::Index) | None => visible(viewer),
    };
    let is_by_tag = few.is_none() && !filter.tags.is_empty() && order.field == ChatOrderField::StartedAt;
    let lead = if is_by_tag { Some(Lead::Tag(0)) } else { few };
    let mut list = filtered(visible, viewer.organization_id, filter, lead);
    if !include_hidden {
        let hidden = own_part(viewer.actor_id).cond_where(own_views::is_shown().not()).to_owned();
        list = list.filter(Expr::exists(hidden).not());
    }
    if is_by_tag {
        let through = Through { table: "chat_tag", value: "started_at", id: "chat_id" };
        sorting.way = Way::Through(through);
    }
    if few.is_some() {
        sorting.way = Way::Sorted;
    } else if let Some(from) = least(filter) {
        // Nothing happens in a chat before it starts, so this bound lets the order's own index be used.
        list = list.filter(sorting.value.gte(from));
    }
    Ok((that_have(list, order.field), sorting))
}

/// Keeps only chats that have the field by which they are sorted.
fn that_have(list: Select<chat::Entity>, field: ChatOrderField) -> Select<chat::Entity> {
    match field {
        ChatOrderField::StartedAt | ChatOrderField::UpdatedAt | ChatOrderField::ActiveAt => list,
        ChatOrderField::EndedAt => list.filter(chat::Column::EndedAt.is_not_null()),
        ChatOrderField::WaitingSince => list.filter(chat::Column::WaitingSince.is_not_null()),
        ChatOrderField::LastMessageAt => list.filter(chat::Column::LastMessageSequence.is_not_null()),
    }
}

/// Lists the chats that match the filter and in which the viewer participates or is present.
pub async fn list_inbox(
    store: &Store,
    viewer: &Viewer,
    asked: ListedChats<'_>,
    page: &PageRequest,
) -> Result<Page<chat::Model>> {
    let rows = store.planned_snapshot().await?;
    let lists = inbox(&rows, viewer, asked).await?;
    let page = keyset::page_of_all(&rows, &lists, page).await?;
    rows.commit().await?;
    Ok(page)
}

/// The query plan of a page of [`list_inbox`], line by line.
pub async fn explain_inbox(
    rows: &impl Rows,
    viewer: &Viewer,
    asked: ListedChats<'_>,
    page: &PageRequest,
) -> Result<Vec<String>> {
    let mut plan = Vec::new();
    for (list, sorting) in inbox(rows, viewer, asked).await? {
        plan.extend(keyset::explain(rows, &list, sorting, page).await?);
    }
    Ok(plan)
}

/// The chats in which the viewer participates, and the few others in which they are present.
async fn inbox(
    rows: &impl Rows,
    viewer: &Viewer,
    asked: ListedChats<'_>,
) -> Result<[(Select<chat::Entity>, Sorting<chat::Entity>); 2]> {
    let ListedChats { filter, order, .. } = asked;
    let (taken_part_in, way) = taken_part_in(rows, viewer, asked).await?;
    let visited = filtered(visible_among(viewer), viewer.organization_id, filter, None)
        .filter(chat::Column::Id.in_subquery(being_present(viewer.actor_id)))
        .filter(Expr::exists(own_part(viewer.actor_id)).not());
    let sorting = sorting(order);
    Ok([
        (that_have(taken_part_in, order.field), Sorting { way, ..sorting }),
        (that_have(visited, order.field), Sorting { way: Way::Sorted, ..sorting }),
    ])
}

/// The chats in which the viewer participates. Their own index has them in the order of activity. In another
/// order, few chats are sorted, and many are found soon enough by scanning the index of the order.
async fn taken_part_in(
    rows: &impl Rows,
    viewer: &Viewer,
    asked: ListedChats<'_>,
) -> Result<(Select<chat::Entity>, Way)> {
    let ListedChats { filter, order, include_hidden } = asked;
    let shown = if include_hidden { Condition::all() } else { own_views::is_shown() };
    let by_activity = match order.field {
        ChatOrderField::ActiveAt | ChatOrderField::LastMessageAt => true,
        ChatOrderField::StartedAt
        | ChatOrderField::EndedAt
        | ChatOrderField::UpdatedAt
        | ChatOrderField::WaitingSince => false,
    };
    if by_activity {
        let through = Through { table: "participation", value: "active_at", id: "chat_id" };
        let list = filtered(visible_among(viewer), viewer.organization_id, filter, None)
            .join(JoinType::InnerJoin, participation::Relation::Chat.def().rev())
            .filter(participation::Column::ActorId.eq(viewer.actor_id))
            .filter(access::participates())
            .filter(shown);
        return Ok((list, Way::Through(through)));
    }
    let own = participated_in_by(viewer.actor_id);
    let (list, way) = if leads::are_few(rows, own.clone()).await? {
        (visible_among(viewer).filter(chat::Column::Id.in_subquery(own)), Way::Sorted)
    } else {
        (visible(viewer), Way::InOrder)
    };
    let list = filtered(list, viewer.organization_id, filter, None)
        .filter(Expr::exists(own_part(viewer.actor_id).cond_where(shown).to_owned()));
    Ok((list, way))
}

fn sorting(order: ChatOrder) -> Sorting<chat::Entity> {
    let value = match order.field {
        ChatOrderField::StartedAt => chat::Column::StartedAt,
        ChatOrderField::EndedAt => chat::Column::EndedAt,
        ChatOrderField::UpdatedAt => chat::Column::UpdatedAt,
        ChatOrderField::WaitingSince => chat::Column::WaitingSince,
        ChatOrderField::LastMessageAt | ChatOrderField::ActiveAt => chat::Column::ActiveAt,
    };
    Sorting::by(value, chat::Column::Id, order.is_descending)
}

/// The earliest start of a chat that matches.
fn least(filter: &ChatFilter) -> Option<Timestamp> {
    let since = filter.since.map(|(started_at, _)| started_at);
    Ord::max(filter.started_from, since)
}

/// Selects the chats that the viewer sees.
fn visible(viewer: &Viewer) -> Select<chat::Entity> {
    chat::Entity::find().filter(access::sees_chat(viewer))
}

/// Like [`visible`], for chats whose ids are known.
fn visible_among(viewer: &Viewer) -> Select<chat::Entity> {
    chat::Entity::find().filter(access::sees_chat_among(viewer))
}

fn filtered(
    mut list: Select<chat::Entity>,
    organization_id: OrganizationId,
    filter: &ChatFilter,
    lead: Option<Lead>,
) -> Select<chat::Entity> {
    let ChatFilter {
        chat_type,
        room_ids,
        visitor_id,
        participant_ids,
        present_user_id,
        tags,
        since,
        started_from,
        ended_before,
        is_ended,
        is_waiting,
        is_real_conversation,
        is_private,
        has_sales,
        min_message_count,
    } = filter;
    let mut add = |condition: Option<Expr>| {
        if let Some(condition) = condition {
            list = list.clone().filter(condition);
        }
    };
    add(chat_type.map(|chat_type| chat::Column::ChatType.eq(chat_type)));
    add(room_ids.as_ref().map(|room_ids| match room_ids.as_slice() {
        [room_id] => chat::Column::RoomId.eq(*room_id),
        room_ids => chat::Column::RoomId.is_in(room_ids.iter().copied()),
    }));
    add(visitor_id.map(|visitor_id| chat::Column::VisitorId.eq(visitor_id)));
    for (position, actor_id) in participant_ids.iter().enumerate() {
        add(Some(if lead == Some(Lead::Participant(position)) {
            chat::Column::Id.in_subquery(participated_in_by(*actor_id))
        } else {
            Expr::exists(own_part(*actor_id))
        }));
    }
    add(present_user_id.map(|user_id| {
        if lead == Some(Lead::PresentUser) {
            chat::Column::Id.in_subquery(being_present(user_id))
        } else {
            Expr::exists(own_presence(user_id))
        }
    }));
    for (position, tag) in tags.iter().enumerate() {
        if lead != Some(Lead::Tag(position)) {
            add(Some(Expr::exists(own_tag(organization_id, tag))));
        }
    }
    let starts = Sorting::<chat::Entity>::ascending(chat::Column::StartedAt, chat::Column::Id);
    add(since.map(|(started_at, id)| starts.after(Key { value: started_at.0, id: id.0 }, false)));
    add(started_from.map(|from| chat::Column::StartedAt.gte(from)));
    // A chat that ended before a moment also started before it, which lets an index be used.
    add(ended_before.map(|before| chat::Column::EndedAt.lt(before).and(chat::Column::StartedAt.lt(before))));
    add(is_ended.map(|is| is_there(chat::Column::EndedAt, is)));
    add(is_waiting.map(|is| is_there(chat::Column::WaitingSince, is)));
    add(is_real_conversation.map(|is| Expr::col((chat::Entity, Alias::new("is_real"))).eq(is)));
    add(is_private.map(|is| chat::Column::IsPrivate.eq(is)));
    add(has_sales.map(|is| chat::Column::HasSales.eq(is)));
    add(min_message_count.map(leads::at_least));
    match lead {
        Some(Lead::Tag(position)) => list
            .join(JoinType::InnerJoin, chat_tag::Relation::Chat.def().rev())
            .filter(chat_tag::Column::OrganizationId.eq(organization_id))
            .filter(chat_tag::Column::Tag.eq(tags.get(position).cloned().unwrap_or_default())),
        Some(Lead::Index | Lead::Participant(_) | Lead::PresentUser) | None => list,
    }
}

fn is_there(column: chat::Column, is_there: bool) -> Expr {
    if is_there { column.is_not_null() } else { column.is_null() }
}

/// Selects the actor's own participation in the chat of a row.
fn own_part(actor_id: ActorId) -> SelectStatement {
    let of_chat = Expr::col((participation::Entity, participation::Column::ChatId));
    participated_in_by(actor_id).and_where(of_chat.equals((chat::Entity, chat::Column::Id))).to_owned()
}

/// The user's own presence in the chat of a row.
fn own_presence(user_id: ActorId) -> SelectStatement {
    let of_chat = Expr::col((presence::Entity, presence::Column::ChatId));
    being_present(user_id).and_where(of_chat.equals((chat::Entity, chat::Column::Id))).to_owned()
}

/// The tag of the chat of a row: all four columns lead to it.
fn own_tag(organization_id: OrganizationId, tag: &str) -> SelectStatement {
    let is_of_chat = |own, column| Expr::col((chat_tag::Entity, own)).equals((chat::Entity, column));
    chat_tag::Entity::find()
        .select_only()
        .column(chat_tag::Column::ChatId)
        .filter(chat_tag::Column::OrganizationId.eq(organization_id))
        .filter(chat_tag::Column::Tag.eq(tag))
        .filter(is_of_chat(chat_tag::Column::StartedAt, chat::Column::StartedAt))
        .filter(is_of_chat(chat_tag::Column::ChatId, chat::Column::Id))
        .into_query()
}

fn being_present(user_id: ActorId) -> SelectStatement {
    presence::Entity::find()
        .select_only()
        .column(presence::Column::ChatId)
        .filter(presence::Column::UserId.eq(user_id))
        .filter(presence::Column::EndedAt.is_null())
        .into_query()
}
