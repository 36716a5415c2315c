//! Ends idle chats.

use super::end::finish;
use crate::actions::history::record_chat;
use crate::actions::{Actions, Result};
use crate::store::{Tx, idle};
use entity::ChatId;

/// The maximum number of chats ended per tick.
const AT_ONCE: u64 = 100;

impl Actions {
    /// Ends chats that were idle for longer than their room allows. Runs on the server's clock. Returns the
    /// number of chats examined.
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

/// Ends one chat if it is still idle: there may have been activity while this waited for the lock.
async fn end_idle(tx: &mut Tx, chat_id: ChatId) -> Result<()> {
    if tx.lock_any_chat(chat_id).await?.is_some() && idle::is_idle(tx, chat_id, tx.clock_time()).await? {
        finish(tx, None).await?;
        record_chat(tx, None)?;
    }
    Ok(())
}
