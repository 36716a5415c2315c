//! Ends expired presences.

use super::end::{end_all, say_goodbyes};
use super::lease::Lease;
use crate::actions::{Actions, Result};
use crate::live::Live;
use crate::store::{Tx, presences};
use entity::{ChatId, PresenceEndReason};
use tokio::time::Instant;

impl Actions {
    /// Ends presences whose lease has expired. Runs on the server's clock. Returns the number of chats
    /// examined.
    pub async fn expire_presences(&self) -> Result<usize> {
        let (began, now) = (Instant::now(), self.now());
        let found = presences::chats_with_expired(&self.0.store, now, 100).await;
        self.0.live.has_looked(began, found.is_ok());
        let (chat_ids, lease) = (found?, self.lease());
        if now < lease.none_ends_before {
            return Ok(0);
        }
        for chat_id in &chat_ids {
            let chat_id = *chat_id;
            let live = self.0.live.clone();
            let expired = self.write_to(chat_id, expire, (live, chat_id, lease)).await;
            if let Err(error) = expired {
                tracing::warn!(%chat_id, %error, "could not end the presences of a chat");
            }
        }
        Ok(chat_ids.len())
    }
}

async fn expire(tx: &mut Tx, (live, chat_id, lease): (Live, ChatId, Lease)) -> Result<()> {
    if tx.lock_any_chat(chat_id).await?.is_none() {
        return Ok(());
    }
    let now = tx.clock_time();
    let mut expired = presences::list_now(tx, chat_id).await?;
    expired.retain(|presence| lease.is_over(presence, now) && !live.keeps_alive(presence.user_id, chat_id));
    let gone = end_all(tx, expired, PresenceEndReason::Expired, None).await?;
    say_goodbyes(tx, gone, None).await
}
