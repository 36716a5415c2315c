//! Editing and deleting messages, and what they said before.

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

/// A text that a message had before it was edited.
#[derive(SimpleObject)]
pub(super) struct MessageRevision {
    /// The text.
    text: String,
    /// Since when it said so.
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
    /// The message.
    message_id: ID,
    /// The new text: 1–2000 characters, as in `sendMessage`.
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
    /// The message.
    message_id: ID,
}

/// The result of `deleteMessage`.
#[derive(SimpleObject)]
struct DeleteMessagePayload {
    /// The message, as it now stands: a tombstone, once it is deleted.
    message: Option<Message>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct EditMutation;

#[Object]
impl EditMutation {
    /// Gives a message of the viewer's another text, for `Organization.editWindowMinutes` after it was sent (then
    /// `TOO_LATE`) and until the chat ends. What it said before is kept in `Message.revisions`, up to 50 times. The
    /// text that it has already changes nothing.
    async fn edit_message(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The message and its text.")] input: EditMessageInput,
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

    /// Takes the content of a message away, with all that it said before, and leaves a tombstone in its place. Who
    /// sent it may for `Organization.editWindowMinutes` (then `TOO_LATE`), an admin at any time; also once the chat
    /// has ended. Again it changes nothing.
    async fn delete_message(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The message.")] input: DeleteMessageInput,
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
