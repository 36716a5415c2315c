//! Creates sessions.

use super::input::{check_texts, ring_time};
use super::lock::lock_session;
use super::participants::{everybody, named_participants};
use super::transition::{Change, go};
use crate::actions::chat::add::find_or_add;
use crate::actions::chat::named::{Named, lock_named};
use crate::actions::history::{Counted, record_session, take_part};
use crate::actions::random::unguessable;
use crate::actions::requests::{self, Requested};
use crate::actions::write::{lock_open_chat, refuse_ended};
use crate::actions::{Actions, Error, Result};
use crate::domain::change::SessionChange;
use crate::domain::description::Description;
use crate::domain::event::SessionRow;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::session;
use crate::domain::session_action::SessionAction;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, participations, sessions};
use entity::{
    ActorId, ChatId, ChatType, RequestKind, SessionId, SessionState, SessionType, Timestamp, actor,
    chat_session,
};

/// The chat of a session to create.
#[derive(Clone, Debug, Hash)]
pub enum SessionPlace {
    /// An existing chat.
    Chat {
        /// The id of the chat.
        id: ChatId,
        /// The actors to call; everybody in the chat if absent.
        participant_ids: Option<Vec<ActorId>>,
    },
    /// The chat of exactly these actors and the caller, created if there is none.
    ChatOf(Vec<ActorId>),
}

/// A session to create.
#[derive(Clone, Debug, Hash)]
pub struct CreateSession {
    /// The chat of the session, and the actors to call.
    pub place: SessionPlace,
    /// The session's title.
    pub title: Option<String>,
    /// The session's type.
    pub session_type: SessionType,
    /// The audio or video room. Defaults to an unguessable name.
    pub call_room: Option<String>,
    /// The planned time.
    pub scheduled_at: Option<Timestamp>,
    /// Whether the session starts at once.
    pub start: bool,
    /// For how many seconds the session rings if it starts at once: 5 to 180.
    pub ring_seconds: Option<i32>,
    /// The id under which a retry returns the same session.
    pub request_id: Option<String>,
}

impl Actions {
    /// Creates a session in a chat, or in the chat of exactly its participants.
    pub async fn create_session(&self, viewer: &Viewer, input: CreateSession) -> Result<SessionRow> {
        let permit = self.permit(viewer, Verb::UseSessions)?;
        Ok(permit.write(create, input).await?.value)
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
    // All actors are locked at once, and before the chat.
    let place = match input.place {
        SessionPlace::ChatOf(_) if policy::may(viewer.role, Verb::CreateChat).is_err() => {
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
        let reason = "A session must have at least one participant other than its creator.";
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
    record_session(tx, SessionChange::Added, &row, by).await?;
    if !input.start {
        return Ok(row);
    }
    let caller = participants.iter().find(|actor| actor.id == viewer.actor_id);
    let transition = session::transition(SessionState::Created, SessionAction::Start)
        .ok_or_else(|| Error::Failed("a new session cannot start".into()))?;
    let change = Change { action: SessionAction::Start, transition, rings, reason: None, request_id: None };
    go(tx, row, change, caller).await
}

/// Locks the chat of exactly these actors, and creates it if there is none.
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
