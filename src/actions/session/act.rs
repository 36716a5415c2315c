//! Starts, accepts, rejects and finishes sessions.

use super::input::{check_texts, ring_time};
use super::lock::lock_session;
use super::transition::{Change, go};
use crate::actions::{Actions, Result};
use crate::domain::event::SessionRow;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::session::{self, Decision, Facts, No};
use crate::domain::session_action::SessionAction;
use crate::domain::text;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors};
use entity::SessionId;

/// An action on a session.
#[derive(Clone, Debug)]
pub struct MoveSession {
    /// The session.
    pub session_id: SessionId,
    /// The action.
    pub action: SessionAction,
    /// The reason, for REJECT and FINISH.
    pub reason: Option<String>,
    /// For how many seconds the session rings, for START: 5 to 180.
    pub ring_seconds: Option<i32>,
    /// The id that distinguishes a person's tabs, for ACCEPT.
    pub request_id: Option<String>,
}

impl Actions {
    /// Applies an action to a session. Of concurrent callers, exactly one succeeds.
    pub async fn give_action(&self, viewer: &Viewer, input: MoveSession) -> Result<SessionRow> {
        let permit = self.permit(viewer, Verb::UseSessions)?;
        Ok(permit.write_to(input.session_id, direct, input).await?.value)
    }
}

async fn direct(tx: &mut Tx, viewer: Viewer, input: MoveSession) -> Result<SessionRow> {
    let MoveSession { session_id, action, reason, ring_seconds, request_id } = input;
    check_texts(None, None, reason.as_deref())?;
    let rings = ring_time(ring_seconds)?;
    if let Some(request_id) = &request_id {
        text::external_id("requestId", request_id)?;
    }
    let (row, _) = lock_session(tx, &viewer, session_id).await?;
    let caller = policy::session_caller(&viewer, &row, request_id.as_deref());
    let facts = Facts::from(&row.session);
    let transition = match session::decide(facts, action, caller) {
        Ok(Decision::Go(transition)) => transition,
        Ok(Decision::Already) => return Ok(row),
        Err(No::NotParticipant) => return Err(Refused::NotParticipant.into()),
        Err(No::State) => {
            let allowed = session::possible(facts, caller);
            return Err(Refused::InvalidTransition { from: row.session.state, action, allowed }.into());
        }
    };
    let actor = actors::find_in_organization(tx, viewer.organization_id, viewer.actor_id).await?;
    go(tx, row, Change { action, transition, rings, reason, request_id }, actor.as_ref()).await
}
