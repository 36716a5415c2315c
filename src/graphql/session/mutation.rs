//! Creating, updating and changing the state of sessions.

use super::super::caller::{Caller, caller};
use super::super::chat::Chat;
use super::super::enums::ChatSessionType;
use super::super::error::Result;
use super::super::id::{Halt, Kind};
use super::super::payload::{UserErrors, settle};
use super::super::scalar::DateTime;
use super::ChatSession;
use super::place::{PlaceInput, participants};
use crate::actions::{CreateSession, MoveSession, UpdateSession};
use crate::domain::limits;
use crate::domain::session_action::SessionAction;
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use entity::SessionId;

/// A chat session to create, in a given chat or in the chat of exactly its participants.
#[derive(InputObject)]
struct CreateChatSessionInput {
    /// The chat that the session belongs to.
    #[graphql(name = "in")]
    place: PlaceInput,
    /// The title of the session: 1–200 characters, at least one of them visible. Bidirectional control
    /// characters are removed.
    title: Option<String>,
    /// The type of the session.
    #[graphql(name = "type", default_with = "ChatSessionType::Telemed")]
    session_type: ChatSessionType,
    /// The name of the audio or video room: 1–200 characters, at least one of them visible. Bidirectional
    /// control characters are removed. Default: a random name that cannot be guessed.
    call_room: Option<String>,
    /// The time for which the session is planned. The server does not start sessions automatically.
    scheduled_at: Option<DateTime>,
    /// True to start the session at once.
    #[graphql(default)]
    start: bool,
    /// The time in seconds for which the session rings if `start` is true, 5–180.
    #[graphql(default_with = "limits::RING_SECONDS.1")]
    ring_seconds: i32,
    /// Makes retries safe: 1–128 characters. A call with the same id returns the same session.
    request_id: Option<String>,
}

/// Changes to an open chat session. Absent fields are unchanged.
#[derive(InputObject)]
struct UpdateChatSessionInput {
    /// The id of the session.
    chat_session_id: ID,
    /// The title of the session: 1–200 characters, at least one of them visible. Bidirectional control
    /// characters are removed. Null removes it; if absent, it is unchanged.
    title: MaybeUndefined<String>,
    /// The name of the audio or video room: 1–200 characters, at least one of them visible. Bidirectional
    /// control characters are removed.
    call_room: Option<String>,
    /// The time for which the session is planned. Null removes it; if absent, it is unchanged.
    scheduled_at: MaybeUndefined<DateTime>,
    /// The ids of all participants, up to 100. They replace the current ones, but the actors who created,
    /// started or accepted the session always remain.
    participant_ids: Option<Vec<ID>>,
}

/// A chat session to start.
#[derive(InputObject)]
struct StartChatSessionInput {
    /// The id of the session.
    chat_session_id: ID,
    /// The time in seconds for which the session rings, 5–180.
    #[graphql(default_with = "limits::RING_SECONDS.1")]
    ring_seconds: i32,
}

/// A chat session to accept.
#[derive(InputObject)]
struct AcceptChatSessionInput {
    /// The id of the session.
    chat_session_id: ID,
    /// The id of the client's attempt: 1–128 characters. If two browser tabs of one user accept with
    /// different ids, only one succeeds. A retry with the same id returns the same result.
    request_id: Option<String>,
}

/// A chat session to reject.
#[derive(InputObject)]
struct RejectChatSessionInput {
    /// The id of the session.
    chat_session_id: ID,
    /// The reason for the rejection: up to 1,000 characters.
    reason: Option<String>,
}

/// A chat session to finish.
#[derive(InputObject)]
struct FinishChatSessionInput {
    /// The id of the session.
    chat_session_id: ID,
    /// The reason for finishing the session: up to 1,000 characters.
    reason: Option<String>,
}

/// Declares a payload that carries a session.
macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident),+) => {$(
        $(#[$doc])*
        #[derive(SimpleObject)]
        struct $name {
            /// The current state of the session, also if the mutation was refused.
            chat_session: Option<ChatSession>,
            /// The chat that the session belongs to.
            chat: Option<Chat>,
            /// Errors that prevented the mutation. Empty on success.
            user_errors: UserErrors,
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

/// The contents of every payload above.
struct Answer {
    chat_session: Option<ChatSession>,
    chat: Option<Chat>,
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Creates a chat session, and starts it if `start` is true. Errors: `SESSION_OPEN` if another session of
    /// the chat is ringing or in progress, `TOO_MANY`, `NOT_PARTICIPANT`, `CHAT_ENDED`.
    async fn create_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat session to create.")] input: CreateChatSessionInput,
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

    /// Updates the title, room, time or participants of a chat session that is not over. Errors:
    /// `INVALID_TRANSITION` if it is over, `NOT_PARTICIPANT`.
    async fn update_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes to the chat session.")] input: UpdateChatSessionInput,
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

    /// Makes a chat session ring. For its participants and admins. Errors: `INVALID_TRANSITION`, `SESSION_OPEN`
    /// if another session of the chat is ringing or in progress, `NOT_PARTICIPANT`.
    async fn start_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat session to start.")] input: StartChatSessionInput,
    ) -> Result<Option<StartChatSessionPayload>> {
        let StartChatSessionInput { chat_session_id, ring_seconds } = input;
        let asked = Asked { ring_seconds: Some(ring_seconds), ..Asked::default() };
        Ok(Some(direct(caller(context)?, SessionAction::Start, &chat_session_id, asked).await?.into()))
    }

    /// Accepts a ringing chat session. For its participants, except the one who started it. If several accept
    /// at the same time, one succeeds. Errors: `INVALID_TRANSITION` (the payload has the session's current
    /// state), `NOT_PARTICIPANT`.
    async fn accept_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat session to accept.")] input: AcceptChatSessionInput,
    ) -> Result<Option<AcceptChatSessionPayload>> {
        let AcceptChatSessionInput { chat_session_id, request_id } = input;
        let asked = Asked { request_id, ..Asked::default() };
        Ok(Some(direct(caller(context)?, SessionAction::Accept, &chat_session_id, asked).await?.into()))
    }

    /// Rejects a chat session. For its participants, except the one who started it. Before it rings, its
    /// creator cannot reject it; use `finishChatSession` instead. Errors: `INVALID_TRANSITION`,
    /// `NOT_PARTICIPANT`.
    async fn reject_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat session to reject.")] input: RejectChatSessionInput,
    ) -> Result<Option<RejectChatSessionPayload>> {
        let RejectChatSessionInput { chat_session_id, reason } = input;
        let asked = Asked { reason, ..Asked::default() };
        Ok(Some(direct(caller(context)?, SessionAction::Reject, &chat_session_id, asked).await?.into()))
    }

    /// Finishes a chat session. The outcome is COMPLETED if the session was accepted, otherwise CANCELLED. For
    /// its participants and admins. Errors: `INVALID_TRANSITION`, `NOT_PARTICIPANT`.
    async fn finish_chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat session to finish.")] input: FinishChatSessionInput,
    ) -> Result<Option<FinishChatSessionPayload>> {
        let FinishChatSessionInput { chat_session_id, reason } = input;
        let asked = Asked { reason, ..Asked::default() };
        Ok(Some(direct(caller(context)?, SessionAction::Finish, &chat_session_id, asked).await?.into()))
    }
}

/// The input of an action on a session.
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
    let (row, user_errors) = settle(done)?;
    let id = id.map(|id| Kind::ChatSession.decode(id)).transpose()?.flatten().map(SessionId);
    let row = match (row, id) {
        (None, Some(id)) => caller.actions.session(&caller.viewer, id).await?,
        (row, _) => row,
    };
    let chat = match &row {
        Some(row) => caller.load(row.session.chat_id).await?.map(Chat::new),
        None => None,
    };
    Ok(Answer { chat_session: row.map(ChatSession), chat, user_errors })
}
