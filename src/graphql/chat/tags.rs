//! Tagging chats.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::Kind;
use super::super::payload::{UserErrors, settle};
use super::Chat;
use super::mutation::chat_or_current;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::ChatId;

/// Tags to put on a chat.
#[derive(InputObject)]
struct TagChatInput {
    /// The id of the chat.
    chat_id: ID,
    /// The tags, up to 50 on a chat: 1–64 characters each, at least one of them visible. White space around them and
    /// bidirectional controls are removed. `Premium` and `premium` are two tags.
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

/// Tags to take off a chat.
#[derive(InputObject)]
struct UntagChatInput {
    /// The id of the chat.
    chat_id: ID,
    /// The tags, up to 50. Those that it does not have change nothing.
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
    /// Puts tags on a chat, also on one that has ended. Those that it has stay as they are. For users; visitors
    /// neither
    /// see tags nor learn of them.
    async fn tag_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The tags.")] input: TagChatInput,
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

    /// Takes tags off a chat. For users.
    async fn untag_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The tags.")] input: UntagChatInput,
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
