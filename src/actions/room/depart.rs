//! Takes users out of the open chats of a room that they lost.

use crate::actions::participation::end::end_part;
use crate::actions::{Actions, Result};
use crate::store::{Tx, departures, participations};
use entity::{ChatId, OrganizationId, PresenceEndReason, room_departure};

/// Departures that are looked at in one go.
const DEPARTURES: u64 = 100;
/// Chats that one user leaves in one go.
const CHATS: u64 = 100;

impl Actions {
    /// Begins to end what users still have of rooms that they lost. The server's own clock goes on with it.
    pub(super) fn end_lost_parts_soon(&self) {
        let actions = self.clone();
        self.0.tracker.spawn(async move {
            if let Err(error) = actions.end_lost_parts().await {
                tracing::warn!(%error, "could not end the participations of users who lost a room");
            }
        });
    }

    /// Ends participations, with their presences, of users who lost a room, in its chats that have not ended.
    pub async fn end_lost_parts(&self) -> Result<()> {
        for departure in departures::list_due(&self.0.store, DEPARTURES).await? {
            let chats = departures::chats_to_leave(&self.0.store, &departure, CHATS).await?;
            let is_last = u64::try_from(chats.len()).unwrap_or(CHATS) < CHATS;
            for (chat_id, organization_id) in chats {
                self.write_to(chat_id, depart, (organization_id, chat_id, departure)).await?;
            }
            if is_last {
                self.write(forget, departure).await?;
            }
        }
        Ok(())
    }
}

async fn depart(
    tx: &mut Tx,
    (organization_id, chat_id, departure): (OrganizationId, ChatId, room_departure::Model),
) -> Result<()> {
    if tx.lock_chat(organization_id, chat_id).await?.is_none_or(|chat| chat.ended_at.is_some()) {
        return Ok(());
    }
    // The user may have got the room back.
    if !departures::is_due(tx, &departure).await? {
        return Ok(());
    }
    if let Some(row) = participations::find_of_actor(tx, chat_id, departure.actor_id).await? {
        end_part(tx, row, PresenceEndReason::AccessLost, None).await?;
    }
    Ok(())
}

async fn forget(tx: &mut Tx, departure: room_departure::Model) -> Result<()> {
    Ok(departures::delete(tx, departure.room_id, Some(&[departure.actor_id])).await?)
}
