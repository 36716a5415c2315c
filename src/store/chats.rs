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
use leads::Found;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, SelectStatement};
use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationTrait,
    Select,
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

/// Lists the chats that the viewer sees and the filter matches.
pub async fn list_visible(
    store: &Store,
    viewer: &Viewer,
    filter: &ChatFilter,
    order: ChatOrder,
    page: &PageRequest,
) -> Result<Page<chat::Model>> {
    if !leads::are_any(filter, order.field) {
        let (list, sorting) = listed(store, viewer, filter, order).await?;
        return keyset::page(store, list, sorting, page).await;
    }
    let rows = store.planned_snapshot().await?;
    let (list, sorting) = listed(&rows, viewer, filter, order).await?;
    let page = keyset::page(&rows, list, sorting, page).await?;
    rows.commit().await?;
    Ok(page)
}

/// The query plan of a page of [`list_visible`], line by line.
pub async fn explain_visible(
    rows: &impl Rows,
    viewer: &Viewer,
    filter: &ChatFilter,
    order: ChatOrder,
    page: &PageRequest,
) -> Result<Vec<String>> {
    let (list, sorting) = listed(rows, viewer, filter, order).await?;
    keyset::explain(rows, &list, sorting, page).await
}

async fn listed(
    rows: &impl Rows,
    viewer: &Viewer,
    filter: &ChatFilter,
    order: ChatOrder,
) -> Result<(Select<chat::Entity>, Sorting<chat::Entity>)> {
    let mut sorting = sorting(order, filter);
    let few = leads::to_few(rows, viewer.organization_id, filter, order.field).await?;
    let visible = match few {
        Some(Found::ById) => visible_among(viewer),
        Some(Found::ByIndex) | None => visible(viewer),
    };
    let mut list = filtered(visible, viewer.organization_id, filter);
    if few.is_some() {
        sorting.way = Way::Sorted;
    } else if let Some(from) = least(filter) {
        // Nothing happens in a chat before it starts, so this bound lets the order's own index be used.
        list = list.filter(sorting.value.gte(from));
    }
    let list = match order.field {
        ChatOrderField::StartedAt | ChatOrderField::UpdatedAt => list,
        ChatOrderField::EndedAt => list.filter(chat::Column::EndedAt.is_not_null()),
        ChatOrderField::WaitingSince => list.filter(chat::Column::WaitingSince.is_not_null()),
        ChatOrderField::LastMessageAt => list.filter(chat::Column::LastMessageSequence.is_not_null()),
    };
    Ok((list, sorting))
}

/// Lists the chats that match the filter and in which the viewer participates or is present. The latest
/// message comes first; a chat without messages is placed by its start. Hidden chats are included only on
/// request.
pub async fn list_inbox(
    store: &Store,
    viewer: &Viewer,
    filter: &ChatFilter,
    include_hidden: bool,
    page: &PageRequest,
) -> Result<Page<chat::Model>> {
    let rows = store.planned_snapshot().await?;
    let page = keyset::page_of_all(&rows, &inbox(viewer, filter, include_hidden), page).await?;
    rows.commit().await?;
    Ok(page)
}

/// The query plan of a page of [`list_inbox`], line by line.
pub async fn explain_inbox(
    rows: &impl Rows,
    viewer: &Viewer,
    filter: &ChatFilter,
    page: &PageRequest,
) -> Result<Vec<String>> {
    let mut plan = Vec::new();
    for (list, sorting) in inbox(viewer, filter, false) {
        plan.extend(keyset::explain(rows, &list, sorting, page).await?);
    }
    Ok(plan)
}

/// The chats in which the viewer takes part, which their own index has in order, and the few others in which
/// they are present.
fn inbox(
    viewer: &Viewer,
    filter: &ChatFilter,
    include_hidden: bool,
) -> [(Select<chat::Entity>, Sorting<chat::Entity>); 2] {
    let latest = ChatOrder { field: ChatOrderField::LastMessageAt, is_descending: true };
    let through = Through { table: "participation", value: "active_at", id: "chat_id" };
    let own = Sorting { way: Way::Through(through), ..sorting(latest, filter) };
    let mut taken_part_in = filtered(visible_among(viewer), viewer.organization_id, filter)
        .join(JoinType::InnerJoin, participation::Relation::Chat.def().rev())
        .filter(participation::Column::ActorId.eq(viewer.actor_id))
        .filter(access::participates());
    if !include_hidden {
        taken_part_in = taken_part_in.filter(own_views::is_shown());
    }
    let visited = filtered(visible_among(viewer), viewer.organization_id, filter)
        .filter(chat::Column::Id.in_subquery(being_present(viewer.actor_id)))
        .filter(Expr::exists(own_part(viewer.actor_id)).not());
    [(taken_part_in, own), (visited, Sorting { way: Way::Sorted, ..own })]
}

fn sorting(order: ChatOrder, filter: &ChatFilter) -> Sorting<chat::Entity> {
    let value = match order.field {
        ChatOrderField::StartedAt => chat::Column::StartedAt,
        ChatOrderField::EndedAt => chat::Column::EndedAt,
        ChatOrderField::UpdatedAt => chat::Column::UpdatedAt,
        ChatOrderField::WaitingSince => chat::Column::WaitingSince,
        ChatOrderField::LastMessageAt => chat::Column::ActiveAt,
    };
    let is_by_tag = filter.tag.is_some() && order.field == ChatOrderField::StartedAt;
    let through = Through { table: "chat_tag", value: "started_at", id: "chat_id" };
    let way = if is_by_tag { Way::Through(through) } else { Way::InOrder };
    Sorting { value, id: Some(chat::Column::Id), is_descending: order.is_descending, way }
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
) -> Select<chat::Entity> {
    let ChatFilter {
        chat_type,
        room_ids,
        visitor_id,
        participant_ids,
        present_user_id,
        tag,
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
    for actor_id in participant_ids {
        add(Some(chat::Column::Id.in_subquery(participated_in_by(*actor_id))));
    }
    add(present_user_id.map(|user_id| chat::Column::Id.in_subquery(being_present(user_id))));
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
    match tag {
        Some(tag) => list
            .join(JoinType::InnerJoin, chat_tag::Relation::Chat.def().rev())
            .filter(chat_tag::Column::Tag.eq(tag))
            .filter(chat_tag::Column::OrganizationId.eq(organization_id)),
        None => list,
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

fn being_present(user_id: ActorId) -> SelectStatement {
    presence::Entity::find()
        .select_only()
        .column(presence::Column::ChatId)
        .filter(presence::Column::UserId.eq(user_id))
        .filter(presence::Column::EndedAt.is_null())
        .into_query()
}
