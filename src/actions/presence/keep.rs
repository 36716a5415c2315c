//! Renews presences.

use super::lease::Lease;
use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, presences};
use entity::{ChatId, presence};
use futures_util::FutureExt;

impl Actions {
    /// Renews the lease of the viewer's presence.
    pub async fn keep_presence(&self, viewer: &Viewer, chat_id: ChatId) -> Result<presence::Model> {
        policy::may(viewer.role, Verb::JoinChat)?;
        let (viewer, lease) = (viewer.clone(), self.lease());
        Ok(self.write_to(chat_id, move |tx| keep(tx, viewer, chat_id, lease).boxed()).await?.value)
    }
}

async fn keep(tx: &mut Tx, viewer: Viewer, chat_id: ChatId, lease: Lease) -> Result<presence::Model> {
    lock_visible_chat(tx, &viewer, chat_id).await?;
    let now = tx.clock_time();
    let present = presences::list_now(tx, chat_id).await?;
    let own = present
        .into_iter()
        .find(|presence| presence.user_id == viewer.actor_id && !lease.is_over(presence, now))
        .ok_or(Refused::NotPresent)?;
    lease.renew(tx, own).await
}
