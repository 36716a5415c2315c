//! Deleting chats.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::Kind;
use super::super::payload::{UserErrors, settle};
use super::Chat;
use super::mutation::chat_or_current;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::ChatId;

/// A chat to delete for everybody.
#[derive(InputObject)]
struct DeleteChatInput {
    /// The id of the chat.
    chat_id: ID,
}

/// The result of `deleteChat`.
#[derive(SimpleObject)]
struct DeleteChatPayload {
    /// The id of the deleted chat. Null if the chat was not deleted.
    deleted_chat_id: Option<ID>,
    /// The current state of the chat. Null if it was deleted.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct DeletionMutation;

#[Object]
impl DeletionMutation {
    /// Deletes a chat for everybody. The owner can delete a GROUP chat, and admins can delete any chat. The
    /// chat ends and disappears from all lists, searches and counts. Its subscriptions complete. The database
    /// keeps it for audits. Afterwards, `createDirectChat` can create a new chat for the same pair.
    async fn delete_chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat to delete.")] input: DeleteChatInput,
    ) -> Result<Option<DeleteChatPayload>> {
        let caller = caller(context)?;
        let id = input.chat_id;
        let deleted = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            Ok(caller.actions.delete_chat(&caller.viewer, chat_id).await?)
        };
        let (deleted, user_errors) = settle(deleted.await)?;
        let (deleted_chat_id, chat) = match deleted {
            Some(()) => (Some(id), None),
            None => (None, chat_or_current(caller, None, &id).await?),
        };
        Ok(Some(DeleteChatPayload { deleted_chat_id, chat, user_errors }))
    }
}
