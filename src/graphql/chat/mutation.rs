//! Starting, creating, changing and ending chats.

use super::super::caller::{Caller, caller, live};
use super::super::error::Result;
use super::super::id::{Kind, expect_actor, expect_actors};
use super::super::message::{Message, MessageEdge};
use super::super::payload::{UserErrors, settle};
use super::super::presence::Presence;
use super::super::web_page::WebPageInput;
use super::Chat;
use crate::actions::{CreateChat, Start, StartChat, UpdateChat};
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use entity::{ActorId, ChatId, ChatType, RoomId, chat};
use std::sync::Arc;

/// A chat with a visitor to start in a room.
#[derive(InputObject)]
struct StartChatInput {
    /// The id of the room.
    room_id: ID,
    /// The id of the visitor. Required for users and API clients; a visitor must omit it.
    visitor_id: Option<ID>,
    /// True to resume a recent chat of the visitor in this room, if there is one. A chat is recent if it is
    /// open and had activity within the room's `resumeWindowMinutes`. For visitors.
    #[graphql(default)]
    auto_resume: bool,
    /// The id of a user to join to the chat in the same step. A recent chat of the visitor in this room is
    /// resumed, or else a new one starts. A private chat is resumed only if the user is a participant.
    /// Operators can give only their own id; admins and API clients can give the id of any user.
    auto_resume_user_id: Option<ID>,
    /// True if only participants and admins can see the chat. If true, only private chats can be resumed.
    #[graphql(default)]
    is_private: bool,
    /// The page of the website that the visitor is on. It becomes their `currentPage`.
    page: Option<WebPageInput>,
    /// The text of a first message: 1–2,000 characters. Its sender is the caller if that is a user, or else
    /// the visitor.
    message: Option<String>,
    /// Makes retries safe: 1–128 characters. A call with the same id returns the same chat.
    request_id: Option<String>,
}

/// The result of `startChat`.
#[derive(SimpleObject)]
struct StartChatPayload {
    /// The new or resumed chat.
    chat: Option<Chat>,
    /// True if an existing chat was resumed.
    is_resumed: bool,
    /// The presence of the user who was joined. Null without `autoResumeUserId`.
    presence: Option<Presence>,
    /// The first message. Null if no text was given.
    message_edge: Option<MessageEdge>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A DIRECT chat to create.
#[derive(InputObject)]
struct CreateDirectChatInput {
    /// The id of the user or visitor to talk to. It cannot be the viewer.
    participant_id: ID,
    /// The name of the chat: 1–200 characters, at least one of them visible. Bidirectional control characters
    /// are removed. An existing chat keeps its name.
    name: Option<String>,
    /// The description of the chat: up to 1,000 characters. An existing chat keeps its description.
    description: Option<String>,
    /// Makes retries safe: 1–128 characters. A call with the same id returns the same chat.
    request_id: Option<String>,
}

/// The result of `createDirectChat`.
#[derive(SimpleObject)]
struct CreateDirectChatPayload {
    /// The new or existing chat.
    chat: Option<Chat>,
    /// True if the chat existed before this call.
    is_existing: bool,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A GROUP chat to create.
#[derive(InputObject)]
struct CreateGroupChatInput {
    /// The ids of the users and visitors to add, up to 100 including the viewer, who is always a participant.
    participant_ids: Vec<ID>,
    /// The id of the owner, who must be a participant. Default: the viewer.
    owner_id: Option<ID>,
    /// The name of the chat: 1–200 characters, at least one of them visible. Bidirectional control characters
    /// are removed.
    name: Option<String>,
    /// The description of the chat: up to 1,000 characters.
    description: Option<String>,
    /// Makes retries safe: 1–128 characters. A call with the same id returns the same chat.
    request_id: Option<String>,
}

/// The result of `createGroupChat`.
#[derive(SimpleObject)]
struct CreateGroupChatPayload {
    /// The new or existing chat.
    chat: Option<Chat>,
    /// True if the chat existed before this call, as for a retry with the same `requestId`.
    is_existing: bool,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// Changes to a chat. Absent fields are unchanged.
#[derive(InputObject)]
struct UpdateChatInput {
    /// The id of the chat.
    chat_id: ID,
    /// The name of the chat: 1–200 characters, at least one of them visible. Bidirectional control characters
    /// are removed. Null removes it; if absent, it is unchanged.
    name: MaybeUndefined<String>,
    /// The description of the chat: up to 1,000 characters. Null removes it; if absent, it is unchanged.
    description: MaybeUndefined<String>,
    /// True if only participants and admins can see the chat. Only for VISITOR chats.
    is_private: Option<bool>,
}

/// The result of `updateChat`.
#[derive(SimpleObject)]
struct UpdateChatPayload {
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A chat to end.
#[derive(InputObject)]
struct EndChatInput {
    /// The id of the chat.
    chat_id: ID,
}

/// The result of `endChat`.
#[derive(SimpleObject)]
struct EndChatPayload {
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct ChatMutation;

#[Object]
impl ChatMutation {
    /// Starts a chat with a visitor, or resumes a recent one if `autoResume` or `autoResumeUserId` is set.
    /// For visitors, users and API clients. The chat enters the room's queue with the visitor's first
    /// message.
    async fn start_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat to start.")] input: StartChatInput,
    ) -> Result<Option<StartChatPayload>> {
        let (caller, live) = (caller(context)?, live(context)?);
        let StartChatInput {
            room_id,
            visitor_id,
            auto_resume,
            auto_resume_user_id,
            is_private,
            page,
            message,
            request_id,
        } = input;
        let started = async {
            let room_id = RoomId(Kind::Room.expect(&room_id, "room", "roomId")?);
            let visitor = |id: ID| Kind::Visitor.expect(&id, "visitor", "visitorId").map(ActorId);
            let visitor_id = visitor_id.map(visitor).transpose()?;
            let user = |id: ID| Kind::User.expect(&id, "user", "autoResumeUserId").map(ActorId);
            let input = StartChat {
                room_id,
                visitor_id,
                auto_resume,
                auto_resume_user_id: auto_resume_user_id.map(user).transpose()?,
                is_private,
                page: page.map(Into::into),
                message,
                request_id,
            };
            Ok(caller.actions.start_chat(&caller.viewer, input).await?)
        };
        let (started, user_errors) = settle(started.await)?;
        let (chat, start) = started.map(|started| (Chat::shared(started.chat), started.start)).unzip();
        let Start { is_resumed, presence, message } = start.unwrap_or_default();
        Ok(Some(StartChatPayload {
            chat,
            is_resumed,
            presence: presence.map(Presence),
            message_edge: message.map(|row| Message(row).edge(live)),
            user_errors,
        }))
    }

    /// Creates the DIRECT chat between the viewer and another actor, or returns the existing one. If one of the
    /// two has left it, they become a participant again. For users.
    async fn create_direct_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat to create.")] input: CreateDirectChatInput,
    ) -> Result<Option<CreateDirectChatPayload>> {
        let caller = caller(context)?;
        let CreateDirectChatInput { participant_id, name, description, request_id } = input;
        let created = async {
            let input = CreateChat {
                chat_type: ChatType::Direct,
                participant_ids: vec![expect_actor(&participant_id, "participantId")?],
                owner_id: None,
                name,
                description,
                request_id,
            };
            Ok(caller.actions.create_chat(&caller.viewer, input).await?)
        };
        let (created, user_errors) = settle(created.await)?;
        let is_existing = created.as_ref().is_some_and(|created| created.is_existing);
        let chat = created.map(|created| Chat::shared(created.chat));
        Ok(Some(CreateDirectChatPayload { chat, is_existing, user_errors }))
    }

    /// Creates a GROUP chat with the viewer as a participant. Set `requestId` to make retries safe. For
    /// users.
    async fn create_group_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat to create.")] input: CreateGroupChatInput,
    ) -> Result<Option<CreateGroupChatPayload>> {
        let caller = caller(context)?;
        let CreateGroupChatInput { participant_ids, owner_id, name, description, request_id } = input;
        let created = async {
            let input = CreateChat {
                chat_type: ChatType::Group,
                participant_ids: expect_actors(&participant_ids, "participantIds")?,
                owner_id: owner_id.map(|id| expect_actor(&id, "ownerId")).transpose()?,
                name,
                description,
                request_id,
            };
            Ok(caller.actions.create_chat(&caller.viewer, input).await?)
        };
        let (created, user_errors) = settle(created.await)?;
        let is_existing = created.as_ref().is_some_and(|created| created.is_existing);
        let chat = created.map(|created| Chat::shared(created.chat));
        Ok(Some(CreateGroupChatPayload { chat, is_existing, user_errors }))
    }

    /// Updates a chat's name, description or privacy. For users: GROUP chats can be updated by the owner and
    /// admins, DIRECT chats by the two participants, VISITOR chats by every user who can see them.
    async fn update_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes to the chat.")] input: UpdateChatInput,
    ) -> Result<Option<UpdateChatPayload>> {
        let caller = caller(context)?;
        let UpdateChatInput { chat_id: id, name, description, is_private } = input;
        let updated = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            let input =
                UpdateChat { chat_id, name: name.into(), description: description.into(), is_private };
            Ok(caller.actions.update_chat(&caller.viewer, input).await?)
        };
        let (chat, user_errors) = settle(updated.await)?;
        let chat = chat_or_current(caller, chat, &id).await?;
        Ok(Some(UpdateChatPayload { chat, user_errors }))
    }

    /// Ends a chat, with all its presences and open chat sessions. Idempotent. DIRECT chats cannot end. A GROUP
    /// chat can be ended by its owner or an admin.
    async fn end_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat to end.")] input: EndChatInput,
    ) -> Result<Option<EndChatPayload>> {
        let caller = caller(context)?;
        let id = input.chat_id;
        let ended = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            Ok(caller.actions.end_chat(&caller.viewer, chat_id).await?)
        };
        let (chat, user_errors) = settle(ended.await)?;
        let chat = chat_or_current(caller, chat, &id).await?;
        Ok(Some(EndChatPayload { chat, user_errors }))
    }
}

/// The chat that a mutation returned or, after a refusal, its current state, so that a screen can correct itself. Null
/// if the viewer cannot see it.
pub(in crate::graphql) async fn chat_or_current(
    caller: &Caller,
    done: Option<Arc<chat::Model>>,
    id: &ID,
) -> Result<Option<Chat>> {
    let chat = match done {
        Some(chat) => Some(chat),
        None => current_chat(caller, id).await?,
    };
    Ok(chat.map(Chat::shared))
}

/// The current state of the chat of an input. Null if the viewer cannot see it.
pub(in crate::graphql) async fn current_chat(caller: &Caller, id: &ID) -> Result<Option<Arc<chat::Model>>> {
    match Kind::Chat.decode(id)? {
        Some(id) => Ok(caller.actions.chat(&caller.viewer, ChatId(id)).await?.map(Arc::new)),
        None => Ok(None),
    }
}
