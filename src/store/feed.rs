//! Reads for the feeds: chats that changed since a time, with their members.

use super::bounded::Bounded;
use super::{Result, Rows, Store, access, sessions};
use crate::domain::chat_filter::Members;
use crate::domain::event::SessionRow;
use crate::domain::policy;
use crate::domain::viewer::Viewer;
use entity::{
    ActorId, ChatId, EventKind, OrganizationId, RoomId, Timestamp, chat, event, participation, presence,
};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The page size of [`changed_since`].
const CHANGED: u64 = 500;

/// The scope of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The chats of a room.
    Room(RoomId),
    /// The chats with a visitor.
    Visitor(ActorId),
    /// The chats in which an actor participates or participated.
    Participant(ActorId),
    /// The chats in which a user is or was present.
    PresentUser(ActorId),
    /// The chats in which an actor participates, participated, is or was present, and all chats of the rooms.
    Inbox(ActorId, Vec<RoomId>),
}

/// A chat of a feed's scope with its members.
#[derive(Clone, Debug)]
pub struct Found {
    pub chat: Arc<chat::Model>,
    /// The current members.
    pub members: Members,
    /// Whether the reader is, or has ever been, a participant of the chat or present in it.
    pub was_member: bool,
    /// Whether the chat's own fields, which include its privacy, changed since the given moment.
    pub was_changed: bool,
    /// The sessions created or changed since that moment, for a chat that the reader is or has ever been in.
    /// Includes sessions that do not call the reader.
    pub sessions: Vec<SessionRow>,
}

/// The exact position of a chat in the order of changes.
pub type ChangeKey = (Timestamp, ChatId);

/// Lists up to `limit` chats in a scope of the organization that changed at or after a moment, as far as the
/// reader may see the change. Oldest change first, starting after `after`. Reads one snapshot.
pub async fn changed_in_place(
    store: &Store,
    reader: &Viewer,
    place: &Place,
    since: Timestamp,
    after: Option<ChangeKey>,
    limit: u64,
) -> Result<Vec<Found>> {
    let changed = access::changed_at(reader);
    let condition = if policy::sees_all_events(reader) {
        is_after(changed, since, after)
    } else {
        // A session that does not call all visitors of the chat does not update the chat's time.
        let in_session = sessions::chats_with_changed(reader.actor_id, since);
        let since = Condition::any().add(changed.gte(since)).add(chat::Column::Id.in_subquery(in_session));
        let mut condition = Condition::all().add(since);
        if let Some(key) = after {
            condition = condition.add(is_after(changed, key.0, after));
        }
        condition
    };
    let rows = store.snapshot().await?;
    let chats = chat::Entity::find()
        .filter(chat::Column::OrganizationId.eq(reader.organization_id))
        .filter(place.condition())
        .filter(condition)
        .order_by_asc(changed)
        .order_by_asc(chat::Column::Id)
        .limit(limit)
        .all(&rows)
        .await?;
    let ids: Vec<_> = chats.iter().map(|chat| chat.id).collect();
    let mut members = members_of_each(&rows, &ids).await?;
    let was_member = were_member(&rows, &ids, reader.actor_id).await?;
    let private: Vec<_> = chats.iter().filter(|chat| chat.is_private).map(|chat| chat.id).collect();
    let was_changed = were_changed(&rows, &private, since).await?;
    let own: Vec<_> = was_member.iter().copied().collect();
    let mut sessions: HashMap<ChatId, Vec<SessionRow>> = HashMap::new();
    if place.has_sessions() {
        for row in sessions::changed_in_chats(&rows, &own, since).await? {
            sessions.entry(row.session.chat_id).or_default().push(row);
        }
    }
    rows.commit().await?;
    Ok(chats
        .into_iter()
        .map(|chat| Found {
            members: members.remove(&chat.id).unwrap_or_default(),
            was_member: was_member.contains(&chat.id),
            was_changed: was_changed.contains(&chat.id),
            sessions: sessions.remove(&chat.id).unwrap_or_default(),
            chat: Arc::new(chat),
        })
        .collect())
}

/// A chat that waits or waited in a room.
#[derive(Clone, Debug)]
pub struct Queued {
    /// The chat.
    pub chat: Arc<chat::Model>,
    /// The current members.
    pub members: Members,
}

/// Lists up to `limit` chats of the rooms that wait for an answer, and up to as many that changed at or after a time,
/// whether or not the reader sees them. Reads one snapshot.
pub async fn queued_in_rooms(
    store: &Store,
    reader: &Viewer,
    room_ids: &[RoomId],
    since: Timestamp,
    limit: u64,
) -> Result<Vec<Queued>> {
    let rows = store.snapshot().await?;
    let of_rooms = || {
        chat::Entity::find()
            .filter(chat::Column::OrganizationId.eq(reader.organization_id))
            .filter(chat::Column::RoomId.is_in(room_ids.iter().copied()))
            .limit(limit)
    };
    let mut chats = of_rooms().filter(chat::Column::WaitingSince.is_not_null()).all(&rows).await?;
    let changed = of_rooms().filter(chat::Column::LoggedAt.gte(since)).all(&rows).await?;
    chats.extend(changed.into_iter().filter(|chat| chat.waiting_since.is_none()));
    let ids: Vec<_> = chats.iter().map(|chat| chat.id).collect();
    let mut members = members_of_each(&rows, &ids).await?;
    rows.commit().await?;
    let queued = |chat: chat::Model| Queued {
        members: members.remove(&chat.id).unwrap_or_default(),
        chat: Arc::new(chat),
    };
    Ok(chats.into_iter().map(queued).collect())
}

/// Lists up to `limit` chats of several organizations that changed at or after a moment, oldest change first.
pub async fn changed_in_organizations(
    store: &Store,
    organization_ids: &[OrganizationId],
    since: Timestamp,
    after: Option<ChangeKey>,
    limit: u64,
) -> Result<Vec<chat::Model>> {
    Ok(chat::Entity::find()
        .filter(chat::Column::OrganizationId.is_in(organization_ids.iter().copied()))
        .filter(is_after(chat::Column::LoggedAt, since, after))
        .order_by_asc(chat::Column::LoggedAt)
        .order_by_asc(chat::Column::Id)
        .limit(limit)
        .all(store.connection())
        .await?)
}

/// The members of a chat right after the event with this sequence.
pub type Roster = (i64, Members);

/// Reads the members of each chat and the sequence of its last event, in one snapshot.
pub async fn rosters_of_each(store: &Store, chat_ids: &[ChatId]) -> Result<HashMap<ChatId, Roster>> {
    if chat_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = store.snapshot().await?;
    let heads: Vec<(ChatId, i64)> = chat::Entity::find()
        .select_only()
        .columns([chat::Column::Id, chat::Column::LastSequence])
        .filter(chat::Column::Id.is_in(chat_ids.iter().copied()))
        .into_tuple()
        .all(&rows)
        .await?;
    let mut members = members_of_each(&rows, chat_ids).await?;
    rows.commit().await?;
    Ok(heads
        .into_iter()
        .map(|(chat_id, head)| (chat_id, (head, members.remove(&chat_id).unwrap_or_default())))
        .collect())
}

/// Reads the current members of each chat, in two statements. Chats without members are left out.
pub(super) async fn members_of_each(
    rows: &impl Rows,
    chat_ids: &[ChatId],
) -> Result<HashMap<ChatId, Members>> {
    let mut members: HashMap<ChatId, Members> = HashMap::new();
    if chat_ids.is_empty() {
        return Ok(members);
    }
    let participants: Vec<(ChatId, ActorId, Option<i64>)> = participation::Entity::find()
        .select_only()
        .columns([
            participation::Column::ChatId,
            participation::Column::ActorId,
            participation::Column::HiddenSequence,
        ])
        .filter(participation::Column::ChatId.is_in(chat_ids.iter().copied()))
        .filter(access::participates())
        .into_tuple()
        .all(rows.connection())
        .await?;
    for (chat_id, actor_id, hidden_sequence) in participants {
        let members = members.entry(chat_id).or_default();
        members.participants.push(actor_id);
        members.set_hidden(actor_id, hidden_sequence);
    }
    let present: Vec<(ChatId, ActorId)> = presence::Entity::find()
        .select_only()
        .columns([presence::Column::ChatId, presence::Column::UserId])
        .filter(presence::Column::ChatId.is_in(chat_ids.iter().copied()))
        .filter(presence::Column::EndedAt.is_null())
        .into_tuple()
        .all(rows.connection())
        .await?;
    for (chat_id, user_id) in present {
        members.entry(chat_id).or_default().present_users.push(user_id);
    }
    Ok(members)
}

impl Place {
    /// Whether followers of this scope receive session events.
    fn has_sessions(&self) -> bool {
        match self {
            Self::Inbox(..) => true,
            Self::Room(_) | Self::Visitor(_) | Self::Participant(_) | Self::PresentUser(_) => false,
        }
    }

    fn condition(&self) -> Condition {
        match self {
            Self::Room(room_id) => Condition::all().add(chat::Column::RoomId.eq(*room_id)),
            Self::Visitor(visitor_id) => Condition::all().add(chat::Column::VisitorId.eq(*visitor_id)),
            Self::Participant(actor_id) => Condition::all().add(has_participated(*actor_id)),
            Self::PresentUser(user_id) => Condition::all().add(has_been_present(*user_id)),
            Self::Inbox(actor_id, room_ids) => {
                let own = Condition::any().add(has_participated(*actor_id)).add(has_been_present(*actor_id));
                if room_ids.is_empty() {
                    own
                } else {
                    own.add(chat::Column::RoomId.is_in(room_ids.iter().copied()))
                }
            }
        }
    }
}

fn has_participated(actor_id: ActorId) -> Expr {
    let own = participation::Entity::find()
        .select_only()
        .column(participation::Column::ChatId)
        .filter(participation::Column::ActorId.eq(actor_id))
        .into_query();
    chat::Column::Id.in_subquery(own)
}

/// Ended presences are looked up by their chat, so that the database starts from the chats that changed.
fn has_been_present(user_id: ActorId) -> Expr {
    let of_chat = Expr::col((presence::Entity, presence::Column::ChatId));
    let own = presence::Entity::find()
        .select_only()
        .column(presence::Column::Id)
        .filter(presence::Column::UserId.eq(user_id))
        .filter(of_chat.eq(Expr::col((chat::Entity, chat::Column::Id))))
        .into_query();
    Expr::exists(own)
}

fn is_after(changed: chat::Column, since: Timestamp, after: Option<ChangeKey>) -> Condition {
    match after {
        None => Condition::all().add(changed.gte(since)),
        Some((at, id)) => Condition::all()
            .add(changed.gte(at))
            .add(Condition::any().add(changed.gt(at)).add(chat::Column::Id.gt(id))),
    }
}

async fn were_member(
    rows: &Bounded<DatabaseTransaction>,
    chat_ids: &[ChatId],
    actor_id: ActorId,
) -> Result<HashSet<ChatId>> {
    if chat_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let participated: Vec<ChatId> = participation::Entity::find()
        .select_only()
        .column(participation::Column::ChatId)
        .filter(participation::Column::ActorId.eq(actor_id))
        .filter(participation::Column::ChatId.is_in(chat_ids.iter().copied()))
        .into_tuple()
        .all(rows)
        .await?;
    let present: Vec<ChatId> = presence::Entity::find()
        .select_only()
        .column(presence::Column::ChatId)
        .filter(presence::Column::UserId.eq(actor_id))
        .filter(presence::Column::ChatId.is_in(chat_ids.iter().copied()))
        .into_tuple()
        .all(rows)
        .await?;
    Ok(participated.into_iter().chain(present).collect())
}

async fn were_changed(
    rows: &Bounded<DatabaseTransaction>,
    chat_ids: &[ChatId],
    since: Timestamp,
) -> Result<HashSet<ChatId>> {
    if chat_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let changed: Vec<ChatId> = event::Entity::find()
        .select_only()
        .column(event::Column::ChatId)
        .distinct()
        .filter(event::Column::ChatId.is_in(chat_ids.iter().copied()))
        .filter(event::Column::Kind.eq(EventKind::ChatChanged))
        .filter(event::Column::CreatedAt.gte(since))
        .into_tuple()
        .all(rows)
        .await?;
    Ok(changed.into_iter().collect())
}

/// Lists all chats of the organizations that changed at or after a moment.
pub async fn changed_since(
    store: &Store,
    organization_ids: &[OrganizationId],
    since: Timestamp,
) -> Result<Vec<chat::Model>> {
    let mut changed = Vec::new();
    let mut after = None;
    if organization_ids.is_empty() {
        return Ok(changed);
    }
    loop {
        let page = changed_in_organizations(store, organization_ids, since, after, CHANGED).await?;
        let is_last = u64::try_from(page.len()).unwrap_or(CHANGED) < CHANGED;
        after = page.last().map(|last| (last.logged_at, last.id));
        changed.extend(page);
        if is_last {
            return Ok(changed);
        }
    }
}
