//! Archiving messages and restoring them.

use super::super::caller::caller;
use super::super::chat::Chat;
use super::super::chat::mutation::chat_or_current;
use super::super::error::{Fault, Result};
use super::super::id::Kind;
use super::super::payload::{UserErrors, settle};
use super::super::scalar::DateTime;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::{ChatId, chat};
use std::sync::Arc;

/// Messages to archive in a chat.
#[derive(InputObject)]
struct ArchiveMessagesInput {
    /// The id of the chat.
    chat_id: ID,
    /// The time before which all messages are archived, exclusive. A time in the future archives all existing
    /// messages, but none that are sent later.
    before: DateTime,
}

/// The result of `archiveMessages`.
#[derive(SimpleObject)]
struct ArchiveMessagesPayload {
    /// The sequence of the newest archived message of the chat. Null if none is archived.
    archived_through_sequence: Option<i32>,
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// Archived messages to restore.
#[derive(InputObject)]
struct RestoreMessagesInput {
    /// The id of the chat.
    chat_id: ID,
}

/// The result of `restoreMessages`.
#[derive(SimpleObject)]
struct RestoreMessagesPayload {
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct ArchiveMutation;

#[Object]
impl ArchiveMutation {
    /// Archives the messages before a given time for everybody: `Chat.messages`, search and unread counts then
    /// omit them. To read them, set `includeArchived`. Counters such as `messageCount` do not change.
    /// Idempotent; archiving up to an earlier time changes nothing. For users.
    async fn archive_messages(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The messages to archive.")] input: ArchiveMessagesInput,
    ) -> Result<Option<ArchiveMessagesPayload>> {
        let caller = caller(context)?;
        let ArchiveMessagesInput { chat_id: id, before: DateTime(before) } = input;
        let archived = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            Ok(caller.actions.archive_messages(&caller.viewer, chat_id, before).await?)
        };
        let (archived, user_errors) = settle(archived.await)?;
        let archived_through_sequence = archived.as_ref().map(archived_through).transpose()?.flatten();
        let chat = chat_or_current(caller, archived, &id).await?;
        Ok(Some(ArchiveMessagesPayload { archived_through_sequence, chat, user_errors }))
    }

    /// Restores all archived messages of a chat for everybody. Idempotent. For users.
    async fn restore_messages(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The chat in which to restore messages.")] input: RestoreMessagesInput,
    ) -> Result<Option<RestoreMessagesPayload>> {
        let caller = caller(context)?;
        let id = input.chat_id;
        let restored = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            Ok(caller.actions.restore_messages(&caller.viewer, chat_id).await?)
        };
        let (chat, user_errors) = settle(restored.await)?;
        let chat = chat_or_current(caller, chat, &id).await?;
        Ok(Some(RestoreMessagesPayload { chat, user_errors }))
    }
}

fn archived_through(chat: &Arc<chat::Model>) -> Result<Option<i32>> {
    if chat.archived_at.is_none() {
        return Ok(None);
    }
    let through = i32::try_from(chat.archived_sequence);
    through.map(Some).map_err(|_| Fault::internal("a sequence is too large"))
}
