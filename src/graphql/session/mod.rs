//! Chat sessions.

pub(super) mod mutation;
mod place;

use super::actor::Actor;
use super::caller::caller;
use super::chat::{Chat, decode_participants};
use super::connection::{List, PageArguments, connection};
use super::enums::{CallStatus, ChatSessionAction, ChatSessionOutcome, ChatSessionState, ChatSessionType};
use super::error::{Fault, Result};
use super::id::Kind;
use super::loaders::{BusyIn, HasOpenSession, PageOf};
use super::order::{ChatSessionOrderField, ChatSessionOrderInput};
use super::scalar::DateTime;
use crate::actions::{ListedSessions, SessionFilter, SessionOrder};
use crate::domain::description::Description;
use crate::domain::event::SessionRow;
use crate::domain::page::Page;
use crate::domain::policy::{self, Verb};
use crate::domain::session::{self, Facts};
use crate::domain::session_action::SessionAction;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::{ActorId, ChatId, SessionState};

/// A call or visit in a chat.
#[derive(Clone)]
pub(super) struct ChatSession(pub SessionRow);

/// A participant of a chat session.
#[derive(SimpleObject)]
pub(super) struct ChatSessionParticipant {
    /// The actor who participates in the session.
    actor: Actor,
    /// The status of the actor in the session.
    status: CallStatus,
}

impl ChatSession {
    async fn actor(&self, context: &Context<'_>, id: Option<ActorId>) -> Result<Option<Actor>> {
        match id {
            Some(id) => Ok(caller(context)?.load(id).await?.and_then(Actor::new)),
            None => Ok(None),
        }
    }

    fn status(&self, id: ActorId, is_busy: bool) -> CallStatus {
        let session = &self.0.session;
        let is_caller = session.started_by == Some(id);
        match session.state {
            _ if session.rejected_by == Some(id) => CallStatus::Rejected,
            SessionState::Accepted if is_caller || session.accepted_by == Some(id) => CallStatus::Accepted,
            SessionState::Created | SessionState::Started | SessionState::Accepted if is_busy => {
                CallStatus::Busy
            }
            SessionState::Started if !is_caller => CallStatus::Ringing,
            SessionState::Created
            | SessionState::Started
            | SessionState::Accepted
            | SessionState::Rejected
            | SessionState::Finished => CallStatus::Waiting,
        }
    }
}

/// A call or visit in a chat. It rings for its participants until one of them accepts or rejects it.
#[Object]
impl ChatSession {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::ChatSession.encode(self.0.session.id.0)
    }

    /// The type of the chat session.
    #[graphql(name = "type")]
    async fn session_type(&self) -> ChatSessionType {
        self.0.session.session_type.into()
    }

    /// The state of the chat session.
    async fn state(&self) -> ChatSessionState {
        self.0.session.state.into()
    }

    /// The outcome of the session. Null while it is open.
    async fn outcome(&self) -> Option<ChatSessionOutcome> {
        self.0.session.outcome.map(Into::into)
    }

    /// The title of the session.
    async fn title(&self) -> Option<&str> {
        self.0.session.title.as_deref()
    }

    /// The chat that the session belongs to.
    async fn chat(&self, context: &Context<'_>) -> Result<Chat> {
        Ok(Chat::new(caller(context)?.chat_of(self.0.session.chat_id).await?))
    }

    /// The name of the audio or video room. Null unless the viewer is a participant of the session.
    async fn call_room(&self, context: &Context<'_>) -> Result<Option<&str>> {
        let is_participant = self.0.has_participant(caller(context)?.viewer.actor_id);
        Ok(is_participant.then_some(self.0.session.call_room.as_str()))
    }

    /// The time at which the session was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.session.created_at)
    }

    /// The actor who created the session. Null if the viewer cannot see the actor.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<Actor>> {
        self.actor(context, Some(self.0.session.created_by)).await
    }

    /// The time for which the session is planned. The server does not start sessions automatically.
    async fn scheduled_at(&self) -> Option<DateTime> {
        self.0.session.scheduled_at.map(DateTime)
    }

    /// The time at which the session began to ring. Null if it was never started.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.session.started_at.map(DateTime)
    }

    /// The actor who started the session. Null if it was never started.
    async fn started_by(&self, context: &Context<'_>) -> Result<Option<Actor>> {
        self.actor(context, self.0.session.started_by).await
    }

    /// The time at which the session was accepted. Null if it was not.
    async fn accepted_at(&self) -> Option<DateTime> {
        self.0.session.accepted_at.map(DateTime)
    }

    /// The actor who accepted the session. Null if nobody did.
    async fn accepted_by(&self, context: &Context<'_>) -> Result<Option<Actor>> {
        self.actor(context, self.0.session.accepted_by).await
    }

    /// The time at which the session was rejected. Null if it was not.
    async fn rejected_at(&self) -> Option<DateTime> {
        self.0.session.rejected_at.map(DateTime)
    }

    /// The actor who rejected the session. Null if nobody did.
    async fn rejected_by(&self, context: &Context<'_>) -> Result<Option<Actor>> {
        self.actor(context, self.0.session.rejected_by).await
    }

    /// The reason for the rejection. Null if none was given.
    async fn reject_reason(&self) -> Option<&str> {
        self.0.session.reject_reason.as_deref()
    }

    /// The time at which the session was finished. Null while it is open.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.session.finished_at.map(DateTime)
    }

    /// The actor who finished the session. Null if nobody answered in time.
    async fn finished_by(&self, context: &Context<'_>) -> Result<Option<Actor>> {
        self.actor(context, self.0.session.finished_by).await
    }

    /// The reason for finishing the session. Null if none was given.
    async fn finish_reason(&self) -> Option<&str> {
        self.0.session.finish_reason.as_deref()
    }

    /// The participants of the session, including its creator.
    async fn participants(&self, context: &Context<'_>) -> Result<Vec<ChatSessionParticipant>> {
        let caller = caller(context)?;
        let load = self.0.participant_ids.iter().map(|id| async move {
            let (row, busy) = futures_util::future::join(caller.load(*id), caller.load(BusyIn(*id))).await;
            let is_busy =
                busy?.is_some_and(|sessions| sessions.iter().any(|busy| *busy != self.0.session.id));
            let participant = |actor| ChatSessionParticipant { actor, status: self.status(*id, is_busy) };
            Ok::<_, Fault>(row?.and_then(Actor::new).map(participant))
        });
        let loaded = futures_util::future::try_join_all(load).await?;
        Ok(loaded.into_iter().flatten().collect())
    }

    /// The time at which the session stops ringing and ends as MISSED if nobody accepts it. Null unless it is
    /// ringing.
    async fn rings_until(&self) -> Option<DateTime> {
        self.0.session.rings_until.map(DateTime)
    }

    /// The actions that the viewer can take on the session now. Show a button only if its action is listed.
    /// START is not listed while another session of the chat is ringing or in progress.
    async fn viewer_actions(&self, context: &Context<'_>) -> Result<Vec<ChatSessionAction>> {
        let caller = caller(context)?;
        let viewer = &caller.viewer;
        if policy::may(viewer.role, Verb::UseSessions).is_err() {
            return Ok(Vec::new());
        }
        let session_caller = policy::session_caller(viewer, &self.0, None);
        let mut possible = session::possible(Facts::from(&self.0.session), session_caller);
        if possible.contains(&SessionAction::Start)
            && caller.load(HasOpenSession(self.0.session.chat_id)).await?.unwrap_or_default()
        {
            possible.retain(|action| *action != SessionAction::Start);
        }
        Ok(possible.into_iter().map(Into::into).collect())
    }
}

connection! {
    /// A page of chat sessions.
    ChatSessionConnection,
    /// A chat session in a list.
    ChatSessionEdge of ChatSession,
    fields {}
}

/// A filter for chat sessions. A session must meet all given conditions.
#[derive(InputObject)]
#[graphql(name = "ChatSessionFilter")]
pub(super) struct ChatSessionFilterInput {
    /// Matches sessions of this type.
    #[graphql(name = "type")]
    session_type: Option<ChatSessionType>,
    /// Matches sessions in one of these states. An empty list matches no session.
    states: Option<Vec<ChatSessionState>>,
    /// Matches sessions in which all of these users and visitors are participants, up to 10. An empty list
    /// matches all sessions.
    participant_ids: Option<Vec<ID>>,
    /// Matches sessions of this chat.
    chat_id: Option<ID>,
}

/// The chat sessions that the viewer can see and that match a filter.
pub(super) async fn sessions(
    context: &Context<'_>,
    filter: Option<ChatSessionFilterInput>,
    order: Option<ChatSessionOrderInput>,
    page: PageArguments,
) -> Result<ChatSessionConnection> {
    let caller = caller(context)?;
    let order = decode_order(order);
    let list = List::described(
        &Description::of("chatSessions")
            .with("orderBy", Some(order.field.as_str()))
            .with_flag("descending", order.is_descending),
    );
    let page = page.request(context, list)?;
    let Some(filter) = decode(filter)? else {
        return Ok(ChatSessionConnection::new(Page::nothing(), |_, key| list.cursor(key), ChatSession));
    };
    let asked = ListedSessions { filter, order };
    let page = caller.actions.sessions(&caller.viewer, &asked, &page).await?;
    Ok(ChatSessionConnection::new(page, |_, key| list.cursor(key), ChatSession))
}

/// The chat sessions of a chat that the viewer can see.
pub(super) async fn sessions_of(
    context: &Context<'_>,
    chat_id: ChatId,
    filter: Option<ChatSessionFilterInput>,
    order: Option<ChatSessionOrderInput>,
    page: PageArguments,
) -> Result<ChatSessionConnection> {
    let order = decode_order(order);
    let list = List::ordered("chatSessions", chat_id, order.field.as_str(), order.is_descending);
    let page = page.request(context, list)?;
    let Some(filter) = decode(filter)? else {
        return Ok(ChatSessionConnection::new(Page::nothing(), |_, key| list.cursor(key), ChatSession));
    };
    let page =
        caller(context)?.need(PageOf { chat_id, arguments: ListedSessions { filter, order }, page }).await?;
    Ok(ChatSessionConnection::new(page, |_, key| list.cursor(key), ChatSession))
}

fn decode_order(order: Option<ChatSessionOrderInput>) -> SessionOrder {
    order.unwrap_or(ChatSessionOrderInput::ascending(ChatSessionOrderField::CreatedAt)).decode()
}

/// The decoded filter. `None` if an id is of another type, so that nothing can match.
fn decode(filter: Option<ChatSessionFilterInput>) -> Result<Option<SessionFilter>> {
    let Some(ChatSessionFilterInput { session_type, states, participant_ids, chat_id }) = filter else {
        return Ok(Some(SessionFilter::default()));
    };
    let Some(participant_ids) = decode_participants(&participant_ids.unwrap_or_default())? else {
        return Ok(None);
    };
    let chat_id = match chat_id {
        Some(id) => match Kind::Chat.decode(&id)? {
            Some(uuid) => Some(ChatId(uuid)),
            None => return Ok(None),
        },
        None => None,
    };
    Ok(Some(SessionFilter {
        session_type: session_type.map(Into::into),
        states: states.map(|states| states.into_iter().map(Into::into).collect()),
        participant_ids,
        chat_id,
    }))
}
