//! The state machine of chat sessions: the result of each action in each state, and the callers who may take
//! it.

use super::session_action::SessionAction;
use entity::{ActorId, SessionOutcome, SessionState, Timestamp, chat_session};

/// The effect of an action on a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state it comes to.
    pub to: SessionState,
    /// The outcome, if the session is then over.
    pub outcome: Option<SessionOutcome>,
}

/// The caller of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The actor.
    pub actor_id: ActorId,
    /// Whether the actor is a participant of the session; its creator is one.
    pub is_participant: bool,
    /// Whether the actor is an admin of the organization.
    pub is_admin: bool,
    /// The id of the client's attempt, which tells one browser tab from another.
    pub request_id: Option<&'a str>,
}

/// The facts about a session that the state machine needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The current state.
    pub state: SessionState,
    /// The actor who created the session.
    pub created_by: ActorId,
    /// The actor who started it.
    pub started_by: Option<ActorId>,
    /// The actor who accepted it.
    pub accepted_by: Option<ActorId>,
    /// The `requestId` of the call that accepted it.
    pub accept_request_id: Option<&'a str>,
    /// The actor who rejected it.
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
    /// Write this.
    Go(Transition),
    /// The caller took this action before: answer with the unchanged session.
    Already,
}

/// The reason for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// The state does not allow it, to anybody or to this caller.
    State,
    /// The caller is nobody in this session.
    NotParticipant,
}

/// The table. `None` where the action is not possible in the state.
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

/// Writes the state, the outcome, and the action's At and By.
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
/// A action that the caller gave before succeeds unchanged, also when the session has moved on since;
/// finishing what is finished succeeds for everybody who may finish. With a `requestId`, only the call that
/// carried the same one counts as given before: two tabs of one person are two.
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

/// The actions that would change the session if the caller gave them now.
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

/// Accepting and rejecting is for those who are called, not for the one who calls.
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
