//! Creating sessions and moving them on.

use super::super::caller::{Caller, caller};
use super::super::chat::Chat;
use super::super::enums::ChatSessionType;
use super::super::error::Result;
use super::super::id::{Halt, Kind};
use super::super::payload::{UserError, settle};
use super::super::scalar::DateTime;
use super::ChatSession;
use super::place::{PlaceInput, participants};
use crate::actions::{CreateSession, MoveSession, UpdateSession};
use crate::domain::limits;
use crate::domain::session_action::SessionAction;
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use entity::SessionId;

/// A session to create.
#[derive(InputObject)]
struct CreateChatSessionInput {
    /// The chat that the session belongs to.
    #[graphql(name = "in")]
    place: PlaceInput,
    /// What it is about: 1–200 characters, at least one of them visible; bidirectional controls are removed.
    title: Option<String>,
    /// The type of the session.
    #[graphql(name = "type", default_with = "ChatSessionType::Telemed")]
    session_type: ChatSessionType,
    /// The name of the audio/video room: 1–200 characters, at least one of them visible; bidirectional controls are
    /// removed. An unguessable one, if absent.
    call_room: Option<String>,
    /// The scheduled time. The server does not start sessions by itself.
    scheduled_at: Option<DateTime>,
    /// Start it at once.
    #[graphql(default)]
    start: bool,
    /// How long the session rings if it is started at once, 5–180 seconds.
    #[graphql(default_with = "limits::RING_SECONDS.1")]
    ring_seconds: i32,
    /// Makes retries safe: the same call with the same id, 1–128 characters, creates no second one.
    request_id: Option<String>,
}

/// Changes of a session that is not over.
#[derive(InputObject)]
struct UpdateChatSessionInput {
    /// The id of the session.
    chat_session_id: ID,
    /// What it is about: 1–200 characters, at least one of them visible; bidirectional controls are removed. Null
    /// takes
    /// it away; absent, it stays.
    title: MaybeUndefined<String>,
    /// The name of the audio/video room: 1–200 characters, at least one of them visible; bidirectional controls are
    /// removed.
    call_room: Option<String>,
    /// The scheduled time. Null removes it; if absent, it is unchanged.
    scheduled_at: MaybeUndefined<DateTime>,
    /// The participants from now on, up to 100. Whoever created, started or accepted the session stays one.
    participant_ids: Option<Vec<ID>>,
}

/// A session to start.
#[derive(InputObject)]
struct StartChatSessionInput {
    /// The id of the session.
    chat_session_id: ID,
    /// How long the session rings, 5–180 seconds.
    #[graphql(default_with = "limits::RING_SECONDS.1")]
    ring_seconds: i32,
}

/// A session to accept.
#[derive(InputObject)]
struct AcceptChatSessionInput {
    /// The id of the session.
    chat_session_id: ID,
    /// Tells one tab of a person from another: of two with different ids, 1 to 128 characters, one wins.
    request_id: Option<String>,
}

/// A session to reject.
#[derive(InputObject)]
struct RejectChatSessionInput {
    /// The id of the session.
    chat_session_id: ID,
    /// The reason: up to 1,000 characters.
    reason: Option<String>,
}

/// A session to finish.
#[derive(InputObject)]
struct FinishChatSessionInput {
    /// The id of the session.
    chat_session_id: ID,
    /// The reason: up to 1,000 characters.
    reason: Option<String>,
}

/// Declares a payload that carries a session.
macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident),+) => {$(
        $(#[$doc])*
        #[derive(SimpleObject)]
        struct $name {
            /// The current state of the session, also when the mutation was refused.
            chat_session: Option<ChatSession>,
            /// The chat that the session belongs to.
            chat: Option<Chat>,
            /// Errors that prevented the mutation. Empty on success.
            user_errors: Vec<UserError>,
        }

        impl From<Answer> for $name {
            fn from(Answer { chat_session, chat, user_errors }: Answer) -> Self {
                Self { chat_session, chat, user_errors }
            }
        }
    )+};
}

payloads! {
    /// The result of `createChatSession`.
    CreateChatSessionPayload,
    /// The result of `updateChatSession`.
    UpdateChatSessionPayload,
    /// The result of `startChatSession`.
    StartChatSessionPayload,
    /// The result of `acceptChatSession`.
    AcceptChatSessionPayload,
    /// The result of `rejectChatSession`.
    RejectChatSessionPayload,
    /// The result of `finishChatSession`.
    FinishChatSessionPayload
}

/// What every payload above is made of.
struct Answer {
    chat_session: Option<ChatSession>,
    chat: Option<Chat>,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub(in crate::graphql) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Creates a session, and starts it at once if asked to.
    async fn create_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The session.")] input: CreateChatSessionInput,
    ) -> Result<Option<CreateChatSessionPayload>> {
        let caller = caller(context)?;
        let place = input.place;
        let created = async {
            let input = CreateSession {
                place: place.decode()?,
                title: input.title,
                session_type: input.session_type.into(),
                call_room: input.call_room,
                scheduled_at: input.scheduled_at.map(|DateTime(at)| at),
                start: input.start,
                ring_seconds: Some(input.ring_seconds),
                request_id: input.request_id,
            };
            Ok(caller.actions.create_session(&caller.viewer, input).await?)
        };
        let created = created.await.map_err(|halt| place.located(halt));
        Ok(Some(answer(caller, created, None).await?.into()))
    }

    /// Changes a session's title, room, time or participants, as long as it is not over.
    async fn update_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateChatSessionInput,
    ) -> Result<Option<UpdateChatSessionPayload>> {
        let caller = caller(context)?;
        let UpdateChatSessionInput { chat_session_id: id, title, call_room, scheduled_at, participant_ids } =
            input;
        let updated = async {
            let moment: Option<Option<DateTime>> = scheduled_at.into();
            let input = UpdateSession {
                session_id: SessionId(Kind::ChatSession.expect(&id, "chat session", "chatSessionId")?),
                title: title.into(),
                call_room,
                scheduled_at: moment.map(|moment| moment.map(|DateTime(at)| at)),
                participant_ids: participant_ids.as_deref().map(participants).transpose()?,
            };
            Ok(caller.actions.update_session(&caller.viewer, input).await?)
        };
        let updated = updated.await;
        Ok(Some(answer(caller, updated, Some(&id)).await?.into()))
    }

    /// Lets a session ring. By any participant, or an admin.
    async fn start_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The session.")] input: StartChatSessionInput,
    ) -> Result<Option<StartChatSessionPayload>> {
        let StartChatSessionInput { chat_session_id, ring_seconds } = input;
        let asked = Asked { ring_seconds: Some(ring_seconds), ..Asked::default() };
        Ok(Some(direct(caller(context)?, SessionAction::Start, &chat_session_id, asked).await?.into()))
    }

    /// Takes a session that rings. By a participant other than the one who started it; of any number at once one
    /// wins, and the others are told who.
    async fn accept_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The session.")] input: AcceptChatSessionInput,
    ) -> Result<Option<AcceptChatSessionPayload>> {
        let AcceptChatSessionInput { chat_session_id, request_id } = input;
        let asked = Asked { request_id, ..Asked::default() };
        Ok(Some(direct(caller(context)?, SessionAction::Accept, &chat_session_id, asked).await?.into()))
    }

    /// Declines a session. By a participant other than the one who started it or, before it rings, created it.
    async fn reject_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The session.")] input: RejectChatSessionInput,
    ) -> Result<Option<RejectChatSessionPayload>> {
        let RejectChatSessionInput { chat_session_id, reason } = input;
        let asked = Asked { reason, ..Asked::default() };
        Ok(Some(direct(caller(context)?, SessionAction::Reject, &chat_session_id, asked).await?.into()))
    }

    /// Ends a session: cancels it before it was accepted, completes it after. By any participant, or an admin.
    async fn finish_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The session.")] input: FinishChatSessionInput,
    ) -> Result<Option<FinishChatSessionPayload>> {
        let FinishChatSessionInput { chat_session_id, reason } = input;
        let asked = Asked { reason, ..Asked::default() };
        Ok(Some(direct(caller(context)?, SessionAction::Finish, &chat_session_id, asked).await?.into()))
    }
}

/// What an action is given with.
#[derive(Default)]
struct Asked {
    reason: Option<String>,
    ring_seconds: Option<i32>,
    request_id: Option<String>,
}

async fn direct(caller: &Caller, action: SessionAction, id: &ID, asked: Asked) -> Result<Answer> {
    let Asked { reason, ring_seconds, request_id } = asked;
    let given = async {
        let session_id = SessionId(Kind::ChatSession.expect(id, "chat session", "chatSessionId")?);
        let input = MoveSession { session_id, action, reason, ring_seconds, request_id };
        Ok(caller.actions.give_action(&caller.viewer, input).await?)
    };
    let given = given.await;
    answer(caller, given, Some(id)).await
}

async fn answer(
    caller: &Caller,
    done: std::result::Result<crate::domain::event::SessionRow, Halt>,
    id: Option<&ID>,
) -> Result<Answer> {
    let (row, user_errors) = match settle(done)? {
        Ok(row) => (Some(row), Vec::new()),
        Err(error) => {
            let id = id.map(|id| Kind::ChatSession.decode(id)).transpose()?.flatten().map(SessionId);
            let row = match id {
                Some(id) => caller.actions.session(&caller.viewer, id).await?,
                None => None,
            };
            (row, vec![error])
        }
    };
    let chat = match &row {
        Some(row) => caller.load(row.session.chat_id).await?.map(Chat::new),
        None => None,
    };
    Ok(Answer { chat_session: row.map(ChatSession), chat, user_errors })
}
