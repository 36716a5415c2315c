//! Editing and deleting messages, and their revisions.

use super::super::caller::{Caller, caller};
use super::super::error::Result;
use super::super::id::Kind;
use super::super::loaders::Seen;
use super::super::payload::{UserErrors, settle};
use super::super::scalar::DateTime;
use super::Message;
use crate::actions::EditMessage;
use crate::domain::event::MessageRow;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::{MessageId, message_revision};

/// A previous text of a message that was edited.
#[derive(SimpleObject)]
pub(super) struct MessageRevision {
    /// The text of the message at that time.
    text: String,
    /// The time at which the message got this text.
    created_at: DateTime,
}

impl From<message_revision::Model> for MessageRevision {
    fn from(row: message_revision::Model) -> Self {
        Self { text: row.text, created_at: DateTime(row.created_at) }
    }
}

/// A new text for a message.
#[derive(InputObject)]
struct EditMessageInput {
    /// The id of the message.
    message_id: ID,
    /// The new text: 1–2,000 characters, with the rules of `SendMessageInput.text`.
    text: String,
}

/// The result of `editMessage`.
#[derive(SimpleObject)]
struct EditMessagePayload {
    /// The current state of the message.
    message: Option<Message>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A message to delete.
#[derive(InputObject)]
struct DeleteMessageInput {
    /// The id of the message.
    message_id: ID,
}

/// The result of `deleteMessage`.
#[derive(SimpleObject)]
struct DeleteMessagePayload {
    /// The current state of the message. If it was deleted, only its position, sender and times remain.
    message: Option<Message>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct EditMutation;

#[Object]
impl EditMutation {
    /// Changes the text of a message that the viewer sent, within `Organization.editWindowMinutes` and until
    /// the chat ends. `Message.revisions` keeps the previous text. A message can be edited 50 times.
    /// Idempotent. Errors: `TOO_LATE`, `CHAT_ENDED`, `NOT_PARTICIPANT`.
    async fn edit_message(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The message and its new text.")] input: EditMessageInput,
    ) -> Result<Option<EditMessagePayload>> {
        let caller = caller(context)?;
        let EditMessageInput { message_id: id, text } = input;
        let edited = async {
            let message_id = MessageId(Kind::Message.expect(&id, "message", "messageId")?);
            Ok(caller.actions.edit_message(&caller.viewer, EditMessage { message_id, text }).await?)
        };
        let (row, user_errors) = settle(edited.await)?;
        let message = message_or_current(caller, row, &id).await?;
        Ok(Some(EditMessagePayload { message, user_errors }))
    }

    /// Deletes the content of a message with all its revisions. The position, sender and times of the message
    /// remain. Senders can delete their messages within `Organization.editWindowMinutes`, admins at any time.
    /// Both can do so even after the chat has ended. Idempotent. Errors: `TOO_LATE`, `NOT_PARTICIPANT`.
    async fn delete_message(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The message to delete.")] input: DeleteMessageInput,
    ) -> Result<Option<DeleteMessagePayload>> {
        let caller = caller(context)?;
        let id = input.message_id;
        let deleted = async {
            let message_id = MessageId(Kind::Message.expect(&id, "message", "messageId")?);
            Ok(caller.actions.delete_message(&caller.viewer, message_id).await?)
        };
        let (row, user_errors) = settle(deleted.await)?;
        let message = message_or_current(caller, row, &id).await?;
        Ok(Some(DeleteMessagePayload { message, user_errors }))
    }
}

/// The message that a mutation returned or, after a refusal, its current state. Null if the viewer cannot see it.
pub(super) async fn message_or_current(
    caller: &Caller,
    done: Option<MessageRow>,
    id: &ID,
) -> Result<Option<Message>> {
    let row = match (done, Kind::Message.decode(id)?) {
        (None, Some(id)) => caller.load(Seen(MessageId(id))).await?,
        (done, _) => done,
    };
    Ok(row.map(Message))
}
