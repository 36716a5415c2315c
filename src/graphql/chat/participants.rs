//! Adding participants, and taking them out.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::{Kind, expect_actor, expect_actors};
use super::super::participation::Participation;
use super::super::payload::{UserErrors, settle};
use super::Chat;
use super::mutation::{chat_or_current, current_chat};
use crate::actions::{AddParticipants, RemoveParticipant};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::ChatId;

/// Actors to add to a chat.
#[derive(InputObject)]
struct AddParticipantsInput {
    /// The chat: of type GROUP, or with a visitor.
    chat_id: ID,
    /// Users and visitors, at least one; to a chat with a visitor only users. A chat has up to 100 participants.
    participant_ids: Vec<ID>,
}

/// The result of `addParticipants`.
#[derive(SimpleObject)]
struct AddParticipantsPayload {
    /// The participations of all who were named, also of who took part already.
    participations: Vec<Participation>,
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// An actor to take out of a chat.
#[derive(InputObject)]
struct RemoveParticipantInput {
    /// The chat: of type GROUP, or with a visitor.
    chat_id: ID,
    /// The participant to remove. Viewers can remove themselves.
    participant_id: ID,
}

/// The result of `removeParticipant`.
#[derive(SimpleObject)]
struct RemoveParticipantPayload {
    /// The id of the participation that has ended.
    ended_participation_id: Option<ID>,
    /// The participation; null where the viewer sees the chat no longer.
    participation: Option<Participation>,
    /// The chat, as it now stands; null where the viewer sees it no longer.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct ParticipantMutation;

#[Object]
impl ParticipantMutation {
    /// Adds participants: to a GROUP chat by its owner or an admin, to a chat with a visitor by any user who sees it.
    /// Who took part before takes part again. A DIRECT chat stays between its two.
    async fn add_participants(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The participants and the chat.")] input: AddParticipantsInput,
    ) -> Result<Option<AddParticipantsPayload>> {
        let caller = caller(context)?;
        let AddParticipantsInput { chat_id: id, participant_ids } = input;
        let added = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            let participant_ids = expect_actors(&participant_ids, "participantIds")?;
            let input = AddParticipants { chat_id, participant_ids };
            Ok(caller.actions.add_participants(&caller.viewer, input).await?)
        };
        let (added, user_errors) = settle(added.await)?;
        let (participations, chat) = added.map(|added| (added.participations, added.chat)).unzip();
        Ok(Some(AddParticipantsPayload {
            participations: participations.into_iter().flatten().map(Participation).collect(),
            chat: chat_or_current(caller, chat, &id).await?,
            user_errors,
        }))
    }

    /// Ends somebody's part in a chat, with their presence in it; sessions that are not over go on without them.
    /// Anybody leaves a GROUP chat; others are taken out of it by its owner or an admin. A user is taken out of a
    /// chat
    /// with a visitor by any user who sees it, the visitor never. Whom a GROUP chat's owner leaves it to: who has
    /// taken part for longest. Who does not take part any more is answered with what has ended.
    async fn remove_participant(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The participants and the chat.")] input: RemoveParticipantInput,
    ) -> Result<Option<RemoveParticipantPayload>> {
        let caller = caller(context)?;
        let RemoveParticipantInput { chat_id: id, participant_id } = input;
        let removed = async {
            let chat_id = ChatId(Kind::Chat.expect(&id, "chat", "chatId")?);
            let participant_id = expect_actor(&participant_id, "participantId")?;
            let input = RemoveParticipant { chat_id, participant_id };
            Ok(caller.actions.remove_participant(&caller.viewer, input).await?)
        };
        let (removed, user_errors) = settle(removed.await)?;
        let (participation, chat) = match removed {
            Some(removed) => (Some(removed.participation), removed.chat),
            None => (None, current_chat(caller, &id).await?),
        };
        Ok(Some(RemoveParticipantPayload {
            ended_participation_id: participation.as_ref().map(|row| Kind::Participation.encode(row.id.0)),
            participation: participation.filter(|_| chat.is_some()).map(Participation),
            chat: chat.map(Chat::shared),
            user_errors,
        }))
    }
}
