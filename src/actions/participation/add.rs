//! Adds participants to a chat.

use crate::actions::history::{Counted, take_part};
use crate::actions::write::{lock_visible_chat, refuse_ended};
use crate::actions::{Actions, Error, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::limits;
use crate::domain::policy::{self, ChatAccess, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, participations};
use entity::{ActorId, ActorType, ChatId, ChatType, chat, participation};
use std::sync::Arc;

/// Actors to add to a chat.
#[derive(Clone, Debug)]
pub struct AddParticipants {
    /// The chat.
    pub chat_id: ChatId,
    /// The actors to add. Current participants stay as they are.
    pub participant_ids: Vec<ActorId>,
}

/// The result of adding participants.
pub struct AddedParticipants {
    pub chat: Arc<chat::Model>,
    /// Their participations, ordered by actor.
    pub participations: Vec<participation::Model>,
}

impl Actions {
    /// Adds participants to a chat. Former participants participate again.
    pub async fn add_participants(
        &self,
        viewer: &Viewer,
        input: AddParticipants,
    ) -> Result<AddedParticipants> {
        let permit = self.permit(viewer, Verb::AddParticipants)?;
        let (participations, chat) = permit.write_to(input.chat_id, add, input).await?.with_chat()?;
        Ok(AddedParticipants { chat, participations })
    }
}

async fn add(tx: &mut Tx, viewer: Viewer, input: AddParticipants) -> Result<Vec<participation::Model>> {
    let AddParticipants { chat_id, participant_ids } = input;
    let mut ids = participant_ids.clone();
    ids.sort_unstable();
    ids.dedup();
    let too_many =
        || Error::from(Refused::TooMany { field: "participantIds".into(), limit: limits::PARTICIPANTS });
    if ids.len() > limits::PARTICIPANTS {
        return Err(too_many());
    }
    // All actors are locked at once, and before the chat.
    let named = actors::lock_in_organization(tx, viewer.organization_id, &ids).await?;
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    let chat = tx.chat()?;
    check_decides(place.access, chat, "chatId")?;
    refuse_ended(tx)?;
    if ids.is_empty() {
        return Err(Refused::Invalid {
            field: "participantIds".into(),
            reason: "`participantIds` must have at least one item.",
        }
        .into());
    }
    let at = |index| FieldPath::of("participantIds").item(index);
    let is_missing =
        |id: &ActorId| !named.iter().any(|actor| actor.id == *id && policy::can_participate(actor));
    if let Some(index) = participant_ids.iter().position(is_missing) {
        return Err(Refused::NotFound { what: "participant", field: at(index) }.into());
    }
    let is_visitor =
        |id: &ActorId| named.iter().any(|actor| actor.id == *id && actor.actor_type != ActorType::User);
    if chat.chat_type == ChatType::Visitor
        && let Some(index) = participant_ids.iter().position(is_visitor)
    {
        let reason = "Only users can be added to a VISITOR chat.";
        return Err(Refused::Invalid { field: at(index), reason }.into());
    }
    let taking_part = participations::list_now(tx, chat_id).await?;
    let is_new = |id: &&ActorId| !taking_part.iter().any(|row| row.actor_id == **id);
    if taking_part.len() + ids.iter().filter(is_new).count() > limits::PARTICIPANTS {
        return Err(too_many());
    }
    let mut added = Vec::with_capacity(named.len());
    for actor in &named {
        added.push(take_part(tx, actor, Counted::Yes, Some(viewer.actor_id)).await?);
    }
    Ok(added)
}

/// Refuses a viewer who may not decide who participates; the refusal names who may.
pub(super) fn check_decides(
    access: ChatAccess,
    chat: &chat::Model,
    field: impl Into<FieldPath>,
) -> Result<()> {
    if access.decides_participants() {
        return Ok(());
    }
    let reason = match chat.chat_type {
        ChatType::Visitor => "Only users can add or remove participants in a VISITOR chat.",
        ChatType::Direct => "The participants of a DIRECT chat cannot change.",
        ChatType::Group => "Only the owner or an admin can add or remove participants in a GROUP chat.",
    };
    Err(Refused::Invalid { field: field.into(), reason }.into())
}
