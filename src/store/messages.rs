//! Messages, always with their senders.

use super::changed::all_but_key;
use super::keyset::{self, Sorting, Way};
use super::{Result, Rows, Tx, access, actors, sessions, tokens};
use crate::domain::event::MessageRow;
use crate::domain::page::{Key, Page, PageRequest};
use crate::domain::viewer::Viewer;
use entity::{ActorId, ChatId, MessageId, MessageType, OrganizationId, Timestamp, chat, message};
use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Statement, Value,
};
use std::collections::HashMap;

/// Finds messages of any chat by id. The caller must check that the viewer sees them.
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

/// Finds the sender's message with this external id.
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

/// The maximum number of positions in one statement. Its conditions nest, and so do the calls that write and
/// parse them.
const PLACES: usize = 100;

/// Finds the messages at these positions.
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

/// Finds the newest message, of a chat whose log ends at `head`, that was created strictly before a moment.
/// Times never decrease with sequences, so a binary search finds it: one statement that reads about twenty
/// rows of a million.
pub async fn find_last_before(
    rows: &impl Rows,
    chat_id: ChatId,
    head: i64,
    before: Timestamp,
) -> Result<Option<message::Model>> {
    let is_before = "COALESCE((
        SELECT message.created_at < $3 FROM message
        WHERE message.chat_id = $1 AND message.sequence <= (halved.low + halved.high + 1) / 2
        ORDER BY message.sequence DESC LIMIT 1
    ), TRUE)";
    let halving = format!(
        "WITH RECURSIVE halved (low, high) AS (
            SELECT CAST(0 AS bigint), CAST($2 AS bigint)
        UNION ALL
            SELECT CASE WHEN {is_before} THEN (low + high + 1) / 2 ELSE low END,
                   CASE WHEN {is_before} THEN high ELSE (low + high + 1) / 2 - 1 END
            FROM halved WHERE low < high
        )
        SELECT low FROM halved WHERE low = high"
    );
    let connection = rows.connection();
    let values: [Value; 3] = [chat_id.into(), head.into(), before.into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), halving, values);
    let Some(row) = connection.query_one_raw(statement).await? else { return Ok(None) };
    let bound: i64 = row.try_get("", "low")?;
    Ok(message::Entity::find()
        .filter(message::Column::ChatId.eq(chat_id))
        .filter(message::Column::Sequence.lte(bound))
        .order_by_desc(message::Column::Sequence)
        .limit(1)
        .one(connection)
        .await?)
}

/// Finds the sequence of the newest message, up to a given one, that a visitor may see: not a note, and not
/// of a session that calls only staff.
pub async fn find_last_public(rows: &impl Rows, chat_id: ChatId, through: i64) -> Result<Option<i64>> {
    let of_session = Expr::col((message::Entity, message::Column::SessionId));
    let calls_visitor = of_session.clone().in_subquery(sessions::that_call_visitors_of(chat_id));
    Ok(message::Entity::find()
        .select_only()
        .column(message::Column::Sequence)
        .filter(message::Column::ChatId.eq(chat_id))
        .filter(message::Column::Sequence.lte(through))
        .filter(message::Column::IsInternal.eq(false))
        .filter(of_session.is_null().or(calls_visitor))
        .order_by_desc(message::Column::Sequence)
        .limit(1)
        .into_tuple()
        .one(rows.connection())
        .await?)
}

/// A filter for messages of a chat.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The viewer, who must see the messages.
    pub viewer: &'a Viewer,
    /// The message types. Absent for all.
    pub types: Option<&'a [MessageType]>,
    /// Whether archived messages are included.
    pub include_archived: bool,
}

/// Lists the same page of messages for several chats, oldest first.
pub async fn list_of_each(
    rows: &impl Rows,
    chat_ids: &[ChatId],
    listed: Listed<'_>,
    page: &PageRequest,
) -> Result<Vec<Page<MessageRow>>> {
    let lists = chat_ids.iter().map(|chat_id| listed.of_chat(*chat_id));
    let owner =
        |row: &message::Model| chat_ids.iter().position(|id| *id == row.chat_id).unwrap_or(usize::MAX);
    let pages = keyset::page_of_each(rows, lists.collect(), by_sequence(), page, owner).await?;
    let mut sender_ids = Vec::new();
    for page in &pages {
        sender_ids.extend(page.rows.iter().filter_map(|(_, message)| message.sender_id));
    }
    let senders = senders(rows, listed.viewer.organization_id, sender_ids).await?;
    Ok(pages.into_iter().map(|page| page.map(|message| with_sender(message, &senders))).collect())
}

/// Lists the messages on both sides of a position in a chat, oldest first.
pub async fn list_around(
    rows: &impl Rows,
    chat_id: ChatId,
    listed: Listed<'_>,
    sequence: i64,
    page: &PageRequest,
) -> Result<Page<MessageRow>> {
    let key = Key { value: sequence, id: uuid::Uuid::nil() };
    let page = keyset::page_around(rows, &listed.of_chat(chat_id), by_sequence(), key, page).await?;
    let sender_ids = page.rows.iter().filter_map(|(_, message)| message.sender_id).collect();
    let senders = senders(rows, listed.viewer.organization_id, sender_ids).await?;
    Ok(page.map(|message| with_sender(message, &senders)))
}

impl Listed<'_> {
    fn of_chat(self, chat_id: ChatId) -> sea_orm::Select<message::Entity> {
        let mut list = message::Entity::find()
            .filter(message::Column::ChatId.eq(chat_id))
            .filter(access::sees_message(self.viewer));
        if let Some(types) = self.types {
            list = list.filter(message::Column::MessageType.is_in(types.iter().copied()));
        }
        if !self.include_archived {
            list = list.filter(
                Expr::col((message::Entity, message::Column::Sequence)).gt(archived_sequence(chat_id)),
            );
        }
        list
    }
}

fn by_sequence() -> Sorting<message::Entity> {
    Sorting { value: message::Column::Sequence, id: None, is_descending: false, way: Way::InOrder }
}

/// Adds a message to the locked chat and to the search index.
pub async fn insert(tx: &Tx, row: &message::Model) -> Result<()> {
    message::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.connection()).await?;
    tokens::index(tx.connection(), tx.chat()?.organization_id, row).await
}

/// Updates a message and its entry in the search index.
pub async fn update(tx: &Tx, row: &message::Model) -> Result<()> {
    let mut columns = all_but_key(row);
    columns.id = NotSet;
    message::Entity::update_many()
        .set(columns)
        .filter(message::Column::ChatId.eq(row.chat_id))
        .filter(message::Column::Sequence.eq(row.sequence))
        .exec(tx.connection())
        .await?;
    tokens::index_again(tx.connection(), tx.chat()?.organization_id, row).await
}

/// Finds the sequence of the newest message of type MESSAGE before a given one, excluding tombstones and
/// notes.
pub async fn find_last_counted(rows: &impl Rows, chat_id: ChatId, before: i64) -> Result<Option<i64>> {
    Ok(message::Entity::find()
        .select_only()
        .column(message::Column::Sequence)
        .filter(message::Column::ChatId.eq(chat_id))
        .filter(message::Column::Sequence.lt(before))
        .filter(message::Column::MessageType.eq(MessageType::Message))
        .filter(message::Column::DeletedAt.is_null())
        .filter(message::Column::IsInternal.eq(false))
        .order_by_desc(message::Column::Sequence)
        .limit(1)
        .into_tuple()
        .one(rows.connection())
        .await?)
}

/// The archive mark of the chat, read within the statement that uses it.
fn archived_sequence(chat_id: ChatId) -> Expr {
    let mark = chat::Entity::find_by_id(chat_id).select_only().column(chat::Column::ArchivedSequence);
    mark.into_query().into()
}

/// Adds the senders' rows to the messages, in the same order.
pub(super) async fn with_senders(
    rows: &impl Rows,
    organization_id: OrganizationId,
    messages: Vec<message::Model>,
) -> Result<Vec<MessageRow>> {
    let senders =
        senders(rows, organization_id, messages.iter().filter_map(|message| message.sender_id).collect())
            .await?;
    let with_senders = messages.into_iter().map(|message| {
        let sender = message.sender_id.and_then(|id| senders.get(&id).cloned());
        (message, sender)
    });
    with_called(rows, with_senders.collect()).await
}

/// Adds the called actors to messages of type SESSION. Takes one more statement, if there are such messages.
pub(super) async fn with_called(
    rows: &impl Rows,
    messages: Vec<(message::Model, Option<entity::actor::Model>)>,
) -> Result<Vec<MessageRow>> {
    let mut ids: Vec<_> = messages.iter().filter_map(|(message, _)| message.session_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let called = sessions::participants(rows, ids).await?;
    let with_called = messages.into_iter().map(|(message, sender)| {
        let called_ids = message.session_id.and_then(|id| called.get(&id).cloned()).unwrap_or_default();
        MessageRow { message, sender, called_ids }
    });
    Ok(with_called.collect())
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

/// Builds a row for lists, which are already filtered by visibility.
fn with_sender(message: message::Model, senders: &HashMap<ActorId, entity::actor::Model>) -> MessageRow {
    let sender = message.sender_id.and_then(|id| senders.get(&id).cloned());
    MessageRow { message, sender, called_ids: Vec::new() }
}
