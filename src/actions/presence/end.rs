//! Ends presences and adds their LEAVE entries.

use crate::actions::history::{NewEntry, add_entry, end_presence};
use crate::actions::{Actions, Result};
use crate::store::{Tx, actors, presences};
use entity::{ActorId, ChatId, MessageType, OrganizationId, PresenceEndReason, presence};

impl Actions {
    /// Ends all presences of a user who signed out or was deactivated.
    pub(in crate::actions) async fn end_presences_of(
        &self,
        organization_id: OrganizationId,
        user_id: ActorId,
    ) -> Result<()> {
        for chat_id in presences::all_chats_of_user(&self.0.store, user_id).await? {
            self.write_to(chat_id, sign_out, (organization_id, chat_id, user_id)).await?;
        }
        Ok(())
    }
}

async fn sign_out(
    tx: &mut Tx,
    (organization_id, chat_id, user_id): (OrganizationId, ChatId, ActorId),
) -> Result<()> {
    if tx.lock_chat(organization_id, chat_id).await?.is_some() {
        end_own(tx, chat_id, user_id, PresenceEndReason::SignedOut).await?;
    }
    Ok(())
}

/// Ends the user's presence in the locked chat, if any.
pub(in crate::actions) async fn end_own(
    tx: &mut Tx,
    chat_id: ChatId,
    user_id: ActorId,
    reason: PresenceEndReason,
) -> Result<()> {
    let mut own = presences::list_now(tx, chat_id).await?;
    own.retain(|presence| presence.user_id == user_id);
    let gone = end_all(tx, own, reason, Some(user_id)).await?;
    say_goodbyes(tx, gone, Some(user_id)).await
}

/// Ends the presences. Call [`say_goodbyes`] after all presence events to add the LEAVE entries.
pub(in crate::actions) async fn end_all(
    tx: &mut Tx,
    present: Vec<presence::Model>,
    reason: PresenceEndReason,
    by: Option<ActorId>,
) -> Result<Vec<presence::Model>> {
    let mut gone = Vec::with_capacity(present.len());
    for presence in present {
        gone.push(end_presence(tx, presence, reason, by).await?);
    }
    Ok(gone)
}

/// Adds a LEAVE entry for each ended presence.
pub(in crate::actions) async fn say_goodbyes(
    tx: &mut Tx,
    gone: Vec<presence::Model>,
    by: Option<ActorId>,
) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let organization_id = tx.chat()?.organization_id;
    let ids: Vec<_> = gone.iter().map(|presence| presence.user_id).collect();
    let users = actors::find_many_in_organization(tx, organization_id, &ids).await?;
    for presence in gone {
        let user = users.iter().find(|user| user.id == presence.user_id);
        add_entry(tx, NewEntry::notice(MessageType::Leave, user), by).await?;
    }
    Ok(())
}
