//! Ends idle chats.

use super::end::finish;
use crate::actions::history::record_chat;
use crate::actions::{Actions, Result};
use crate::store::{Tx, idle};
use entity::ChatId;

/// Idle chats that are ended at one tick.
const AT_ONCE: u64 = 100;

impl Actions {
    /// Ends the chats in which nothing happened for as long as their room waits: the server's own clock does this.
    /// Answers how many it looked at.
    pub async fn end_idle_chats(&self) -> Result<usize> {
        let idle = idle::list_idle(&self.0.store, self.now(), AT_ONCE).await?;
        for chat_id in &idle {
            let chat_id = *chat_id;
            if let Err(error) = self.write_to(chat_id, end_idle, chat_id).await {
                tracing::warn!(%chat_id, %error, "could not end an idle chat");
            }
        }
        Ok(idle.len())
    }
}

/// Something may have happened while this waited for the chat.
async fn end_idle(tx: &mut Tx, chat_id: ChatId) -> Result<()> {
    if tx.lock_any_chat(chat_id).await?.is_some() && idle::is_idle(tx, chat_id, tx.clock_time()).await? {
        finish(tx, None).await?;
        record_chat(tx, None)?;
    }
    Ok(())
}
