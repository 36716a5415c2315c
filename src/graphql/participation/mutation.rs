//! Changing one's own view of a chat.

use super::super::caller::caller;
use super::super::chat::Chat;
use super::super::chat::mutation::chat_or_current;
use super::super::error::Result;
use super::super::id::Kind;
use super::super::payload::{UserErrors, settle};
use super::Participation;
use crate::actions::UpdateParticipation;
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use entity::ChatId;

/// Changes of the viewer's own view of a chat.
#[derive(InputObject)]
struct UpdateParticipationInput {
    /// The chat.
    chat_id: ID,
    /// The viewer's own name for the chat: 1–200 characters, at least one of them visible; bidirectional controls
    /// are removed.
    /// Null removes it; if absent, it is unchanged.
    custom_name: MaybeUndefined<String>,
    /// The viewer's own description of the chat: up to 1,000 characters. Null removes it; if absent, it is unchanged.
    custom_description: MaybeUndefined<String>,
    /// Whether to hide it until somebody writes.
    is_hidden: Option<bool>,
}

/// The result of `updateParticipation`.
#[derive(SimpleObject)]
struct UpdateParticipationPayload {
    /// The viewer's participation, as it now stands.
    participation: Option<Participation>,
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct OwnViewMutation;

#[Object]
impl OwnViewMutation {
    /// Changes the viewer's own view of a chat that they take part in: nobody else sees any of it. Their own streams
    /// hear of it, `chatEvents` as `ParticipationChangedEvent`, `viewerEvents` as a change of the inbox.
    async fn update_participation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateParticipationInput,
    ) -> Result<Option<UpdateParticipationPayload>> {
        let caller = caller(context)?;
        let UpdateParticipationInput { chat_id: id, custom_name, custom_description, is_hidden } = input;
        let updated = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            let input = UpdateParticipation {
                chat_id,
                name: custom_name.into(),
                detail: custom_description.into(),
                is_hidden,
            };
            Ok(caller.actions.update_participation(&caller.viewer, input).await?)
        };
        let (updated, user_errors) = settle(updated.await)?;
        let (row, chat) = updated.map(|updated| (updated.participation, updated.chat)).unzip();
        Ok(Some(UpdateParticipationPayload {
            participation: row.map(Participation),
            chat: chat_or_current(caller, chat, &id).await?,
            user_errors,
        }))
    }
}
