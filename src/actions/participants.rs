//! Participants: adds and removes them.

use super::history::{Counted, end_participation, record_chat, record_session_change, take_part};
use super::presences::{end_all, say_goodbyes};
use super::write::{lock_visible_chat, refuse_ended};
use super::{Actions, Error, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::limits;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, participations, presences, sessions};
use entity::{
    ActorId, ActorType, ChatId, ChatType, EventKind, PresenceEndReason, actor, chat, participation,
};
use futures_util::FutureExt;
use std::sync::Arc;

/// Actors to add to a chat.
#[derive(Clone, Debug)]
pub struct AddParticipants {
    /// Which chat.
    pub chat_id: ChatId,
    /// Who takes part from now on; who does already stays as they are.
    pub participant_ids: Vec<ActorId>,
}

/// Who was named takes part.
pub struct AddedParticipants {
    /// The chat.
    pub chat: Arc<chat::Model>,
    /// Their participations, ordered by actor.
    pub participations: Vec<participation::Model>,
}

/// An actor to take out of a chat; the caller leaves it by naming themself.
#[derive(Clone, Debug)]
pub struct RemoveParticipant {
    /// Which chat.
    pub chat_id: ChatId,
    /// Who takes part no longer.
    pub participant_id: ActorId,
}

/// An actor takes part no longer.
pub struct RemovedParticipant {
    /// The chat; absent where the viewer sees it no longer.
    pub chat: Option<Arc<chat::Model>>,
    /// The participation, which has ended.
    pub participation: participation::Model,
}

impl Actions {
    /// Adds participants to a chat. Who took part before takes part again.
    pub async fn add_participants(
        &self,
        viewer: &Viewer,
        input: AddParticipants,
    ) -> Result<AddedParticipants> {
        policy::may(viewer.role, Verb::AddParticipants)?;
        let viewer = viewer.clone();
        let (participations, chat) =
            self.write_to(input.chat_id, move |tx| add(tx, viewer, input).boxed()).await?.with_chat()?;
        Ok(AddedParticipants { chat, participations })
    }

    /// Ends somebody's part in a chat, with their presence in it and what calls them to it.
    pub async fn remove_participant(
        &self,
        viewer: &Viewer,
        input: RemoveParticipant,
    ) -> Result<RemovedParticipant> {
        policy::may(viewer.role, Verb::RemoveParticipant)?;
        let (remover, RemoveParticipant { chat_id, participant_id }) = (viewer.clone(), input.clone());
        let (participation, chat) =
            self.write_to(chat_id, move |tx| remove(tx, remover, input).boxed()).await?.with_chat()?;
        let still_takes_part = participant_id != viewer.actor_id
            && participations::find_of_actor(&self.0.store, chat_id, viewer.actor_id)
                .await?
                .is_some_and(|own| own.ended_at.is_none());
        let chat = policy::sees_chat(viewer, &chat, still_takes_part).then_some(chat);
        Ok(RemovedParticipant { chat, participation })
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
    // Actors are locked all at once and before the chat.
    let named = actors::lock_in_organization(tx, viewer.organization_id, &ids).await?;
    lock_visible_chat(tx, &viewer, chat_id).await?;
    let chat = tx.chat()?;
    check_decides(&viewer, chat, "chatId")?;
    refuse_ended(tx)?;
    if ids.is_empty() {
        return Err(Refused::Invalid {
            field: "participantIds".into(),
            reason: "`participantIds` must have at least one item.",
        }
        .into());
    }
    let at = |index| FieldPath::of("participantIds").item(index);
    let is_missing = |id: &ActorId| !named.iter().any(|actor| actor.id == *id && may_take_part(actor));
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

fn may_take_part(actor: &actor::Model) -> bool {
    let is_person = match actor.actor_type {
        ActorType::User | ActorType::Visitor => true,
        ActorType::ApiClient => false,
    };
    is_person && actor.deactivated_at.is_none()
}

/// Refuses who does not decide who takes part, and says who does.
fn check_decides(viewer: &Viewer, chat: &chat::Model, field: impl Into<FieldPath>) -> Result<()> {
    if policy::decides_who_takes_part(viewer, chat) {
        return Ok(());
    }
    let reason = match chat.chat_type {
        ChatType::Visitor => "Only users can change the participants of a VISITOR chat.",
        ChatType::Direct => "The participants of a DIRECT chat cannot be changed.",
        ChatType::Group => "Only the owner or an admin can change the participants of a GROUP chat.",
    };
    Err(Refused::Invalid { field: field.into(), reason }.into())
}

async fn remove(tx: &mut Tx, viewer: Viewer, input: RemoveParticipant) -> Result<participation::Model> {
    let RemoveParticipant { chat_id, participant_id } = input;
    lock_visible_chat(tx, &viewer, chat_id).await?;
    let chat = tx.chat()?;
    let leaves_group = chat.chat_type == ChatType::Group && participant_id == viewer.actor_id;
    if !leaves_group {
        check_decides(&viewer, chat, "participantId")?;
    }
    if chat.visitor_id == Some(participant_id) {
        let reason = "The visitor of a VISITOR chat cannot be removed.";
        return Err(Refused::Invalid { field: "participantId".into(), reason }.into());
    }
    let row = participations::find_of_actor(tx, chat_id, participant_id)
        .await?
        .ok_or(Refused::NotFound { what: "participant", field: "participantId".into() })?;
    end_part(tx, row, Some(viewer.actor_id)).await
}

/// Ends a participation in the locked chat, with the actor's presence and their calls. The chat passes to another owner
/// if it was theirs. A participation that has ended stays as it is.
pub(super) async fn end_part(
    tx: &mut Tx,
    row: participation::Model,
    by: Option<ActorId>,
) -> Result<participation::Model> {
    if row.ended_at.is_some() {
        return Ok(row);
    }
    let (chat_id, actor_id) = (row.chat_id, row.actor_id);
    let row = end_participation(tx, row, by).await?;
    let mut present = presences::list_now(tx, chat_id).await?;
    present.retain(|presence| presence.user_id == actor_id);
    let gone = end_all(tx, present, PresenceEndReason::Left, by).await?;
    call_no_more(tx, actor_id, by).await?;
    say_goodbyes(tx, gone, by).await?;
    if tx.chat()?.owner_id == Some(actor_id) {
        tx.chat_mut()?.owner_id = heir(tx, chat_id).await?;
        record_chat(tx, by)?;
    }
    Ok(row)
}

/// Sessions that are not over go on without the actor, but for those that they created, started or accepted: there
/// they stay named, as with any other change of who is called.
async fn call_no_more(tx: &mut Tx, actor_id: ActorId, by: Option<ActorId>) -> Result<()> {
    for mut row in sessions::list_not_over(tx, tx.chat()?.id).await? {
        if !row.has_participant(actor_id) || row.stays().contains(&actor_id) {
            continue;
        }
        let before = row.participant_ids.clone();
        row.participant_ids.retain(|id| *id != actor_id);
        sessions::replace_participants(tx, row.session.id, &row.participant_ids).await?;
        let state = row.session.state;
        sessions::update_from(tx, &mut row.session, state).await?;
        record_session_change(tx, EventKind::SessionChanged, &row, &before, by).await?;
    }
    Ok(())
}

/// Who owns a chat after its owner: who has taken part for longest, a user before a visitor.
async fn heir(tx: &Tx, chat_id: ChatId) -> Result<Option<ActorId>> {
    let taking_part = participations::list_now(tx, chat_id).await?;
    let heir = taking_part.iter().min_by_key(|row| {
        let is_visitor = row.actor_type == ActorType::Visitor;
        (is_visitor, row.created_at, row.id)
    });
    Ok(heir.map(|row| row.actor_id))
}
