//! Tagging chats.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::Kind;
use super::super::payload::{UserErrors, settle};
use super::Chat;
use super::mutation::chat_or_current;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::ChatId;

/// Tags to add to a chat.
#[derive(InputObject)]
struct TagChatInput {
    /// The id of the chat.
    chat_id: ID,
    /// The tags to add: 1–64 characters each, at least one of them visible. White space at the ends and
    /// bidirectional control characters are removed. Tags are case-sensitive. A chat can have up to 50 tags.
    tags: Vec<String>,
}

/// The result of `tagChat`.
#[derive(SimpleObject)]
struct TagChatPayload {
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// Tags to remove from a chat.
#[derive(InputObject)]
struct UntagChatInput {
    /// The id of the chat.
    chat_id: ID,
    /// The tags to remove, up to 50. Tags that the chat does not have are ignored.
    tags: Vec<String>,
}

/// The result of `untagChat`.
#[derive(SimpleObject)]
struct UntagChatPayload {
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct TagMutation;

#[Object]
impl TagMutation {
    /// Adds tags to a chat, even if it has ended. Idempotent. For users; visitors cannot see tags. Errors:
    /// `TOO_MANY` beyond 50 tags.
    async fn tag_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The tags to add, and the chat.")] input: TagChatInput,
    ) -> Result<Option<TagChatPayload>> {
        let caller = caller(context)?;
        let TagChatInput { chat_id: id, tags } = input;
        let tagged = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            Ok(caller.actions.tag_chat(&caller.viewer, chat_id, tags).await?)
        };
        let (chat, user_errors) = settle(tagged.await)?;
        let chat = chat_or_current(caller, chat, &id).await?;
        Ok(Some(TagChatPayload { chat, user_errors }))
    }

    /// Removes tags from a chat, even if it has ended. Idempotent. For users.
    async fn untag_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The tags to remove, and the chat.")] input: UntagChatInput,
    ) -> Result<Option<UntagChatPayload>> {
        let caller = caller(context)?;
        let UntagChatInput { chat_id: id, tags } = input;
        let untagged = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            Ok(caller.actions.untag_chat(&caller.viewer, chat_id, tags).await?)
        };
        let (chat, user_errors) = settle(untagged.await)?;
        let chat = chat_or_current(caller, chat, &id).await?;
        Ok(Some(UntagChatPayload { chat, user_errors }))
    }
}
