//! Ends a participation with the presence and calls that belong to it.

use crate::actions::Result;
use crate::actions::history::{end_participation, record_chat, record_session_change};
use crate::actions::presence::end::{end_all, say_goodbyes};
use crate::domain::change::SessionChange;
use crate::store::{Tx, participations, presences, sessions};
use entity::{ActorId, ActorType, ChatId, PresenceEndReason, participation};

/// Ends a participation in the locked chat, with the actor's presence, for this reason, and their calls. If the
/// actor owned the chat, another participant becomes its owner. Idempotent.
pub(in crate::actions) async fn end_part(
    tx: &mut Tx,
    row: participation::Model,
    reason: PresenceEndReason,
    by: Option<ActorId>,
) -> Result<participation::Model> {
    if !row.is_current() {
        return Ok(row);
    }
    let (chat_id, actor_id) = (row.chat_id, row.actor_id);
    let row = end_participation(tx, row, by).await?;
    let mut present = presences::list_now(tx, chat_id).await?;
    present.retain(|presence| presence.user_id == actor_id);
    let gone = end_all(tx, present, reason, by).await?;
    call_no_more(tx, actor_id, by).await?;
    say_goodbyes(tx, gone, by).await?;
    if tx.chat()?.owner_id == Some(actor_id) {
        tx.chat_mut()?.owner_id = heir(tx, chat_id).await?;
        record_chat(tx, by)?;
    }
    Ok(row)
}

/// Removes the actor from open sessions, except for those that they created, started or accepted: these keep
/// them, as with any other change of a session's participants.
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
        record_session_change(tx, SessionChange::Changed, &row, &before, by).await?;
    }
    Ok(())
}

/// The next owner of a chat: the longest participant, users before visitors.
async fn heir(tx: &Tx, chat_id: ChatId) -> Result<Option<ActorId>> {
    let taking_part = participations::list_now(tx, chat_id).await?;
    let heir = taking_part.iter().min_by_key(|row| {
        let is_visitor = row.actor_type == ActorType::Visitor;
        (is_visitor, row.created_at, row.id)
    });
    Ok(heir.map(|row| row.actor_id))
}
