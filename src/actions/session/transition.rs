//! Writes a state transition of a session, with its event and its history entry.

use crate::actions::history::{NewEntry, add_entry, record_session};
use crate::actions::write::refuse_ended;
use crate::actions::{Error, Result};
use crate::domain::change::SessionChange;
use crate::domain::event::SessionRow;
use crate::domain::refused::Refused;
use crate::domain::session::{self, Transition};
use crate::domain::session_action::SessionAction;
use crate::store::{Tx, sessions};
use chrono::TimeDelta;
use entity::{MessageType, actor};

/// A transition to write.
pub(super) struct Change {
    pub action: SessionAction,
    pub transition: Transition,
    pub rings: TimeDelta,
    pub reason: Option<String>,
    pub request_id: Option<String>,
}

/// Writes a transition: one compare-and-set, one event and one history entry.
pub(super) async fn go(
    tx: &mut Tx,
    mut row: SessionRow,
    change: Change,
    actor: Option<&actor::Model>,
) -> Result<SessionRow> {
    let Change { action, transition, rings, reason, request_id } = change;
    let (by, now) = (actor.map(|actor| actor.id), tx.now());
    if action == SessionAction::Start {
        refuse_ended(tx)?;
        if !sessions::list_open_of_each(tx, &[row.session.chat_id]).await?.is_empty() {
            return Err(Refused::SessionOpen.into());
        }
    }
    let from = row.session.state;
    session::stamp(&mut row.session, action, transition, by, now);
    match action {
        SessionAction::Start => row.session.rings_until = Some(tx.clock_time().plus(rings)),
        SessionAction::Accept => row.session.accept_request_id = request_id,
        SessionAction::Reject => row.session.reject_reason = reason,
        SessionAction::Finish => row.session.finish_reason = reason,
    }
    if !sessions::update_from(tx, &mut row.session, from).await? {
        return Err(Error::Failed("a session changed under its chat's lock".into()));
    }
    record_session(tx, SessionChange::Moved(action), &row, by).await?;
    let notice = NewEntry::notice(MessageType::Session, actor);
    add_entry(tx, NewEntry { session: Some(&row), ..notice }, by).await?;
    Ok(row)
}
