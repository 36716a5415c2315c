//! Joining and leaving chats, renewing presences, and typing indicators.

use super::super::caller::caller;
use super::super::chat::Chat;
use super::super::chat::mutation::{chat_or_current, current_chat};
use super::super::error::Result;
use super::super::id::Kind;
use super::super::participation::Participation;
use super::super::payload::{UserErrors, settle};
use super::Presence;
use crate::actions::{JoinChat, LeftChat};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::ChatId;

/// A chat to join.
#[derive(InputObject)]
struct JoinChatInput {
    /// The id of the chat.
    chat_id: ID,
    /// True to join only if no other user is present. Otherwise, the mutation fails with `CHAT_TAKEN`, and
    /// `presences` of the payload's `chat` shows the present users.
    #[graphql(default)]
    exclusive: bool,
}

/// The result of `joinChat`.
#[derive(SimpleObject)]
struct JoinChatPayload {
    /// The viewer's new or renewed presence.
    presence: Option<Presence>,
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A chat to leave.
#[derive(InputObject)]
struct LeaveChatInput {
    /// The id of the chat to leave.
    chat_id: ID,
}

/// The result of `leaveChat`.
#[derive(SimpleObject)]
struct LeaveChatPayload {
    /// The id of the viewer's participation, which has ended. Null in VISITOR chats, where it continues.
    ended_participation_id: Option<ID>,
    /// The viewer's participation, which has ended. Null in VISITOR chats, where it continues, or if the viewer
    /// can no longer see the chat.
    participation: Option<Participation>,
    /// The viewer's last presence in the chat, which has ended. Null if they never joined or can no longer see
    /// the chat.
    presence: Option<Presence>,
    /// The current state of the chat. Null if the viewer can no longer see it.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A presence to renew.
#[derive(InputObject)]
struct KeepPresenceInput {
    /// The id of the chat in which the viewer is present.
    chat_id: ID,
}

/// The result of `keepPresence`.
#[derive(SimpleObject)]
struct KeepPresencePayload {
    /// The presence with its new `expiresAt`.
    presence: Option<Presence>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// The viewer's typing state in a chat.
#[derive(InputObject)]
struct SetTypingInput {
    /// The id of the chat.
    chat_id: ID,
    /// True while the viewer is typing; repeat it at least every 10 seconds. False when they stop.
    is_typing: bool,
}

/// The result of `setTyping`.
#[derive(SimpleObject)]
struct SetTypingPayload {
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct PresenceMutation;

#[Object]
impl PresenceMutation {
    /// Joins the viewer to a chat, and makes them a participant. Joining again renews the presence. For
    /// users. Errors: `CHAT_TAKEN`, `CHAT_ENDED`, `NOT_PARTICIPANT`.
    async fn join_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat to join.")] input: JoinChatInput,
    ) -> Result<Option<JoinChatPayload>> {
        let caller = caller(context)?;
        let JoinChatInput { chat_id: id, exclusive } = input;
        let joined = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            Ok(caller
                .actions
                .join_chat(&caller.viewer, JoinChat { chat_id, is_exclusive: exclusive })
                .await?)
        };
        let (joined, user_errors) = settle(joined.await)?;
        let (presence, chat) = joined.map(|joined| (Presence(joined.presence), joined.chat)).unzip();
        let chat = chat_or_current(caller, chat, &id).await?;
        Ok(Some(JoinChatPayload { presence, chat, user_errors }))
    }

    /// Leaves a chat. In a GROUP or DIRECT chat, this ends the viewer's participation and presence. Open chat
    /// sessions continue without them. If the viewer owned the chat, the longest-standing participant becomes
    /// its owner, users before visitors. In a VISITOR chat, this only ends the viewer's presence; visitors
    /// cannot leave it. Idempotent: for a viewer who has already left, returns the ended participation and
    /// presence.
    async fn leave_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat to leave.")] input: LeaveChatInput,
    ) -> Result<Option<LeaveChatPayload>> {
        let caller = caller(context)?;
        let id = input.chat_id;
        let left = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            Ok(caller.actions.leave_chat(&caller.viewer, chat_id).await?)
        };
        let (left, user_errors) = settle(left.await)?;
        let LeftChat { chat, participation, presence } = match left {
            Some(left) => left,
            None => LeftChat { chat: current_chat(caller, &id).await?, participation: None, presence: None },
        };
        Ok(Some(LeaveChatPayload {
            ended_participation_id: participation.as_ref().map(|row| Kind::Participation.encode(row.id.0)),
            participation: participation.filter(|_| chat.is_some()).map(Participation),
            presence: presence.filter(|_| chat.is_some()).map(Presence),
            chat: chat.map(Chat::shared),
            user_errors,
        }))
    }

    /// Renews the viewer's presence in a chat. Not needed while `chatEvents` or `viewerEvents` is open.
    /// Errors: `NOT_PRESENT` if the presence has expired.
    async fn keep_presence(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat in which to renew the presence.")] input: KeepPresenceInput,
    ) -> Result<Option<KeepPresencePayload>> {
        let caller = caller(context)?;
        let kept = async {
            let chat_id = ChatId(Kind::Chat.expect(&input.chat_id, "chat", "chatId")?);
            Ok(caller.actions.keep_presence(&caller.viewer, chat_id).await?)
        };
        let (row, user_errors) = settle(kept.await)?;
        Ok(Some(KeepPresencePayload { presence: row.map(Presence), user_errors }))
    }

    /// Shows other participants that the viewer is typing. The server does not store this. The indicator
    /// disappears after 15 seconds unless it is renewed. Errors: `CHAT_ENDED`, `NOT_PARTICIPANT`.
    async fn set_typing(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The typing state to show.")] input: SetTypingInput,
    ) -> Result<Option<SetTypingPayload>> {
        let caller = caller(context)?;
        let SetTypingInput { chat_id: id, is_typing } = input;
        let set = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            Ok(caller.actions.set_typing(&caller.viewer, chat_id, is_typing).await?)
        };
        let (chat, user_errors) = settle(set.await)?;
        let chat = chat_or_current(caller, chat, &id).await?;
        Ok(Some(SetTypingPayload { chat, user_errors }))
    }
}
