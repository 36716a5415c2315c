//! Messages, always with their senders.

use super::keyset::{self, Sorting};
use super::{Result, Rows, Tx, actors};
use crate::domain::event::MessageRow;
use crate::domain::page::{Page, PageRequest};
use entity::{ActorId, ChatId, MessageId, MessageType, OrganizationId, message};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};
use std::collections::HashMap;

/// The messages with these ids, of whatever chats. Who asks must ask the policy whether the viewer sees those.
pub async fn find_many_by_id(
    rows: &impl Rows,
    organization_id: OrganizationId,
    ids: &[MessageId],
) -> Result<Vec<MessageRow>> {
    let found = message::Entity::find()
        .filter(message::Column::Id.is_in(ids.iter().copied()))
        .all(rows.connection())
        .await?;
    with_senders(rows, organization_id, found).await
}

/// The message that this sender sent under this id.
pub async fn find_by_external_id(
    rows: &impl Rows,
    organization_id: OrganizationId,
    chat_id: ChatId,
    sender_id: ActorId,
    external_id: &str,
) -> Result<Option<MessageRow>> {
    let found = message::Entity::find()
        .filter(message::Column::ChatId.eq(chat_id))
        .filter(message::Column::SenderId.eq(sender_id))
        .filter(message::Column::ExternalId.eq(external_id))
        .all(rows.connection())
        .await?;
    Ok(with_senders(rows, organization_id, found).await?.pop())
}

/// Places that one statement looks at, a page's worth: its conditions lie within each other, and so do the calls
/// that write them down and read them.
const PLACES: usize = 100;

/// The messages at these places.
pub async fn find_many(
    rows: &impl Rows,
    organization_id: OrganizationId,
    places: &[(ChatId, i64)],
) -> Result<Vec<MessageRow>> {
    let mut found = Vec::with_capacity(places.len());
    for places in places.chunks(PLACES) {
        let at = places.iter().fold(Condition::any(), |any, (chat_id, sequence)| {
            any.add(message::Column::ChatId.eq(*chat_id).and(message::Column::Sequence.eq(*sequence)))
        });
        found.extend(message::Entity::find().filter(at).all(rows.connection()).await?);
    }
    with_senders(rows, organization_id, found).await
}

/// The same page of the messages of each of the chats, oldest first; of some types, or of all.
pub async fn list_of_each(
    rows: &impl Rows,
    organization_id: OrganizationId,
    chat_ids: &[ChatId],
    types: Option<&[MessageType]>,
    page: &PageRequest,
) -> Result<Vec<Page<MessageRow>>> {
    let lists = chat_ids.iter().map(|chat_id| {
        let list = message::Entity::find().filter(message::Column::ChatId.eq(*chat_id));
        match types {
            Some(types) => list.filter(message::Column::MessageType.is_in(types.iter().copied())),
            None => list,
        }
    });
    let sorting = Sorting { value: message::Column::Sequence, id: None, is_descending: false };
    let owner =
        |row: &message::Model| chat_ids.iter().position(|id| *id == row.chat_id).unwrap_or(usize::MAX);
    let pages = keyset::page_of_each(rows, lists.collect(), sorting, page, owner).await?;
    let mut sender_ids = Vec::new();
    for page in &pages {
        sender_ids.extend(page.rows.iter().filter_map(|(_, message)| message.sender_id));
    }
    let senders = senders(rows, organization_id, sender_ids).await?;
    Ok(pages.into_iter().map(|page| page.map(|message| with_sender(message, &senders))).collect())
}

/// Adds a message.
pub async fn insert(tx: &Tx, row: &message::Model) -> Result<()> {
    message::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// The messages with their senders' rows, in the same order.
pub(super) async fn with_senders(
    rows: &impl Rows,
    organization_id: OrganizationId,
    messages: Vec<message::Model>,
) -> Result<Vec<MessageRow>> {
    let senders =
        senders(rows, organization_id, messages.iter().filter_map(|message| message.sender_id).collect())
            .await?;
    Ok(messages.into_iter().map(|message| with_sender(message, &senders)).collect())
}

async fn senders(
    rows: &impl Rows,
    organization_id: OrganizationId,
    mut ids: Vec<ActorId>,
) -> Result<HashMap<ActorId, entity::actor::Model>> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = actors::find_many_in_organization(rows, organization_id, &ids).await?;
    Ok(found.into_iter().map(|actor| (actor.id, actor)).collect())
}

fn with_sender(message: message::Model, senders: &HashMap<ActorId, entity::actor::Model>) -> MessageRow {
    let sender = message.sender_id.and_then(|id| senders.get(&id).cloned());
    MessageRow { message, sender }
}
