//! Renews presences.

use super::lease::Lease;
use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, presences};
use entity::{ChatId, presence};

impl Actions {
    pub async fn keep_presence(&self, viewer: &Viewer, chat_id: ChatId) -> Result<presence::Model> {
        let permit = self.permit(viewer, Verb::JoinChat)?;
        Ok(permit.write_to(chat_id, keep, (chat_id, self.lease())).await?.value)
    }
}

async fn keep(tx: &mut Tx, viewer: Viewer, (chat_id, lease): (ChatId, Lease)) -> Result<presence::Model> {
    lock_visible_chat(tx, &viewer, chat_id).await?;
    let now = tx.clock_time();
    let present = presences::list_now(tx, chat_id).await?;
    let own = present
        .into_iter()
        .find(|presence| presence.user_id == viewer.actor_id && !lease.is_over(presence, now))
        .ok_or(Refused::NotPresent)?;
    lease.renew(tx, own).await
}
