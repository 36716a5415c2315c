//! Removes participants from a chat.

use super::add::check_decides;
use super::end::end_part;
use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::policy::{self, Ties, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, participations};
use entity::{ActorId, ChatId, ChatType, PresenceEndReason, chat, participation};
use std::sync::Arc;

/// An actor to remove from a chat. Callers who name themselves leave it.
#[derive(Clone, Debug)]
pub struct RemoveParticipant {
    /// The chat.
    pub chat_id: ChatId,
    /// The participant to remove.
    pub participant_id: ActorId,
}

/// The result of removing a participant.
pub struct RemovedParticipant {
    /// The chat. Absent if the viewer no longer sees it.
    pub chat: Option<Arc<chat::Model>>,
    /// The ended participation.
    pub participation: participation::Model,
}

impl Actions {
    /// Ends an actor's participation in a chat, with their presence and calls.
    pub async fn remove_participant(
        &self,
        viewer: &Viewer,
        input: RemoveParticipant,
    ) -> Result<RemovedParticipant> {
        let permit = self.permit(viewer, Verb::RemoveParticipant)?;
        let RemoveParticipant { chat_id, participant_id } = input;
        let (participation, chat) = permit.write_to(chat_id, remove, input).await?.with_chat()?;
        let ties = if participant_id == viewer.actor_id {
            Ties::of(Some(&participation))
        } else {
            participations::ties_of(&self.0.store, chat_id, viewer.actor_id).await?
        };
        let chat = policy::sees_chat(viewer, &chat, ties).then_some(chat);
        Ok(RemovedParticipant { chat, participation })
    }
}

async fn remove(tx: &mut Tx, viewer: Viewer, input: RemoveParticipant) -> Result<participation::Model> {
    let RemoveParticipant { chat_id, participant_id } = input;
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    let chat = tx.chat()?;
    let leaves_group = chat.chat_type == ChatType::Group && participant_id == viewer.actor_id;
    if !leaves_group {
        check_decides(place.access, chat, "participantId")?;
    }
    if chat.visitor_id == Some(participant_id) {
        let reason = "The visitor of a VISITOR chat cannot be removed.";
        return Err(Refused::Invalid { field: "participantId".into(), reason }.into());
    }
    let row = participations::find_of_actor(tx, chat_id, participant_id)
        .await?
        .ok_or(Refused::NotFound { what: "participant", field: "participantId".into() })?;
    end_part(tx, row, PresenceEndReason::Left, Some(viewer.actor_id)).await
}
