//! Reactions to messages.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::Kind;
use super::super::payload::{UserErrors, settle};
use super::Message;
use super::edit::message_or_current;
use crate::actions::React;
use crate::store::reactions::Counted;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::MessageId;

/// An emoji with which actors reacted to a message.
#[derive(SimpleObject)]
pub(super) struct Reaction {
    /// The emoji of the reaction.
    emoji: String,
    /// The number of actors who reacted with this emoji.
    count: i32,
    /// True if the viewer reacted with this emoji.
    viewer_has_reacted: bool,
}

impl From<Counted> for Reaction {
    fn from(counted: Counted) -> Self {
        let Counted { emoji, count, is_own } = counted;
        Self { emoji, count: i32::try_from(count).unwrap_or(i32::MAX), viewer_has_reacted: is_own }
    }
}

/// A reaction to add to a message.
#[derive(InputObject)]
struct AddReactionInput {
    /// The id of the message.
    message_id: ID,
    /// A single emoji. Text and emoji presentation are the same emoji: ❤ is stored as ❤️.
    emoji: String,
}

/// The result of `addReaction`.
#[derive(SimpleObject)]
struct AddReactionPayload {
    /// The current state of the message.
    message: Option<Message>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// A reaction to remove from a message.
#[derive(InputObject)]
struct RemoveReactionInput {
    /// The id of the message.
    message_id: ID,
    /// The emoji of the reaction.
    emoji: String,
}

/// The result of `removeReaction`.
#[derive(SimpleObject)]
struct RemoveReactionPayload {
    /// The current state of the message.
    message: Option<Message>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct ReactionMutation;

#[Object]
impl ReactionMutation {
    /// Adds a reaction of the viewer to a message. Idempotent. Not for deleted messages. Errors: `TOO_MANY`
    /// beyond 20 different emojis, `CHAT_ENDED`.
    async fn add_reaction(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The reaction to add.")] input: AddReactionInput,
    ) -> Result<Option<AddReactionPayload>> {
        let AddReactionInput { message_id, emoji } = input;
        let (message, user_errors) = react(context, message_id, emoji, true).await?;
        Ok(Some(AddReactionPayload { message, user_errors }))
    }

    /// Removes a reaction of the viewer from a message. Idempotent. Errors: `CHAT_ENDED`.
    async fn remove_reaction(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The reaction to remove.")] input: RemoveReactionInput,
    ) -> Result<Option<RemoveReactionPayload>> {
        let RemoveReactionInput { message_id, emoji } = input;
        let (message, user_errors) = react(context, message_id, emoji, false).await?;
        Ok(Some(RemoveReactionPayload { message, user_errors }))
    }
}

async fn react(
    context: &Context<'_>,
    id: ID,
    emoji: String,
    is_there: bool,
) -> Result<(Option<Message>, UserErrors)> {
    let caller = caller(context)?;
    let reacted = async {
        let message_id = MessageId(Kind::Message.expect(&id, "message", "messageId")?);
        Ok(caller.actions.react(&caller.viewer, React { message_id, emoji, is_there }).await?)
    };
    let (row, user_errors) = settle(reacted.await)?;
    Ok((message_or_current(caller, row, &id).await?, user_errors))
}
