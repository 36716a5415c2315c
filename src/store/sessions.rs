//! Chat sessions, always with their participants.

use super::access::{self, sessions_calling};
use super::changed::all_but_key;
use super::keyset::{self, Sorting};
use super::{Result, Rows, Tx};
use crate::domain::event::SessionRow;
use crate::domain::page::{Order, Page, PageRequest};
use crate::domain::viewer::Viewer;
use entity::{
    ActorId, ActorType, ChatId, OrganizationId, SessionId, SessionState, SessionType, Timestamp, actor,
    chat_session, chat_session_participant,
};
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};
use std::collections::HashMap;

/// Conditions on sessions; all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionFilter {
    /// Sessions of this type.
    pub session_type: Option<SessionType>,
    /// Sessions in one of these states.
    pub states: Option<Vec<SessionState>>,
    /// Sessions that call all of these actors.
    pub participant_ids: Vec<ActorId>,
    /// Sessions of this chat.
    pub chat_id: Option<ChatId>,
}

/// The sort field of sessions. If a field can be absent, sorting by it lists only sessions that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionOrderField {
    /// The time of creation.
    CreatedAt,
    /// The planned time.
    ScheduledAt,
}

impl SessionOrderField {
    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "CREATED_AT",
            Self::ScheduledAt => "SCHEDULED_AT",
        }
    }
}

/// The sort order of sessions.
pub type SessionOrder = Order<SessionOrderField>;

/// The arguments of a list of sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListedSessions {
    /// The conditions that the sessions must meet.
    pub filter: SessionFilter,
    /// The sort order.
    pub order: SessionOrder,
}

/// Finds a session of the organization. The caller must check that the viewer sees its chat.
pub async fn find_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    id: SessionId,
) -> Result<Option<SessionRow>> {
    Ok(find_many_in_organization(rows, organization_id, &[id]).await?.pop())
}

/// Finds sessions of the organization.
pub async fn find_many_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    ids: &[SessionId],
) -> Result<Vec<SessionRow>> {
    let found = chat_session::Entity::find()
        .filter(chat_session::Column::OrganizationId.eq(organization_id))
        .filter(chat_session::Column::Id.is_in(ids.iter().copied()))
        .all(rows.connection())
        .await?;
    with_participants(rows, found).await
}

/// Lists the sessions of these chats that are ringing or in progress, at most one per chat.
pub async fn list_open_of_each(rows: &impl Rows, chat_ids: &[ChatId]) -> Result<Vec<SessionRow>> {
    let found = chat_session::Entity::find()
        .filter(chat_session::Column::ChatId.is_in(chat_ids.iter().copied()))
        .filter(is_open())
        .all(rows.connection())
        .await?;
    with_participants(rows, found).await
}

/// Finds the chats with a session that is ringing or in progress.
pub async fn chats_with_open(rows: &impl Rows, chat_ids: &[ChatId]) -> Result<Vec<ChatId>> {
    Ok(chat_session::Entity::find()
        .select_only()
        .column(chat_session::Column::ChatId)
        .filter(chat_session::Column::ChatId.is_in(chat_ids.iter().copied()))
        .filter(is_open())
        .into_tuple()
        .all(rows.connection())
        .await?)
}

/// Lists the unfinished sessions of the chat.
pub async fn list_not_over(rows: &impl Rows, chat_id: ChatId) -> Result<Vec<SessionRow>> {
    let found = chat_session::Entity::find()
        .filter(chat_session::Column::ChatId.eq(chat_id))
        .filter(not_over())
        .order_by_asc(chat_session::Column::Id)
        .all(rows.connection())
        .await?;
    with_participants(rows, found).await
}

/// Lists the sessions of these chats that were created or changed at or after a moment, oldest first.
pub(super) async fn changed_in_chats(
    rows: &impl Rows,
    chat_ids: &[ChatId],
    since: Timestamp,
) -> Result<Vec<SessionRow>> {
    if chat_ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = chat_session::Entity::find()
        .filter(chat_session::Column::ChatId.is_in(chat_ids.iter().copied()))
        .filter(chat_session::Column::ChangedAt.gte(since))
        .order_by_asc(chat_session::Column::CreatedAt)
        .order_by_asc(chat_session::Column::Id)
        .all(rows.connection())
        .await?;
    with_participants(rows, found).await
}

/// Lists the unfinished sessions that call the viewer and whose chat they see, newest first.
pub async fn list_not_over_of_viewer(
    rows: &impl Rows,
    viewer: &Viewer,
    limit: u64,
) -> Result<Vec<SessionRow>> {
    let found = visible(viewer)
        .filter(chat_session::Column::Id.in_subquery(sessions_calling(viewer.actor_id)))
        .filter(not_over())
        .order_by_desc(chat_session::Column::CreatedAt)
        .order_by_desc(chat_session::Column::Id)
        .limit(limit)
        .all(rows.connection())
        .await?;
    with_participants(rows, found).await
}

/// Lists up to `limit` sessions, with their chats, that still ring although their ring time ended before
/// `now`.
pub async fn list_unanswered(
    rows: &impl Rows,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<(OrganizationId, ChatId, SessionId)>> {
    Ok(chat_session::Entity::find()
        .select_only()
        .column(chat_session::Column::OrganizationId)
        .column(chat_session::Column::ChatId)
        .column(chat_session::Column::Id)
        .filter(is_ringing())
        .filter(chat_session::Column::RingsUntil.lte(now))
        .order_by_asc(chat_session::Column::RingsUntil)
        .limit(limit)
        .into_tuple()
        .all(rows.connection())
        .await?)
}

/// Lists the sessions in progress of each actor: those that they started or accepted, not those that only
/// call them.
pub async fn list_running_of_actors(
    rows: &impl Rows,
    organization_id: OrganizationId,
    actor_ids: &[ActorId],
) -> Result<Vec<(ActorId, SessionId)>> {
    let called = Expr::col((chat_session_participant::Entity, chat_session_participant::Column::ActorId));
    let is_in = |column| called.clone().equals((chat_session::Entity, column));
    let session = chat_session_participant::Entity::belongs_to(chat_session::Entity)
        .from(chat_session_participant::Column::SessionId)
        .to(chat_session::Column::Id);
    Ok(chat_session_participant::Entity::find()
        .select_only()
        .column(chat_session_participant::Column::ActorId)
        .column(chat_session_participant::Column::SessionId)
        .join(JoinType::InnerJoin, session.into())
        .filter(chat_session_participant::Column::ActorId.is_in(actor_ids.iter().copied()))
        .filter(chat_session::Column::OrganizationId.eq(organization_id))
        .filter(is_in_state(SessionState::is_running))
        .filter(is_in(chat_session::Column::StartedBy).or(is_in(chat_session::Column::AcceptedBy)))
        .into_tuple()
        .all(rows.connection())
        .await?)
}

/// Lists the sessions of chats that the viewer sees. Visitors get only sessions that call them.
pub async fn list_visible(
    rows: &impl Rows,
    viewer: &Viewer,
    asked: &ListedSessions,
    page: &PageRequest,
) -> Result<Page<SessionRow>> {
    let list = filtered(visible(viewer), asked);
    let page = keyset::page(rows, list, sorting(asked.order), page).await?;
    Ok(pages_with_participants(rows, vec![page]).await?.remove(0))
}

/// The query plan of a page of [`list_visible`], line by line.
pub async fn explain_visible(
    rows: &impl Rows,
    viewer: &Viewer,
    asked: &ListedSessions,
    page: &PageRequest,
) -> Result<Vec<String>> {
    keyset::explain(rows, &filtered(visible(viewer), asked), sorting(asked.order), page).await
}

/// The same page of sessions for several chats that the filter matches. A visitor gets only those that call them.
pub async fn list_of_each(
    rows: &impl Rows,
    viewer: &Viewer,
    chat_ids: &[ChatId],
    asked: &ListedSessions,
    page: &PageRequest,
) -> Result<Vec<Page<SessionRow>>> {
    let lists = chat_ids.iter().map(|chat_id| {
        let list = chat_session::Entity::find().filter(chat_session::Column::ChatId.eq(*chat_id));
        let list = filtered(list, asked);
        list.filter(access::sees_session(viewer))
    });
    let owner =
        |row: &chat_session::Model| chat_ids.iter().position(|id| *id == row.chat_id).unwrap_or(usize::MAX);
    let pages = keyset::page_of_each(rows, lists.collect(), sorting(asked.order), page, owner).await?;
    pages_with_participants(rows, pages).await
}

fn filtered(mut list: Select<chat_session::Entity>, asked: &ListedSessions) -> Select<chat_session::Entity> {
    let SessionFilter { session_type, states, participant_ids, chat_id } = &asked.filter;
    if let Some(session_type) = session_type {
        list = list.filter(chat_session::Column::SessionType.eq(*session_type));
    }
    if let Some(states) = states {
        list = list.filter(chat_session::Column::State.is_in(states.iter().copied()));
    }
    for participant_id in participant_ids {
        list = list.filter(chat_session::Column::Id.in_subquery(sessions_calling(*participant_id)));
    }
    if let Some(chat_id) = chat_id {
        list = list.filter(chat_session::Column::ChatId.eq(*chat_id));
    }
    match asked.order.field {
        SessionOrderField::CreatedAt => list,
        SessionOrderField::ScheduledAt => list.filter(chat_session::Column::ScheduledAt.is_not_null()),
    }
}

pub async fn insert(tx: &Tx, row: &SessionRow) -> Result<()> {
    let SessionRow { session, participant_ids } = row;
    chat_session::Entity::insert(session.clone().into_active_model())
        .exec_without_returning(tx.connection())
        .await?;
    insert_participants(tx, session.id, participant_ids).await
}

/// Updates a session and its change time if it is still in the state `from`. Returns whether it was.
pub async fn update_from(tx: &Tx, row: &mut chat_session::Model, from: SessionState) -> Result<bool> {
    row.changed_at = tx.now();
    let updated = chat_session::Entity::update_many()
        .set(all_but_key(&*row))
        .filter(chat_session::Column::Id.eq(row.id))
        .filter(chat_session::Column::State.eq(from))
        .exec(tx.connection())
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Replaces the actors who are called to the session.
pub async fn replace_participants(tx: &Tx, id: SessionId, participant_ids: &[ActorId]) -> Result<()> {
    chat_session_participant::Entity::delete_many()
        .filter(chat_session_participant::Column::SessionId.eq(id))
        .exec(tx.connection())
        .await?;
    insert_participants(tx, id, participant_ids).await
}

async fn insert_participants(tx: &Tx, session_id: SessionId, actor_ids: &[ActorId]) -> Result<()> {
    let rows = actor_ids.iter().map(|actor_id| {
        chat_session_participant::Model { session_id, actor_id: *actor_id }.into_active_model()
    });
    chat_session_participant::Entity::insert_many(rows).exec_without_returning(tx.connection()).await?;
    Ok(())
}

async fn pages_with_participants(
    rows: &impl Rows,
    pages: Vec<Page<chat_session::Model>>,
) -> Result<Vec<Page<SessionRow>>> {
    let ids = pages.iter().flat_map(|page| page.rows.iter().map(|(_, session)| session.id)).collect();
    let participants = participants(rows, ids).await?;
    Ok(pages.into_iter().map(|page| page.map(|session| session_row(session, &participants))).collect())
}

/// Adds the participants to the sessions, in the same order.
pub(super) async fn with_participants(
    rows: &impl Rows,
    sessions: Vec<chat_session::Model>,
) -> Result<Vec<SessionRow>> {
    let participants = participants(rows, sessions.iter().map(|session| session.id).collect()).await?;
    Ok(sessions.into_iter().map(|session| session_row(session, &participants)).collect())
}

/// Reads the participants of each session.
pub(super) async fn participants(
    rows: &impl Rows,
    ids: Vec<SessionId>,
) -> Result<HashMap<SessionId, Vec<ActorId>>> {
    let mut participants: HashMap<SessionId, Vec<ActorId>> = HashMap::new();
    if ids.is_empty() {
        return Ok(participants);
    }
    let found = chat_session_participant::Entity::find()
        .filter(chat_session_participant::Column::SessionId.is_in(ids))
        .order_by_asc(chat_session_participant::Column::ActorId)
        .all(rows.connection())
        .await?;
    for chat_session_participant::Model { session_id, actor_id } in found {
        participants.entry(session_id).or_default().push(actor_id);
    }
    Ok(participants)
}

fn session_row(session: chat_session::Model, participants: &HashMap<SessionId, Vec<ActorId>>) -> SessionRow {
    let participant_ids = participants.get(&session.id).cloned().unwrap_or_default();
    SessionRow { session, participant_ids }
}

fn visible(viewer: &Viewer) -> Select<chat_session::Entity> {
    chat_session::Entity::find().filter(access::sees_session_and_chat(viewer))
}

/// Selects the sessions of the chat that call a visitor.
pub(super) fn that_call_visitors_of(chat_id: ChatId) -> SelectStatement {
    let called = chat_session_participant::Entity::belongs_to(actor::Entity)
        .from(chat_session_participant::Column::ActorId)
        .to(actor::Column::Id);
    let session = chat_session_participant::Entity::belongs_to(chat_session::Entity)
        .from(chat_session_participant::Column::SessionId)
        .to(chat_session::Column::Id);
    chat_session_participant::Entity::find()
        .select_only()
        .column(chat_session_participant::Column::SessionId)
        .join(JoinType::InnerJoin, called.into())
        .join(JoinType::InnerJoin, session.into())
        .filter(chat_session::Column::ChatId.eq(chat_id))
        .filter(actor::Column::ActorType.eq(ActorType::Visitor))
        .into_query()
}

/// Selects the chats with a session that calls the actor and was created or changed at or after a moment.
pub(super) fn chats_with_changed(actor_id: ActorId, since: Timestamp) -> SelectStatement {
    chat_session::Entity::find()
        .select_only()
        .column(chat_session::Column::ChatId)
        .filter(chat_session::Column::Id.in_subquery(sessions_calling(actor_id)))
        .filter(chat_session::Column::ChangedAt.gte(since))
        .into_query()
}

/// Whether the session of the row is ringing or in progress.
pub(super) fn is_open() -> Expr {
    is_in_state(SessionState::is_open)
}

/// Whether the session of the row can still be started.
pub(super) fn is_pending() -> Expr {
    is_in_state(SessionState::is_pending)
}

pub(super) fn is_ringing() -> Expr {
    is_in_state(SessionState::is_ringing)
}

fn is_in_state(which: fn(SessionState) -> bool) -> Expr {
    let states: Vec<_> = SessionState::all(which).collect();
    match states.as_slice() {
        // Must match the condition of a partial index, or SQLite does not use it.
        [state] => chat_session::Column::State.eq(*state),
        states => chat_session::Column::State.is_in(states.iter().copied()),
    }
}

/// Open sessions are a separate condition, so that their index can be used.
fn not_over() -> Expr {
    is_pending().or(is_open())
}

fn sorting(order: SessionOrder) -> Sorting<chat_session::Entity> {
    let value = match order.field {
        SessionOrderField::CreatedAt => chat_session::Column::CreatedAt,
        SessionOrderField::ScheduledAt => chat_session::Column::ScheduledAt,
    };
    Sorting::by(value, chat_session::Column::Id, order.is_descending)
}
