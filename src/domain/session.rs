//! The state machine of chat sessions: the result of each action in each state, and its permitted callers.

use super::session_action::SessionAction;
use entity::{ActorId, SessionOutcome, SessionState, Timestamp, chat_session};

/// The effect of an action on a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The new state.
    pub to: SessionState,
    /// The outcome, if the session ends.
    pub outcome: Option<SessionOutcome>,
}

/// The caller of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    pub actor_id: ActorId,
    /// Whether the actor is a participant of the session; its creator is one.
    pub is_participant: bool,
    /// Whether the actor is an admin of the organization.
    pub is_admin: bool,
    /// The id of the client's attempt, which distinguishes browser tabs.
    pub request_id: Option<&'a str>,
}

/// The facts about a session that the state machine needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The current state.
    pub state: SessionState,
    /// The actor who created the session.
    pub created_by: ActorId,
    /// The actor who started the session.
    pub started_by: Option<ActorId>,
    /// The actor who accepted the session.
    pub accepted_by: Option<ActorId>,
    /// The `requestId` of the call that accepted it.
    pub accept_request_id: Option<&'a str>,
    /// The actor who rejected the session.
    pub rejected_by: Option<ActorId>,
}

impl<'a> From<&'a chat_session::Model> for Facts<'a> {
    fn from(session: &'a chat_session::Model) -> Self {
        Self {
            state: session.state,
            created_by: session.created_by,
            started_by: session.started_by,
            accepted_by: session.accepted_by,
            accept_request_id: session.accept_request_id.as_deref(),
            rejected_by: session.rejected_by,
        }
    }
}

/// The decision about an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Write this transition.
    Go(Transition),
    /// The caller has taken this action before: return the unchanged session.
    Already,
}

/// The reason for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// The state does not allow the action, to anybody or to this caller.
    State,
    /// The caller is not a participant of this session.
    NotParticipant,
}

/// The transition table. `None` if the action is not possible in the state.
#[must_use]
pub fn transition(from: SessionState, action: SessionAction) -> Option<Transition> {
    use SessionState::{Accepted, Created, Finished, Rejected, Started};
    let over = |to, outcome| Some(Transition { to, outcome: Some(outcome) });
    let on = |to| Some(Transition { to, outcome: None });
    match (from, action) {
        (Created, SessionAction::Start) => on(Started),
        (Started, SessionAction::Accept) => on(Accepted),
        (Created | Started, SessionAction::Reject) => over(Rejected, SessionOutcome::Rejected),
        (Created | Started, SessionAction::Finish) => over(Finished, SessionOutcome::Cancelled),
        (Accepted, SessionAction::Finish) => over(Finished, SessionOutcome::Completed),
        (Created, SessionAction::Accept)
        | (Started, SessionAction::Start)
        | (Accepted, SessionAction::Start | SessionAction::Accept | SessionAction::Reject)
        | (
            Rejected | Finished,
            SessionAction::Start | SessionAction::Accept | SessionAction::Reject | SessionAction::Finish,
        ) => None,
    }
}

/// The transition of an unanswered session when its time is over. `None` if it is not ringing.
#[must_use]
pub fn missed(from: SessionState) -> Option<Transition> {
    let missed = Transition { to: SessionState::Finished, outcome: Some(SessionOutcome::Missed) };
    from.is_ringing().then_some(missed)
}

/// Sets the state, the outcome, and the time and actor of the action.
pub fn stamp(
    session: &mut chat_session::Model,
    action: SessionAction,
    transition: Transition,
    by: Option<ActorId>,
    now: Timestamp,
) {
    (session.state, session.outcome) = (transition.to, transition.outcome);
    let (at, who) = match action {
        SessionAction::Start => (&mut session.started_at, &mut session.started_by),
        SessionAction::Accept => (&mut session.accepted_at, &mut session.accepted_by),
        SessionAction::Reject => (&mut session.rejected_at, &mut session.rejected_by),
        SessionAction::Finish => (&mut session.finished_at, &mut session.finished_by),
    };
    (*at, *who) = (Some(now), by);
    if !transition.to.is_ringing() {
        session.rings_until = None;
    }
}

/// Decides on an action.
///
/// Repeating an action succeeds without a change, even if the session has changed its state since. Finishing
/// a finished session succeeds for every caller who may finish it. With a `requestId`, only a call with the
/// same one counts as a repetition, so that two tabs of one person are told apart.
pub fn decide(session: Facts<'_>, action: SessionAction, caller: Caller<'_>) -> Result<Decision, No> {
    if !may(action, caller) {
        return Err(No::NotParticipant);
    }
    if was_given(session, action, caller) {
        return Ok(Decision::Already);
    }
    match transition(session.state, action) {
        Some(transition) if is_other_side(session, action, caller) => Ok(Decision::Go(transition)),
        Some(_) | None => Err(No::State),
    }
}

/// The actions that would change the session if the caller took them now.
#[must_use]
pub fn possible(session: Facts<'_>, caller: Caller<'_>) -> Vec<SessionAction> {
    SessionAction::ALL
        .into_iter()
        .filter(|action| matches!(decide(session, *action, caller), Ok(Decision::Go(_))))
        .collect()
}

fn may(action: SessionAction, caller: Caller<'_>) -> bool {
    match action {
        SessionAction::Start | SessionAction::Finish => caller.is_participant || caller.is_admin,
        SessionAction::Accept | SessionAction::Reject => caller.is_participant,
    }
}

/// Whether the caller is on the called side. Only that side can accept and reject.
fn is_other_side(session: Facts<'_>, action: SessionAction, caller: Caller<'_>) -> bool {
    match action {
        SessionAction::Start | SessionAction::Finish => true,
        SessionAction::Accept | SessionAction::Reject => {
            session.started_by.unwrap_or(session.created_by) != caller.actor_id
        }
    }
}

fn was_given(session: Facts<'_>, action: SessionAction, caller: Caller<'_>) -> bool {
    let by = |actor: Option<ActorId>| actor == Some(caller.actor_id);
    match action {
        SessionAction::Start => by(session.started_by),
        SessionAction::Accept => {
            by(session.accepted_by)
                && caller.request_id.is_none_or(|request_id| session.accept_request_id == Some(request_id))
        }
        SessionAction::Reject => by(session.rejected_by),
        SessionAction::Finish => session.state == SessionState::Finished,
    }
}
