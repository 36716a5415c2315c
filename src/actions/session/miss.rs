//! Ends sessions that nobody answered.

use super::transition::{Change, go};
use crate::actions::{Actions, Result};
use crate::domain::session;
use crate::domain::session_action::SessionAction;
use crate::store::{Tx, sessions};
use chrono::TimeDelta;
use entity::{ChatId, OrganizationId, SessionId};

impl Actions {
    /// Ends sessions that rang without an answer. Runs on the server's clock. A session that cannot be ended
    /// now is retried later and does not delay the others. Returns the number of sessions examined.
    pub async fn miss_sessions(&self) -> Result<usize> {
        let unanswered = sessions::list_unanswered(&self.0.store, self.now(), 100).await?;
        for (organization_id, chat_id, session_id) in &unanswered {
            let (organization_id, chat_id, session_id) = (*organization_id, *chat_id, *session_id);
            let missed = self.write_to(session_id, miss, (organization_id, chat_id, session_id)).await;
            if let Err(error) = missed {
                tracing::warn!(%session_id, %error, "could not finish a session that nobody answered");
            }
        }
        Ok(unanswered.len())
    }
}

async fn miss(
    tx: &mut Tx,
    (organization_id, chat_id, session_id): (OrganizationId, ChatId, SessionId),
) -> Result<()> {
    tx.lock_chat(organization_id, chat_id).await?;
    let Some(row) = sessions::find_in_organization(tx, organization_id, session_id).await? else {
        return Ok(());
    };
    let is_due = row.session.rings_until.is_some_and(|rings_until| rings_until <= tx.clock_time());
    let Some(transition) = session::missed(row.session.state).filter(|_| is_due) else { return Ok(()) };
    let change = Change {
        action: SessionAction::Finish,
        transition,
        rings: TimeDelta::zero(),
        reason: None,
        request_id: None,
    };
    go(tx, row, change, None).await?;
    Ok(())
}
