//! Sessions: create them and move them on.

use super::chats::{Named, find_or_add, lock_named};
use super::history::{Counted, NewEntry, add_entry, record_session, record_session_change, take_part};
use super::requests::{self, Requested};
use super::tokens::unguessable;
use super::write::{Place, lock_open_chat, lock_visible_chat, refuse_ended};
use super::{Actions, Error, Result};
use crate::domain::description::Description;
use crate::domain::event::SessionRow;
use crate::domain::field_path::FieldPath;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::session::{self, Caller, Decision, Facts, No, Transition};
use crate::domain::session_action::SessionAction;
use crate::domain::viewer::{Viewer, ViewerRole};
use crate::domain::{limits, text};
use crate::store::{Tx, actors, participations, sessions};
use chrono::TimeDelta;
use entity::{
    ActorId, ActorType, ChatId, ChatType, EventKind, MessageType, OrganizationId, RequestKind, SessionId,
    SessionState, SessionType, Timestamp, actor, chat_session,
};
use futures_util::FutureExt;

/// The chat of a session to create.
#[derive(Clone, Debug, Hash)]
pub enum SessionPlace {
    /// A chat that is there.
    Chat {
        /// Which.
        id: ChatId,
        /// Who is called; everybody in the chat where absent.
        participant_ids: Option<Vec<ActorId>>,
    },
    /// The chat of exactly these people and the caller, made where there is none.
    ChatOf(Vec<ActorId>),
}

/// A session to create.
#[derive(Clone, Debug, Hash)]
pub struct CreateSession {
    /// The chat that it belongs to, and who is called.
    pub place: SessionPlace,
    /// What it is about.
    pub title: Option<String>,
    /// What it is for.
    pub session_type: SessionType,
    /// The audio/video room; an unguessable one where absent.
    pub call_room: Option<String>,
    /// When it is meant to be.
    pub scheduled_at: Option<Timestamp>,
    /// Start it at once.
    pub start: bool,
    /// How long it rings, if it is started at once: 5 to 180.
    pub ring_seconds: Option<i32>,
    /// Makes creating again safe.
    pub request_id: Option<String>,
}

/// Changes of a session's own fields.
#[derive(Clone, Debug)]
pub struct UpdateSession {
    /// Which.
    pub session_id: SessionId,
    /// `None` leaves it, `Some(None)` takes it away.
    pub title: Option<Option<String>>,
    /// Another audio/video room.
    pub call_room: Option<String>,
    /// `None` leaves it, `Some(None)` takes it away.
    pub scheduled_at: Option<Option<Timestamp>>,
    /// Who is called from now on; who created, started or accepted it always is.
    pub participant_ids: Option<Vec<ActorId>>,
}

/// An action on a session.
#[derive(Clone, Debug)]
pub struct MoveSession {
    /// Which session.
    pub session_id: SessionId,
    /// What it is to do.
    pub action: SessionAction,
    /// Of REJECT and FINISH.
    pub reason: Option<String>,
    /// Of START: how long it rings, 5 to 180.
    pub ring_seconds: Option<i32>,
    /// Of ACCEPT: tells one tab of a person from another.
    pub request_id: Option<String>,
}

impl Actions {
    /// Creates a session on a chat, or on the chat of exactly its participants.
    pub async fn create_session(&self, viewer: &Viewer, input: CreateSession) -> Result<SessionRow> {
        policy::may(viewer.role, Verb::UseSessions)?;
        let viewer = viewer.clone();
        Ok(self.write(move |tx| create(tx, viewer, input).boxed()).await?.value)
    }

    /// Changes a session's title, room, time or participants, as long as it is not over.
    pub async fn update_session(&self, viewer: &Viewer, input: UpdateSession) -> Result<SessionRow> {
        policy::may(viewer.role, Verb::UseSessions)?;
        let viewer = viewer.clone();
        Ok(self.write_to(input.session_id, move |tx| update(tx, viewer, input).boxed()).await?.value)
    }

    /// Moves a session on. Of any number of callers at once one wins.
    pub async fn give_action(&self, viewer: &Viewer, input: MoveSession) -> Result<SessionRow> {
        policy::may(viewer.role, Verb::UseSessions)?;
        let viewer = viewer.clone();
        Ok(self.write_to(input.session_id, move |tx| direct(tx, viewer, input).boxed()).await?.value)
    }

    /// Finishes the sessions that rang without an answer: the server's own clock does this. One that cannot be
    /// finished now is tried again and holds up no other. Answers how many it looked at.
    pub async fn miss_sessions(&self) -> Result<usize> {
        let unanswered = sessions::list_unanswered(&self.0.store, self.now(), 100).await?;
        for (organization_id, chat_id, session_id) in &unanswered {
            let (organization_id, chat_id, session_id) = (*organization_id, *chat_id, *session_id);
            let missed = self
                .write_to(session_id, move |tx| miss(tx, organization_id, chat_id, session_id).boxed())
                .await;
            if let Err(error) = missed {
                tracing::warn!(%session_id, %error, "could not finish a session that nobody answered");
            }
        }
        Ok(unanswered.len())
    }
}

impl CreateSession {
    fn description(&self) -> Description {
        let (chat_id, participant_ids) = match &self.place {
            SessionPlace::Chat { id, participant_ids } => (Some(*id), participant_ids.as_deref()),
            SessionPlace::ChatOf(participant_ids) => (None, Some(&**participant_ids)),
        };
        Description::of("createChatSession")
            .with("chatId", chat_id)
            .with_each("participantIds", participant_ids.unwrap_or_default())
            .with("title", self.title.as_ref())
            .with("type", Some(self.session_type.as_str()))
            .with("callRoom", self.call_room.as_ref())
            .with("scheduledAt", self.scheduled_at.map(|at| at.0))
            .with_flag("start", self.start)
            .with("ringSeconds", self.ring_seconds)
    }
}

/// A session's chat to be locked, after the actors.
enum Locked {
    In(ChatId, Option<Vec<ActorId>>),
    Named(Named),
}

async fn create(tx: &mut Tx, viewer: Viewer, mut input: CreateSession) -> Result<SessionRow> {
    let call = input.description();
    check_texts(input.title.as_mut(), input.call_room.as_mut(), None)?;
    let rings = ring_time(input.ring_seconds)?;
    // Actors are locked all at once and before the chat.
    let place = match input.place {
        SessionPlace::ChatOf(_) if viewer.role == ViewerRole::Visitor => {
            let reason = "Visitors can create sessions only in an existing chat.";
            return Err(Refused::Invalid { field: "participantIds".into(), reason }.into());
        }
        SessionPlace::ChatOf(ids) => Locked::Named(lock_named(tx, &viewer, &ids, "participantIds").await?),
        SessionPlace::Chat { id, participant_ids } => {
            if input.request_id.is_some() {
                actors::lock_in_organization(tx, viewer.organization_id, &[viewer.actor_id]).await?;
            }
            Locked::In(id, participant_ids)
        }
    };
    let request =
        requests::find(tx, &viewer, &[RequestKind::Session], input.request_id.as_deref(), &call).await?;
    if let Requested::Before(_, id) = request {
        let (row, _) = lock_session(tx, &viewer, SessionId(id))
            .await
            .map_err(|error| requests::if_gone(error, "chat session"))?;
        return Ok(row);
    }
    let participants = match place {
        Locked::In(chat_id, participant_ids) => {
            lock_open_chat(tx, &viewer, chat_id).await?;
            match &participant_ids {
                Some(ids) => {
                    named_participants(tx, &viewer, &[&ids[..], &[viewer.actor_id]].concat(), &[]).await?
                }
                None => everybody(tx, &viewer).await?,
            }
        }
        Locked::Named(named) => lock_chat_of(tx, &viewer, named).await?,
    };
    if participants.len() < 2 {
        let reason = "A session calls at least one other participant.";
        return Err(Refused::Invalid { field: "participantIds".into(), reason }.into());
    }
    let by = Some(viewer.actor_id);
    for participant in &participants {
        take_part(tx, participant, Counted::Yes, by).await?;
    }
    let chat = tx.chat()?;
    let row = SessionRow {
        session: chat_session::Model {
            id: SessionId(tx.new_id()),
            chat_id: chat.id,
            organization_id: chat.organization_id,
            session_type: input.session_type,
            state: SessionState::Created,
            outcome: None,
            title: input.title,
            call_room: input.call_room.unwrap_or_else(unguessable),
            created_at: tx.now(),
            created_by: viewer.actor_id,
            scheduled_at: input.scheduled_at,
            started_at: None,
            started_by: None,
            accepted_at: None,
            accepted_by: None,
            accept_request_id: None,
            rejected_at: None,
            rejected_by: None,
            reject_reason: None,
            finished_at: None,
            finished_by: None,
            finish_reason: None,
            rings_until: None,
            changed_at: tx.now(),
        },
        participant_ids: participants.iter().map(|actor| actor.id).collect(),
    };
    sessions::insert(tx, &row).await?;
    requests::remember(tx, &viewer, RequestKind::Session, request, row.session.id.0).await?;
    record_session(tx, EventKind::SessionAdded, &row, by).await?;
    if !input.start {
        return Ok(row);
    }
    let caller = participants.iter().find(|actor| actor.id == viewer.actor_id);
    let transition = session::transition(SessionState::Created, SessionAction::Start)
        .ok_or_else(|| Error::Failed("a new session cannot start".into()))?;
    let change = Change { action: SessionAction::Start, transition, rings, reason: None, request_id: None };
    go(tx, row, change, caller).await
}

/// Everybody who takes part in the chat now and can be called, and the caller.
async fn everybody(tx: &Tx, viewer: &Viewer) -> Result<Vec<actor::Model>> {
    let taking_part = participations::list_now(tx, tx.chat()?.id).await?;
    let mut ids: Vec<_> = taking_part.into_iter().map(|participation| participation.actor_id).collect();
    ids.push(viewer.actor_id);
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > limits::PARTICIPANTS {
        return Err(Refused::TooMany { field: "participantIds".into(), limit: limits::PARTICIPANTS }.into());
    }
    let mut found = actors::find_many_in_organization(tx, viewer.organization_id, &ids).await?;
    found.retain(|actor| actor.deactivated_at.is_none());
    Ok(found)
}

/// The named actors, as far as they may be called to this chat: users to any chat with a visitor, everybody else
/// only to a chat that they take part in. Whoever is in `stays` is among them in any case.
async fn named_participants(
    tx: &Tx,
    viewer: &Viewer,
    ids: &[ActorId],
    stays: &[ActorId],
) -> Result<Vec<actor::Model>> {
    let given = ids;
    let mut ids = [ids, stays].concat();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > limits::PARTICIPANTS {
        return Err(Refused::TooMany { field: "participantIds".into(), limit: limits::PARTICIPANTS }.into());
    }
    let chat = tx.chat()?;
    let taking_part = participations::list_now(tx, chat.id).await?;
    let found = actors::find_many_in_organization(tx, viewer.organization_id, &ids).await?;
    let may_be_called = |actor: &actor::Model| {
        let takes_part = taking_part.iter().any(|participation| participation.actor_id == actor.id);
        let is_guest = chat.chat_type == ChatType::Visitor && actor.actor_type == ActorType::User;
        actor.deactivated_at.is_none() && (takes_part || is_guest)
    };
    if found.len() == ids.len() && found.iter().all(|actor| stays.contains(&actor.id) || may_be_called(actor))
    {
        Ok(found)
    } else {
        let is_there = |id: &ActorId| {
            found.iter().any(|actor| actor.id == *id && (stays.contains(id) || may_be_called(actor)))
        };
        let field = FieldPath::of("participantIds");
        let field = given.iter().position(|id| !is_there(id)).map_or(field.clone(), |at| field.item(at));
        Err(Refused::NotFound { what: "participant", field }.into())
    }
}

/// Locks the chat of exactly these actors, made where there is none.
async fn lock_chat_of(tx: &mut Tx, viewer: &Viewer, named: Named) -> Result<Vec<actor::Model>> {
    let participants = named.all()?;
    let actor_ids: Vec<_> = participants.iter().map(|actor| actor.id).collect();
    if participants.len() < 2 {
        return Ok(participants);
    }
    if let Some(chat_id) =
        participations::find_chat_of_exactly(tx, viewer.organization_id, &actor_ids).await?
    {
        tx.lock_chat(viewer.organization_id, chat_id).await?;
        refuse_ended(tx)?;
    } else {
        let chat_type = if participants.len() == 2 { ChatType::Direct } else { ChatType::Group };
        find_or_add(tx, viewer, chat_type, &participants, |row| row.owner_id = Some(viewer.actor_id)).await?;
    }
    Ok(participants)
}

async fn update(tx: &mut Tx, viewer: Viewer, input: UpdateSession) -> Result<SessionRow> {
    let UpdateSession { session_id, mut title, mut call_room, scheduled_at, participant_ids } = input;
    check_texts(title.as_mut().and_then(Option::as_mut), call_room.as_mut(), None)?;
    let (mut row, _) = lock_session(tx, &viewer, session_id).await?;
    refuse_ended(tx)?;
    if !row.has_participant(viewer.actor_id) && viewer.role != ViewerRole::Admin {
        return Err(Refused::NotParticipant.into());
    }
    let state = row.session.state;
    if state.is_over() {
        return Err(Refused::Invalid { field: "chatSessionId".into(), reason: "The session is over." }.into());
    }
    let before = row.clone();
    if let Some(title) = title {
        row.session.title = title;
    }
    if let Some(call_room) = call_room {
        row.session.call_room = call_room;
    }
    if let Some(scheduled_at) = scheduled_at {
        row.session.scheduled_at = scheduled_at;
    }
    let by = Some(viewer.actor_id);
    if let Some(ids) = participant_ids {
        let participants = named_participants(tx, &viewer, &ids, &row.stays()).await?;
        if participants.len() < 2 {
            let reason = "A session calls at least one other participant.";
            return Err(Refused::Invalid { field: "participantIds".into(), reason }.into());
        }
        for participant in &participants {
            take_part(tx, participant, Counted::Yes, by).await?;
        }
        row.participant_ids = participants.iter().map(|actor| actor.id).collect();
        sessions::replace_participants(tx, session_id, &row.participant_ids).await?;
    }
    if row != before {
        sessions::update_from(tx, &mut row.session, state).await?;
        record_session_change(tx, EventKind::SessionChanged, &row, &before.participant_ids, by).await?;
    }
    Ok(row)
}

async fn direct(tx: &mut Tx, viewer: Viewer, input: MoveSession) -> Result<SessionRow> {
    let MoveSession { session_id, action, reason, ring_seconds, request_id } = input;
    check_texts(None, None, reason.as_deref())?;
    let rings = ring_time(ring_seconds)?;
    if let Some(request_id) = &request_id {
        text::external_id("requestId", request_id)?;
    }
    let (row, _) = lock_session(tx, &viewer, session_id).await?;
    let caller = Caller {
        actor_id: viewer.actor_id,
        is_participant: row.has_participant(viewer.actor_id),
        is_admin: viewer.role == ViewerRole::Admin,
        request_id: request_id.as_deref(),
    };
    let facts = Facts::from(&row.session);
    let transition = match session::decide(facts, action, caller) {
        Ok(Decision::Go(transition)) => transition,
        Ok(Decision::Already) => return Ok(row),
        Err(No::NotParticipant) => return Err(Refused::NotParticipant.into()),
        Err(No::State) => {
            let allowed = session::possible(facts, caller);
            return Err(Refused::InvalidTransition { from: row.session.state, action, allowed }.into());
        }
    };
    let actor = actors::find_in_organization(tx, viewer.organization_id, viewer.actor_id).await?;
    go(tx, row, Change { action, transition, rings, reason, request_id }, actor.as_ref()).await
}

async fn miss(
    tx: &mut Tx,
    organization_id: OrganizationId,
    chat_id: ChatId,
    session_id: SessionId,
) -> Result<()> {
    tx.lock_chat(organization_id, chat_id).await?;
    let Some(row) = sessions::find_in_organization(tx, organization_id, session_id).await? else {
        return Ok(());
    };
    let is_due = row.session.rings_until.is_some_and(|rings_until| rings_until <= tx.clock_time());
    let Some(transition) = session::missed(row.session.state).filter(|_| is_due) else { return Ok(()) };
    let change = Change {
        action: SessionAction::Finish,
        transition,
        rings: TimeDelta::zero(),
        reason: None,
        request_id: None,
    };
    go(tx, row, change, None).await?;
    Ok(())
}

/// A transition that was decided on.
struct Change {
    action: SessionAction,
    transition: Transition,
    rings: TimeDelta,
    reason: Option<String>,
    request_id: Option<String>,
}

/// Writes a transition: one compare-and-set, one event, one entry of the history.
async fn go(
    tx: &mut Tx,
    mut row: SessionRow,
    change: Change,
    actor: Option<&actor::Model>,
) -> Result<SessionRow> {
    let Change { action, transition, rings, reason, request_id } = change;
    let (by, now) = (actor.map(|actor| actor.id), tx.now());
    if action == SessionAction::Start {
        refuse_ended(tx)?;
        if !sessions::list_open_of_each(tx, &[row.session.chat_id]).await?.is_empty() {
            return Err(Refused::SessionOpen.into());
        }
    }
    let from = row.session.state;
    session::stamp(&mut row.session, action, transition, by, now);
    let kind = match action {
        SessionAction::Start => {
            row.session.rings_until = Some(tx.clock_time().plus(rings));
            EventKind::SessionStarted
        }
        SessionAction::Accept => {
            row.session.accept_request_id = request_id;
            EventKind::SessionAccepted
        }
        SessionAction::Reject => {
            row.session.reject_reason = reason;
            EventKind::SessionRejected
        }
        SessionAction::Finish => {
            row.session.finish_reason = reason;
            EventKind::SessionFinished
        }
    };
    if !sessions::update_from(tx, &mut row.session, from).await? {
        return Err(Error::Failed("a session changed under its chat's lock".into()));
    }
    record_session(tx, kind, &row, by).await?;
    let notice = NewEntry::notice(MessageType::Session, actor);
    add_entry(tx, NewEntry { session: Some(&row), ..notice }, by).await?;
    Ok(row)
}

/// Locks the chat of a session that exists for the viewer, and reads the session under the lock.
async fn lock_session(tx: &mut Tx, viewer: &Viewer, session_id: SessionId) -> Result<(SessionRow, Place)> {
    let not_found = || Error::from(Refused::NotFound { what: "chat session", field: "chatSessionId".into() });
    let found = sessions::find_in_organization(tx, viewer.organization_id, session_id).await?;
    let chat_id = found.ok_or_else(not_found)?.session.chat_id;
    let place = match lock_visible_chat(tx, viewer, chat_id).await {
        Err(Error::Refused(Refused::NotFound { .. })) => return Err(not_found()),
        other => other?,
    };
    let row = sessions::find_in_organization(tx, viewer.organization_id, session_id)
        .await?
        .ok_or_else(not_found)?;
    if policy::sees_session(viewer, &row.participant_ids) { Ok((row, place)) } else { Err(not_found()) }
}

fn ring_time(seconds: Option<i32>) -> Result<TimeDelta> {
    let (least, default, most) = limits::RING_SECONDS;
    let seconds = seconds.unwrap_or(default);
    if (least..=most).contains(&seconds) {
        Ok(TimeDelta::seconds(seconds.into()))
    } else {
        Err(Refused::Invalid { field: "ringSeconds".into(), reason: "A session rings 5 to 180 seconds." }
            .into())
    }
}

fn check_texts(
    title: Option<&mut String>,
    call_room: Option<&mut String>,
    reason: Option<&str>,
) -> Result<()> {
    if let Some(title) = title {
        text::name("title", title)?;
    }
    if let Some(call_room) = call_room {
        text::name("callRoom", call_room)?;
    }
    if let Some(reason) = reason {
        text::note("reason", reason, limits::REASON)?;
    }
    Ok(())
}
