//! Reads the log: the events of a chat after a position, with the rows they refer to.
//!
//! A batch is read from one snapshot, so that no row is older than the head. It takes a fixed number of
//! statements, however many events it holds.

use super::access::sees_message;
use super::messages::with_called;
use super::sessions::with_participants;
use super::{Error, Result, Rows, Store, participations};
use crate::domain::change::{MessageChange, StoredChange};
use crate::domain::event::{Change, Entry, Event, MessageRow, SessionRow};
use crate::domain::policy::Ties;
use crate::domain::viewer::Viewer;
#[cfg(test)]
use entity::EventKind;
use entity::{
    ActorId, ChatId, MessageId, OrganizationId, ParticipationId, PresenceId, SessionId, Timestamp, actor,
    chat, chat_session, event, message, participation, presence,
};
#[cfg(test)]
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Entries after a position.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The chat in the snapshot. Its `last_sequence` is the head of the log.
    pub chat: Arc<chat::Model>,
    /// The entries in order, each with its row in the snapshot.
    pub entries: Vec<Arc<Entry>>,
}

/// Messages after a position.
#[derive(Clone, Debug)]
pub struct MessageBatch {
    /// The chat in the snapshot.
    pub chat: Arc<chat::Model>,
    /// The messages in order.
    pub messages: Vec<Arc<MessageRow>>,
}

/// The starting position of a chat's reader.
#[derive(Clone, Debug)]
pub struct Start {
    pub chat: Arc<chat::Model>,
    /// The reader's ties to the chat.
    pub ties: Ties,
}

/// Reads a chat of the organization and the actor's ties to it.
pub async fn start_in_organization(
    store: &Store,
    organization_id: OrganizationId,
    chat_id: ChatId,
    actor_id: ActorId,
) -> Result<Option<Start>> {
    let chat = chat::Entity::find_by_id(chat_id)
        .filter(chat::Column::OrganizationId.eq(organization_id))
        .one(store.connection())
        .await?;
    let Some(chat) = chat else { return Ok(None) };
    let ties = participations::ties_of(store, chat_id, actor_id).await?;
    Ok(Some(Start { chat: Arc::new(chat), ties }))
}

/// Reads up to `limit` entries after `after`. `None` if the chat does not exist.
pub async fn read(store: &Store, chat_id: ChatId, after: i64, limit: u64) -> Result<Option<Batch>> {
    let rows = store.snapshot().await?;
    let Some(chat) = chat::Entity::find_by_id(chat_id).one(&rows).await? else {
        rows.commit().await?;
        return Ok(None);
    };
    let events = event::Entity::find()
        .filter(event::Column::ChatId.eq(chat_id))
        .filter(event::Column::Sequence.gt(after))
        .order_by_asc(event::Column::Sequence)
        .limit(limit)
        .all(&rows)
        .await?;
    let chat = Arc::new(chat);
    let entries = with_rows(&rows, &chat, events).await?;
    rows.commit().await?;
    Ok(Some(Batch { chat, entries }))
}

/// Reads up to `limit` messages after `after` that the reader may see. `None` if the chat does not exist. The
/// caller has checked that the reader sees it.
pub async fn messages_after(
    store: &Store,
    chat_id: ChatId,
    reader: &Viewer,
    after: i64,
    limit: u64,
) -> Result<Option<MessageBatch>> {
    let rows = store.snapshot().await?;
    let Some(chat) = chat::Entity::find_by_id(chat_id).one(&rows).await? else {
        rows.commit().await?;
        return Ok(None);
    };
    let messages = message::Entity::find()
        .filter(message::Column::ChatId.eq(chat_id))
        .filter(message::Column::Sequence.gt(after))
        .filter(sees_message(reader))
        .order_by_asc(message::Column::Sequence)
        .limit(limit)
        .find_also_related(actor::Entity)
        .all(&rows)
        .await?;
    rows.commit().await?;
    // The statement has already filtered by visibility, so the called actors are not needed.
    let row = |(message, sender)| Arc::new(MessageRow { message, sender, called_ids: Vec::new() });
    Ok(Some(MessageBatch { chat: Arc::new(chat), messages: messages.into_iter().map(row).collect() }))
}

/// Reads the heads of the logs of several chats, in one statement.
pub async fn heads(store: &Store, chat_ids: &[ChatId]) -> Result<Vec<(ChatId, i64)>> {
    Ok(chat::Entity::find()
        .select_only()
        .columns([chat::Column::Id, chat::Column::LastSequence])
        .filter(chat::Column::Id.is_in(chat_ids.iter().copied()))
        .into_tuple()
        .all(store.connection())
        .await?)
}

/// Reads the time at which an event was recorded. `None` if it is not stored.
pub async fn time_of(store: &Store, chat_id: ChatId, sequence: i64) -> Result<Option<Timestamp>> {
    let event = event::Entity::find_by_id((chat_id, sequence)).one(store.connection()).await?;
    Ok(event.map(|event| event.created_at))
}

/// Reads the chat's participations that changed at or after a moment, ordered by id: up to `limit` after an
/// id.
pub async fn participations_since(
    store: &Store,
    chat_id: ChatId,
    since: Timestamp,
    after: Option<ParticipationId>,
    limit: u64,
) -> Result<Vec<participation::Model>> {
    let mut query = participation::Entity::find()
        .filter(participation::Column::ChatId.eq(chat_id))
        .filter(participation::Column::UpdatedAt.gte(since));
    if let Some(after) = after {
        query = query.filter(participation::Column::Id.gt(after));
    }
    Ok(query.order_by_asc(participation::Column::Id).limit(limit).all(store.connection()).await?)
}

/// The rows that a batch of events refers to, by id.
struct Named {
    /// Added messages, by sequence.
    messages: HashMap<i64, MessageRow>,
    changed: HashMap<MessageId, MessageRow>,
    places: HashMap<MessageId, i64>,
    presences: HashMap<PresenceId, presence::Model>,
    participations: HashMap<ParticipationId, participation::Model>,
    sessions: HashMap<SessionId, SessionRow>,
}

async fn with_rows(
    rows: &impl Rows,
    chat: &Arc<chat::Model>,
    events: Vec<event::Model>,
) -> Result<Vec<Arc<Entry>>> {
    let mut named = Named::read(rows, chat.id, &events).await?;
    let entry = |event| Ok(Arc::new(Entry { event: named.event(event)?, chat: Arc::clone(chat) }));
    events.iter().map(entry).collect()
}

impl Named {
    async fn read(rows: &impl Rows, chat_id: ChatId, events: &[event::Model]) -> Result<Self> {
        let mut messages = Vec::new();
        let mut changed = Vec::new();
        let mut places = Vec::new();
        let mut presences = Vec::new();
        let mut participations = Vec::new();
        let mut sessions = Vec::new();
        for event in events {
            match StoredChange::new(event.kind, event.subject_id) {
                StoredChange::Chat(_) => {}
                StoredChange::History(id) => places.push(id),
                StoredChange::Message(MessageChange::Added, _) => messages.push(event.sequence),
                StoredChange::Message(MessageChange::Changed, id) => changed.push(id),
                StoredChange::Presence(_, id) => presences.push(id),
                StoredChange::Participation(_, id) => participations.push(id),
                StoredChange::Session(_, id) => sessions.push(id),
            }
        }
        Ok(Self {
            messages: messages_at(rows, chat_id, messages).await?,
            changed: messages_by_id(rows, distinct(changed)).await?,
            places: places_by_id(rows, distinct(places)).await?,
            presences: presences_by_id(rows, distinct(presences)).await?,
            participations: participations_by_id(rows, distinct(participations)).await?,
            sessions: sessions_by_id(rows, distinct(sessions)).await?,
        })
    }

    /// The event with the row it refers to. Fails if there is no such row of the type that the kind requires.
    fn event(&mut self, row: &event::Model) -> Result<Event> {
        let event::Model { chat_id, sequence, kind, subject_id, actor_id, audience, created_at } = *row;
        let change = self.change(chat_id, sequence, StoredChange::new(kind, subject_id)).ok_or_else(|| {
            Error::Failed(format!(
                "event {sequence} of chat {chat_id} has kind {}, but there is no row for it with id {subject_id}",
                kind.as_str()
            ))
        })?;
        Ok(Event { chat_id, sequence, change, actor_id, audience, created_at })
    }

    fn change(&mut self, chat_id: ChatId, sequence: i64, stored: StoredChange) -> Option<Change> {
        match stored {
            StoredChange::Chat(id) => (id == chat_id).then_some(Change::Chat),
            StoredChange::History(id) => {
                self.places.get(&id).map(|through| Change::History { newest_id: id, through: *through })
            }
            StoredChange::Message(change @ MessageChange::Added, id) => {
                let row = self.messages.remove(&sequence).filter(|row| row.message.id == id);
                row.map(|row| Change::Message(change, row))
            }
            StoredChange::Message(change @ MessageChange::Changed, id) => {
                self.changed.get(&id).cloned().map(|row| Change::Message(change, row))
            }
            StoredChange::Presence(change, id) => {
                self.presences.get(&id).cloned().map(|row| Change::Presence(change, row))
            }
            StoredChange::Participation(change, id) => {
                self.participations.get(&id).cloned().map(|row| Change::Participation(change, row))
            }
            StoredChange::Session(change, id) => {
                self.sessions.get(&id).cloned().map(|row| Change::Session(change, row))
            }
        }
    }
}

fn distinct<T: Ord + Hash>(mut ids: Vec<T>) -> Vec<T> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

async fn messages_at(
    rows: &impl Rows,
    chat_id: ChatId,
    sequences: Vec<i64>,
) -> Result<HashMap<i64, MessageRow>> {
    if sequences.is_empty() {
        return Ok(HashMap::new());
    }
    let found = message::Entity::find()
        .filter(message::Column::ChatId.eq(chat_id))
        .filter(message::Column::Sequence.is_in(sequences))
        .find_also_related(actor::Entity)
        .all(rows.connection())
        .await?;
    let found = with_called(rows, found).await?;
    Ok(found.into_iter().map(|row| (row.message.sequence, row)).collect())
}

async fn messages_by_id(rows: &impl Rows, ids: Vec<MessageId>) -> Result<HashMap<MessageId, MessageRow>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = message::Entity::find()
        .filter(message::Column::Id.is_in(ids))
        .find_also_related(actor::Entity)
        .all(rows.connection())
        .await?;
    let found = with_called(rows, found).await?;
    Ok(found.into_iter().map(|row| (row.message.id, row)).collect())
}

async fn places_by_id(rows: &impl Rows, ids: Vec<MessageId>) -> Result<HashMap<MessageId, i64>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(MessageId, i64)> = message::Entity::find()
        .select_only()
        .columns([message::Column::Id, message::Column::Sequence])
        .filter(message::Column::Id.is_in(ids))
        .into_tuple()
        .all(rows.connection())
        .await?;
    Ok(found.into_iter().collect())
}

async fn presences_by_id(
    rows: &impl Rows,
    ids: Vec<PresenceId>,
) -> Result<HashMap<PresenceId, presence::Model>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found =
        presence::Entity::find().filter(presence::Column::Id.is_in(ids)).all(rows.connection()).await?;
    Ok(found.into_iter().map(|row| (row.id, row)).collect())
}

async fn participations_by_id(
    rows: &impl Rows,
    ids: Vec<ParticipationId>,
) -> Result<HashMap<ParticipationId, participation::Model>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = participation::Entity::find()
        .filter(participation::Column::Id.is_in(ids))
        .all(rows.connection())
        .await?;
    Ok(found.into_iter().map(|row| (row.id, row)).collect())
}

async fn sessions_by_id(rows: &impl Rows, ids: Vec<SessionId>) -> Result<HashMap<SessionId, SessionRow>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = chat_session::Entity::find()
        .filter(chat_session::Column::Id.is_in(ids))
        .all(rows.connection())
        .await?;
    Ok(with_participants(rows, found).await?.into_iter().map(|row| (row.session.id, row)).collect())
}

/// Replaces the kind of an event, as in a damaged log.
#[cfg(test)]
pub(crate) async fn set_kind(store: &Store, chat_id: ChatId, sequence: i64, kind: EventKind) -> Result<()> {
    let tx = store.begin().await?;
    event::Entity::update_many()
        .col_expr(event::Column::Kind, Expr::value(kind))
        .filter(event::Column::ChatId.eq(chat_id))
        .filter(event::Column::Sequence.eq(sequence))
        .exec(tx.connection())
        .await?;
    tx.commit().await.map(|_| ())
}

/// Deletes the events of a chat up to a sequence, as expiry does.
#[cfg(test)]
pub(crate) async fn forget(store: &Store, chat_id: ChatId, through: i64) -> Result<()> {
    let forgotten = store.transaction(async |tx| {
        event::Entity::delete_many()
            .filter(event::Column::ChatId.eq(chat_id))
            .filter(event::Column::Sequence.lte(through))
            .exec(tx.connection())
            .await?;
        Ok(())
    });
    forgotten.await.map(|done| done.value)
}
