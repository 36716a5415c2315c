//! Adds the row of a chat, or finds the chat of a pair.

use crate::actions::Result;
use crate::actions::history::{Counted, record_chat, take_part};
use crate::domain::viewer::Viewer;
use crate::store::Tx;
use entity::{ChatId, ChatType, actor, chat};

/// Locks the DIRECT chat of these two actors, or adds one. Returns whether it existed. An actor who had left
/// participates again. The caller has locked the actors.
pub(in crate::actions) async fn find_or_add(
    tx: &mut Tx,
    viewer: &Viewer,
    chat_type: ChatType,
    participants: &[actor::Model],
    fill: impl FnOnce(&mut chat::Model),
) -> Result<bool> {
    let pair_key = match (chat_type, participants) {
        (ChatType::Direct, [one, other]) => Some(format!("{}:{}", one.id, other.id)),
        (ChatType::Direct | ChatType::Group | ChatType::Visitor, _) => None,
    };
    if let Some(pair_key) = &pair_key
        && tx.lock_chat_of_pair(viewer.organization_id, pair_key).await?.is_some()
    {
        take_part_all(tx, viewer, participants).await?;
        if tx.chat()?.owner_id.is_none() {
            tx.chat_mut()?.owner_id = Some(viewer.actor_id);
            record_chat(tx, Some(viewer.actor_id))?;
        }
        return Ok(true);
    }
    let mut row = new_chat(tx, viewer, chat_type);
    row.pair_key = pair_key;
    fill(&mut row);
    tx.add_chat(row).await?;
    take_part_all(tx, viewer, participants).await?;
    Ok(false)
}

async fn take_part_all(tx: &mut Tx, viewer: &Viewer, participants: &[actor::Model]) -> Result<()> {
    for participant in participants {
        take_part(tx, participant, Counted::Yes, Some(viewer.actor_id)).await?;
    }
    Ok(())
}

/// A new chat without any content.
pub(super) fn new_chat(tx: &Tx, viewer: &Viewer, chat_type: ChatType) -> chat::Model {
    let mut row = chat::Model::new(ChatId(tx.new_id()), viewer.organization_id, chat_type, tx.now());
    row.token = crate::actions::random::unguessable();
    row
}
