//! Conditions whose index is not in the requested order. If few chats match such a condition, they are found
//! through its index and sorted. Scanning in the requested order instead would read every chat.

use super::being_present;
use crate::domain::chat_filter::{ChatFilter, ChatOrderField};
use crate::store::access::participated_in_by;
use crate::store::{Result, Rows};
use entity::{OrganizationId, chat, chat_tag};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

/// The maximum number of chats to sort. Sorting this many costs about as much as scanning for a page of
/// matches that are as rare among a million chats (`examples/report.rs`).
const FEW: u64 = 2_000;
/// The minimum number of messages of a chat in the index of long chats.
const LONG: i32 = 20;

/// The condition by which the chats are found. The other conditions are checked for each of these chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// An index of the organization's chats.
    Index,
    /// The tag at this position of the filter.
    Tag(usize),
    /// The participant at this position of the filter.
    Participant(usize),
    /// The user who is present.
    PresentUser,
}

/// Selects a condition that finds few chats, if there is one and no index has its chats in the requested order.
pub(super) async fn to_few(
    rows: &impl Rows,
    organization_id: OrganizationId,
    filter: &ChatFilter,
    order: ChatOrderField,
) -> Result<Option<Lead>> {
    for (lead, chats) in leads(organization_id, filter, order) {
        if are_few(rows, chats).await? {
            return Ok(Some(lead));
        }
    }
    Ok(None)
}

/// Whether a statement finds few enough rows to sort them.
pub(super) async fn are_few(rows: &impl Rows, found: SelectStatement) -> Result<bool> {
    let bounded =
        Query::select().expr(Expr::val(1)).from_subquery(found, Alias::new("lead")).limit(FEW + 1).to_owned();
    let counted = Query::select()
        .expr_as(Expr::cust("count(*)"), Alias::new("found"))
        .from_subquery(bounded, Alias::new("bounded"))
        .to_owned();
    let row = rows.connection().query_one(&counted).await?;
    let found: i64 = row.map(|row| row.try_get("", "found")).transpose()?.unwrap_or_default();
    Ok(u64::try_from(found).is_ok_and(|found| found <= FEW))
}

/// Whether the best plan depends on the values of the filter.
pub(super) fn are_any(filter: &ChatFilter, order: ChatOrderField) -> bool {
    !filter.tags.is_empty() || !leads(OrganizationId(Uuid::nil()), filter, order).is_empty()
}

/// Chats with at least this many messages.
pub(super) fn at_least(count: i32) -> Expr {
    let at_least = chat::Column::MessageCount.gte(count);
    if count < LONG { at_least } else { is_long().and(at_least) }
}

/// The condition of the index of long chats. The index is used only if the text is identical.
fn is_long() -> Expr {
    Expr::cust(format!("\"chat\".\"message_count\" >= {LONG}"))
}

fn leads(
    organization_id: OrganizationId,
    filter: &ChatFilter,
    order: ChatOrderField,
) -> Vec<(Lead, SelectStatement)> {
    let mut leads = Vec::new();
    let chats = || {
        chat::Entity::find()
            .select_only()
            .column(chat::Column::Id)
            .filter(chat::Column::OrganizationId.eq(organization_id))
    };
    let is_in_order_of_room = match order {
        ChatOrderField::StartedAt | ChatOrderField::EndedAt | ChatOrderField::WaitingSince => true,
        ChatOrderField::UpdatedAt | ChatOrderField::LastMessageAt | ChatOrderField::ActiveAt => false,
    };
    if let Some(room_ids) = &filter.room_ids
        && !(is_in_order_of_room && room_ids.len() == 1)
    {
        let in_rooms = chats().filter(chat::Column::RoomId.is_in(room_ids.iter().copied()));
        leads.push((Lead::Index, in_rooms.into_query()));
    }
    // The chats of one tag are in the order of their starts. Of several tags, the rarest leads.
    if filter.tags.len() > 1 || order != ChatOrderField::StartedAt {
        let tagged = filter.tags.iter().enumerate();
        leads.extend(tagged.map(|(position, tag)| (Lead::Tag(position), with_tag(organization_id, tag))));
    }
    let participants = filter.participant_ids.iter().enumerate();
    leads.extend(participants.map(|(position, id)| (Lead::Participant(position), participated_in_by(*id))));
    leads.extend(filter.present_user_id.map(|id| (Lead::PresentUser, being_present(id))));
    if let Some(count) = filter.min_message_count.filter(|count| *count >= LONG) {
        leads.push((Lead::Index, chats().filter(at_least(count)).into_query()));
    }
    leads
}

fn with_tag(organization_id: OrganizationId, tag: &str) -> SelectStatement {
    chat_tag::Entity::find()
        .select_only()
        .column(chat_tag::Column::ChatId)
        .filter(chat_tag::Column::OrganizationId.eq(organization_id))
        .filter(chat_tag::Column::Tag.eq(tag))
        .into_query()
}
