//! Reading the log: what happened in a chat after a position, with the rows that it happened to.
//!
//! A batch is read from one snapshot, so that nothing in it is older than its head, and costs a fixed
//! number of statements however many events it holds.

use super::messages::{are_seen_by, with_called};
use super::sessions::with_participants;
use super::{Error, Result, Rows, Store, participations};
use crate::domain::event::{Entry, MessageRow, SessionRow, Subject};
use crate::domain::viewer::Viewer;
use entity::{
    ActorId, ChatId, EventKind, MessageId, OrganizationId, ParticipationId, PresenceId, SessionId, Timestamp,
    actor, chat, chat_session, event, message, participation, presence,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Entries after a position.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The chat in the snapshot that was read; its `last_sequence` is the head of the log there.
    pub chat: Arc<chat::Model>,
    /// The entries in order, each with its subject as it is in that snapshot.
    pub entries: Vec<Arc<Entry>>,
}

/// Messages after a position.
#[derive(Clone, Debug)]
pub struct MessageBatch {
    /// The chat in the snapshot that was read.
    pub chat: Arc<chat::Model>,
    /// The messages in order.
    pub messages: Vec<Arc<MessageRow>>,
}

/// Where a reader of a chat starts.
#[derive(Clone, Debug)]
pub struct Start {
    /// The chat.
    pub chat: Arc<chat::Model>,
    /// Whether the reader takes part in it.
    pub participates: bool,
}

/// The chat, where it is one of the organization, and whether the actor takes part in it.
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
    let participates = takes_part(store, chat_id, actor_id).await?;
    Ok(Some(Start { chat: Arc::new(chat), participates }))
}

/// Up to `limit` entries after `after`; `None` where there is no such chat.
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
    let entries = with_subjects(&rows, &chat, events).await?;
    rows.commit().await?;
    Ok(Some(Batch { chat, entries }))
}

/// Up to `limit` messages after `after` that the reader may see, from a chat that the caller knows to exist.
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
        .filter(are_seen_by(reader))
        .order_by_asc(message::Column::Sequence)
        .limit(limit)
        .find_also_related(actor::Entity)
        .all(&rows)
        .await?;
    rows.commit().await?;
    // The statement has left out what the reader does not see, so nobody asks who is called.
    let row = |(message, sender)| Arc::new(MessageRow { message, sender, called_ids: Vec::new() });
    Ok(Some(MessageBatch { chat: Arc::new(chat), messages: messages.into_iter().map(row).collect() }))
}

/// The heads of the logs of several chats, in one statement.
pub async fn heads(store: &Store, chat_ids: &[ChatId]) -> Result<Vec<(ChatId, i64)>> {
    Ok(chat::Entity::find()
        .select_only()
        .columns([chat::Column::Id, chat::Column::LastSequence])
        .filter(chat::Column::Id.is_in(chat_ids.iter().copied()))
        .into_tuple()
        .all(store.connection())
        .await?)
}

/// When an event was recorded; `None` where it is not kept (any more).
pub async fn time_of(store: &Store, chat_id: ChatId, sequence: i64) -> Result<Option<Timestamp>> {
    let event = event::Entity::find_by_id((chat_id, sequence)).one(store.connection()).await?;
    Ok(event.map(|event| event.created_at))
}

/// The chat's participations that changed at or after a moment, ordered by id: up to `limit` after one id.
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

/// Whether the actor takes part in the chat now.
pub async fn takes_part(rows: &impl Rows, chat_id: ChatId, actor_id: ActorId) -> Result<bool> {
    let row = participations::find_of_actor(rows, chat_id, actor_id).await?;
    Ok(row.is_some_and(|row| row.ended_at.is_none()))
}

/// The rows that a batch of events names, by id.
#[derive(Default)]
struct Subjects {
    messages: HashMap<i64, MessageRow>,
    changed: HashMap<MessageId, MessageRow>,
    places: HashMap<MessageId, i64>,
    presences: HashMap<PresenceId, presence::Model>,
    participations: HashMap<ParticipationId, participation::Model>,
    sessions: HashMap<SessionId, SessionRow>,
}

async fn with_subjects(
    rows: &impl Rows,
    chat: &Arc<chat::Model>,
    events: Vec<event::Model>,
) -> Result<Vec<Arc<Entry>>> {
    let mut messages = Vec::new();
    let mut changed = Vec::new();
    let mut places = Vec::new();
    let mut presences = Vec::new();
    let mut participations = Vec::new();
    let mut sessions = Vec::new();
    for event in &events {
        match event.kind {
            EventKind::ChatChanged => {}
            EventKind::HistoryChanged => places.push(MessageId(event.subject_id)),
            EventKind::MessageAdded => messages.push(event.sequence),
            EventKind::MessageChanged => changed.push(MessageId(event.subject_id)),
            EventKind::PresenceAdded | EventKind::PresenceEnded => {
                presences.push(PresenceId(event.subject_id));
            }
            EventKind::ParticipationAdded
            | EventKind::ParticipationChanged
            | EventKind::ParticipationEnded => participations.push(ParticipationId(event.subject_id)),
            EventKind::SessionAdded
            | EventKind::SessionChanged
            | EventKind::SessionStarted
            | EventKind::SessionAccepted
            | EventKind::SessionRejected
            | EventKind::SessionFinished => sessions.push(SessionId(event.subject_id)),
        }
    }
    let mut subjects = Subjects {
        messages: messages_at(rows, chat.id, messages).await?,
        changed: messages_by_id(rows, distinct(changed)).await?,
        places: places_by_id(rows, distinct(places)).await?,
        presences: presences_by_id(rows, distinct(presences)).await?,
        participations: participations_by_id(rows, distinct(participations)).await?,
        sessions: sessions_by_id(rows, distinct(sessions)).await?,
    };
    events
        .into_iter()
        .map(|event| {
            let subject = subjects.of(&event).ok_or_else(|| {
                Error::Failed(format!(
                    "event {} of chat {} names a row that is not there",
                    event.sequence, event.chat_id
                ))
            })?;
            Ok(Arc::new(Entry { event, subject, chat: Arc::clone(chat) }))
        })
        .collect()
}

impl Subjects {
    fn of(&mut self, event: &event::Model) -> Option<Subject> {
        match event.kind {
            EventKind::ChatChanged => Some(Subject::Chat),
            EventKind::HistoryChanged => {
                self.places.get(&MessageId(event.subject_id)).copied().map(Subject::History)
            }
            EventKind::MessageAdded => self.messages.remove(&event.sequence).map(Subject::Message),
            EventKind::MessageChanged => {
                self.changed.get(&MessageId(event.subject_id)).cloned().map(Subject::Message)
            }
            EventKind::PresenceAdded | EventKind::PresenceEnded => {
                self.presences.get(&PresenceId(event.subject_id)).cloned().map(Subject::Presence)
            }
            EventKind::ParticipationAdded
            | EventKind::ParticipationChanged
            | EventKind::ParticipationEnded => self
                .participations
                .get(&ParticipationId(event.subject_id))
                .cloned()
                .map(Subject::Participation),
            EventKind::SessionAdded
            | EventKind::SessionChanged
            | EventKind::SessionStarted
            | EventKind::SessionAccepted
            | EventKind::SessionRejected
            | EventKind::SessionFinished => {
                self.sessions.get(&SessionId(event.subject_id)).cloned().map(Subject::Session)
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

/// Forgets the events of a chat up to a sequence, as time does.
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
