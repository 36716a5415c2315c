//! Updating one's own settings for a chat.

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

/// Changes to the viewer's own settings for a chat. Absent fields are unchanged.
#[derive(InputObject)]
struct UpdateParticipationInput {
    /// The id of the chat.
    chat_id: ID,
    /// The viewer's own name for the chat: 1–200 characters, at least one of them visible. Bidirectional
    /// control characters are removed. Null removes it; if absent, it is unchanged.
    custom_name: MaybeUndefined<String>,
    /// The viewer's own description of the chat: up to 1,000 characters. Null removes it; if absent, it is
    /// unchanged.
    custom_description: MaybeUndefined<String>,
    /// True to hide the chat from the inbox until the next message.
    is_hidden: Option<bool>,
}

/// The result of `updateParticipation`.
#[derive(SimpleObject)]
struct UpdateParticipationPayload {
    /// The viewer's participation in its current state.
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
    /// Updates the viewer's own settings for a chat. Others cannot see them. The viewer's other devices
    /// receive a `ParticipationChangedEvent` on `chatEvents` and a change of the inbox on `viewerEvents`.
    /// Errors: `NOT_PARTICIPANT`.
    async fn update_participation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes to the settings.")] input: UpdateParticipationInput,
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
