//! Locks a session and its chat.

use crate::actions::write::{Place, lock_visible_chat};
use crate::actions::{Error, Result};
use crate::domain::event::SessionRow;
use crate::domain::policy;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, sessions};
use entity::SessionId;

/// Locks the chat of a session that the viewer sees, and reads the session under the lock.
pub(super) async fn lock_session(
    tx: &mut Tx,
    viewer: &Viewer,
    session_id: SessionId,
) -> Result<(SessionRow, Place)> {
    let not_found = || Error::from(Refused::NotFound { what: "chat session", field: "chatSessionId".into() });
    let found = sessions::find_in_organization(tx, viewer.organization_id, session_id).await?;
    let chat_id = found.ok_or_else(not_found)?.session.chat_id;
    let place = match lock_visible_chat(tx, viewer, chat_id).await {
        Err(Error::Refused(Refused::NotFound { .. })) => return Err(not_found()),
        other => other?,
    };
    let row = sessions::find_in_organization(tx, viewer.organization_id, session_id)
        .await?
        .ok_or_else(not_found)?;
    if policy::sees_session(viewer, &row.participant_ids) { Ok((row, place)) } else { Err(not_found()) }
}
