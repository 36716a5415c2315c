//! Adding and removing participants.

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
    /// The id of a GROUP or VISITOR chat.
    chat_id: ID,
    /// The ids of the users and visitors to add, at least one. Only users can be added to a VISITOR chat. A
    /// chat can have up to 100 participants.
    participant_ids: Vec<ID>,
}

/// The result of `addParticipants`.
#[derive(SimpleObject)]
struct AddParticipantsPayload {
    /// The participations of all given actors, including those who were already participants.
    participations: Vec<Participation>,
    /// The current state of the chat.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

/// An actor to remove from a chat.
#[derive(InputObject)]
struct RemoveParticipantInput {
    /// The id of a GROUP or VISITOR chat.
    chat_id: ID,
    /// The id of the participant to remove. The viewer can remove themselves.
    participant_id: ID,
}

/// The result of `removeParticipant`.
#[derive(SimpleObject)]
struct RemoveParticipantPayload {
    /// The id of the participation that has ended.
    ended_participation_id: Option<ID>,
    /// The participation that has ended. Null if the viewer can no longer see the chat.
    participation: Option<Participation>,
    /// The current state of the chat. Null if the viewer can no longer see it.
    chat: Option<Chat>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct ParticipantMutation;

#[Object]
impl ParticipantMutation {
    /// Adds participants to a chat. For a GROUP chat: its owner or an admin. For a VISITOR chat: every user who
    /// can see it. Former participants become participants again. Nobody can be added to a DIRECT chat. Errors:
    /// `TOO_MANY`, `NOT_PARTICIPANT`, `CHAT_ENDED`.
    async fn add_participants(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The participants to add, and the chat.")] input: AddParticipantsInput,
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

    /// Removes a participant from a chat, and ends their presence. Open chat sessions continue without them. In
    /// a GROUP chat, the owner and admins can remove others, and everybody can remove themselves. If the owner
    /// is removed, the longest-standing participant becomes the owner. In a VISITOR chat, any user who can see
    /// it can remove users. The visitor cannot be removed. Idempotent: for a former participant, returns the
    /// ended participation.
    async fn remove_participant(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The participant to remove, and the chat.")] input: RemoveParticipantInput,
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
