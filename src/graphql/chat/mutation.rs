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

/// A chat with a visitor, to start in a room.
#[derive(InputObject)]
struct StartChatInput {
    /// The room.
    room_id: ID,
    /// The visitor. A visitor's own token names none.
    visitor_id: Option<ID>,
    /// For a visitor's own token: go on with a recent chat of theirs in this room, if there is one. Recent is what
    /// was
    /// active within the room's `resumeWindowMinutes` and has not ended.
    #[graphql(default)]
    auto_resume: bool,
    /// Join this user, in the same step: to a recent chat of the visitor in this room, if there is one, or else to
    /// the
    /// new one. A private chat is resumed only for a user who takes part in it. Operators name themselves, admins and
    /// API clients any user.
    auto_resume_user_id: Option<ID>,
    /// Whether only its participants and admins see it. Then only a private chat is resumed.
    #[graphql(default)]
    is_private: bool,
    /// The page that the visitor is on: their `currentPage` from now on.
    page: Option<WebPageInput>,
    /// The text of a first message: 1 to 2000 characters. By the caller, if they are a user, else by the visitor.
    message: Option<String>,
    /// Makes retries safe: the same call with the same id, 1–128 characters, starts no second chat.
    request_id: Option<String>,
}

/// The result of `startChat`.
#[derive(SimpleObject)]
struct StartChatPayload {
    /// The chat.
    chat: Option<Chat>,
    /// Whether it was there before.
    is_resumed: bool,
    /// The presence of the user who was joined, if one was.
    presence: Option<Presence>,
    /// The message, if one was sent with it.
    message_edge: Option<MessageEdge>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A DIRECT chat to create.
#[derive(InputObject)]
struct CreateDirectChatInput {
    /// The user or visitor to talk to. Not the viewer.
    participant_id: ID,
    /// The name of the chat: 1–200 characters, at least one of them visible; bidirectional controls are removed. An
    /// existing chat keeps its name.
    name: Option<String>,
    /// The description of the chat: up to 1,000 characters. An existing chat keeps its description.
    description: Option<String>,
    /// Makes retries safe: the same call with the same id, 1–128 characters, returns the same chat.
    request_id: Option<String>,
}

/// The result of `createDirectChat`.
#[derive(SimpleObject)]
struct CreateDirectChatPayload {
    /// The chat.
    chat: Option<Chat>,
    /// Whether the chat existed before this call.
    is_existing: bool,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A GROUP chat to create.
#[derive(InputObject)]
struct CreateGroupChatInput {
    /// The users and visitors who take part, up to 100 with the viewer, who always takes part.
    participant_ids: Vec<ID>,
    /// The owner, one of the participants. Default: the viewer.
    owner_id: Option<ID>,
    /// The name of the chat: 1–200 characters, at least one of them visible; bidirectional controls are removed.
    name: Option<String>,
    /// The description of the chat: up to 1,000 characters.
    description: Option<String>,
    /// Makes retries safe: the same call with the same id, 1–128 characters, returns the same chat.
    request_id: Option<String>,
}

/// The result of `createGroupChat`.
#[derive(SimpleObject)]
struct CreateGroupChatPayload {
    /// The chat.
    chat: Option<Chat>,
    /// Whether the chat existed before this call: true for a retry with the same `requestId`.
    is_existing: bool,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// Changes of a chat's own fields.
#[derive(InputObject)]
struct UpdateChatInput {
    /// The id of the chat.
    chat_id: ID,
    /// The name: 1–200 characters, at least one of them visible; bidirectional controls are removed. Null takes
    /// it away; absent, it stays.
    name: MaybeUndefined<String>,
    /// The description: up to 1,000 characters. Null removes it; if absent, it is unchanged.
    description: MaybeUndefined<String>,
    /// Whether only its participants and admins see it; for chats with visitors.
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
    /// Starts a chat with a visitor: by the visitor, or for them by a user or an API client; or resumes a recent one,
    /// where that is asked for. It comes into a queue with the visitor's first message.
    async fn start_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat.")] input: StartChatInput,
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

    /// Creates the DIRECT chat of the viewer and another participant, or returns the existing one: a pair has one.
    /// Whoever
    /// has left it takes part again.
    async fn create_direct_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat.")] input: CreateDirectChatInput,
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

    /// Creates a GROUP chat.
    async fn create_group_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat.")] input: CreateGroupChatInput,
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

    /// Changes a chat's name, description or privacy. For users: of a GROUP chat its owner and admins, of a DIRECT
    /// chat the
    /// two, of a chat with a visitor whoever sees it.
    async fn update_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateChatInput,
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

    /// Ends a chat, with every presence in it and every session of it that is not over. Ending it again changes
    /// nothing. A DIRECT chat does not end; a GROUP chat is ended by its owner or an admin.
    async fn end_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat.")] input: EndChatInput,
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
