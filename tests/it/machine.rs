//! The session state machine against its table, written here a second time and by hand: every state, every
//! action, everybody who may try. Then random lives of a session against a model, and the page in `docs`.

mod model;
mod page;

use anteroom::domain::session::{self, Caller, Decision, Facts, No};
use anteroom::domain::session_action::SessionAction;
use entity::{ActorId, SessionState};
use uuid::Uuid;

/// The caller of an action, by their earlier actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Creator,
    Starter,
    /// The actor who accepted or rejected the session.
    Answerer,
    /// Any other participant.
    Other,
    /// An admin who is not a participant.
    Admin,
    /// A user who is not a participant.
    Stranger,
}

impl Who {
    const ALL: [Self; 6] =
        [Self::Creator, Self::Starter, Self::Answerer, Self::Other, Self::Admin, Self::Stranger];

    fn id(self) -> ActorId {
        ActorId(Uuid::from_u128(self as u128 + 1))
    }

    fn caller(self) -> Caller<'static> {
        Caller {
            actor_id: self.id(),
            is_participant: !matches!(self, Self::Admin | Self::Stranger),
            is_admin: self == Self::Admin,
            request_id: None,
        }
    }

    /// Whether there is such a person in the session.
    fn is_in(self, facts: Facts<'_>) -> bool {
        match self {
            Self::Starter => facts.started_by.is_some(),
            Self::Answerer => facts.accepted_by.or(facts.rejected_by).is_some(),
            Self::Creator | Self::Other | Self::Admin | Self::Stranger => true,
        }
    }
}

/// A session in each situation that it can be in, by the name of the state and, where it matters, how it came
/// there.
fn situation(name: &str) -> Facts<'static> {
    let by = |who: Who| Some(who.id());
    let created = Facts {
        state: SessionState::Created,
        created_by: Who::Creator.id(),
        started_by: None,
        accepted_by: None,
        accept_request_id: None,
        rejected_by: None,
    };
    let started = Facts { state: SessionState::Started, started_by: by(Who::Starter), ..created };
    let accepted = Facts { state: SessionState::Accepted, accepted_by: by(Who::Answerer), ..started };
    match name {
        "CREATED" => created,
        "STARTED" => started,
        "ACCEPTED" => accepted,
        "DECLINED" => Facts { state: SessionState::Rejected, rejected_by: by(Who::Answerer), ..created },
        "REJECTED" => Facts { state: SessionState::Rejected, rejected_by: by(Who::Answerer), ..started },
        "CANCELLED" => Facts { state: SessionState::Finished, ..created },
        "MISSED" => Facts { state: SessionState::Finished, ..started },
        "COMPLETED" => Facts { state: SessionState::Finished, ..accepted },
        _ => panic!("no situation {name}"),
    }
}

/// What comes of it: the new state with its outcome, `same` where it was done before, `no` where the state does
/// not allow it to this caller, `nobody` where the caller is nobody in the session, `-` where there is no such
/// person.
const TABLE: &str = "
    situation  action  creator    starter    answerer   other      admin      stranger

    CREATED    START      STARTED    -          -          STARTED    STARTED    nobody
    CREATED    ACCEPT     no         -          -          no         nobody     nobody
    CREATED    REJECT     no         -          -          REJECTED   nobody     nobody
    CREATED    FINISH     CANCELLED  -          -          CANCELLED  CANCELLED  nobody

    STARTED    START      no         same       -          no         no         nobody
    STARTED    ACCEPT     ACCEPTED   no         -          ACCEPTED   nobody     nobody
    STARTED    REJECT     REJECTED   no         -          REJECTED   nobody     nobody
    STARTED    FINISH     CANCELLED  CANCELLED  -          CANCELLED  CANCELLED  nobody

    ACCEPTED   START      no         same       no         no         no         nobody
    ACCEPTED   ACCEPT     no         no         same       no         nobody     nobody
    ACCEPTED   REJECT     no         no         no         no         nobody     nobody
    ACCEPTED   FINISH     COMPLETED  COMPLETED  COMPLETED  COMPLETED  COMPLETED  nobody

    DECLINED   START      no         -          no         no         no         nobody
    DECLINED   ACCEPT     no         -          no         no         nobody     nobody
    DECLINED   REJECT     no         -          same       no         nobody     nobody
    DECLINED   FINISH     no         -          no         no         no         nobody

    REJECTED   START      no         same       no         no         no         nobody
    REJECTED   ACCEPT     no         no         no         no         nobody     nobody
    REJECTED   REJECT     no         no         same       no         nobody     nobody
    REJECTED   FINISH     no         no         no         no         no         nobody

    CANCELLED  START      no         -          -          no         no         nobody
    CANCELLED  ACCEPT     no         -          -          no         nobody     nobody
    CANCELLED  REJECT     no         -          -          no         nobody     nobody
    CANCELLED  FINISH     same       -          -          same       same       nobody

    MISSED     START      no         same       -          no         no         nobody
    MISSED     ACCEPT     no         no         -          no         nobody     nobody
    MISSED     REJECT     no         no         -          no         nobody     nobody
    MISSED     FINISH     same       same       -          same       same       nobody

    COMPLETED  START      no         same       no         no         no         nobody
    COMPLETED  ACCEPT     no         no         same       no         nobody     nobody
    COMPLETED  REJECT     no         no         no         no         nobody     nobody
    COMPLETED  FINISH     same       same       same       same       same       nobody
";

/// A decision in the words of the table.
fn word(decision: Result<Decision, No>) -> String {
    match decision {
        // The outcome says more than the state, where there is one.
        Ok(Decision::Go(transition)) => match transition.outcome {
            Some(outcome) => upper(outcome),
            None => upper(transition.to),
        },
        Ok(Decision::Already) => "same".to_owned(),
        Err(No::State) => "no".to_owned(),
        Err(No::NotParticipant) => "nobody".to_owned(),
    }
}

/// The name of a state, an outcome or an action as the API has it.
fn upper(name: impl std::fmt::Debug) -> String {
    format!("{name:?}").to_uppercase()
}

fn rows() -> Vec<Vec<&'static str>> {
    let rows = TABLE.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| !row.is_empty()).skip(1).collect()
}

#[test]
fn every_state_action_and_caller_matches_the_table() {
    for row in rows() {
        let [name, action, expected @ ..] = row.as_slice() else { panic!("a short row") };
        let facts = situation(name);
        let action = SessionAction::ALL.into_iter().find(|one| upper(one) == *action).expect("an action");
        for (who, expected) in Who::ALL.into_iter().zip(expected) {
            if !who.is_in(facts) {
                assert_eq!(*expected, "-", "{name} {action:?} {who:?}");
                continue;
            }
            let decided = session::decide(facts, action, who.caller());
            assert_eq!(word(decided), *expected, "{name} {action:?} {who:?}");
            // The buttons are what would change the session.
            let is_shown = session::possible(facts, who.caller()).contains(&action);
            assert_eq!(is_shown, matches!(decided, Ok(Decision::Go(_))), "{name} {action:?} {who:?}");
        }
    }
}

#[test]
fn table_covers_every_state_and_action() {
    let rows = rows();
    for state in <SessionState as sea_orm::Iterable>::iter() {
        for action in SessionAction::ALL {
            let is_there = rows.iter().any(|row| situation(row[0]).state == state && row[1] == upper(action));
            assert!(is_there, "{state:?} {action:?}");
        }
    }
    assert!(rows.iter().all(|row| row.len() == 2 + Who::ALL.len()), "a cell is missing");
}

#[test]
fn outcome_is_set_only_when_over() {
    for state in <SessionState as sea_orm::Iterable>::iter() {
        let given = SessionAction::ALL.into_iter().filter_map(|action| session::transition(state, action));
        for transition in given.chain(session::missed(state)) {
            assert_eq!(transition.to.is_over(), transition.outcome.is_some(), "{state:?}: {transition:?}");
            assert!(!state.is_over(), "{state:?} is the end");
        }
    }
}

#[test]
fn only_ringing_session_can_be_missed() {
    for name in ["CREATED", "ACCEPTED", "REJECTED", "COMPLETED"] {
        assert_eq!(session::missed(situation(name).state), None, "{name}");
    }
    let missed = session::missed(SessionState::Started).map(|end| (upper(end.to), end.outcome.map(upper)));
    assert_eq!(missed, Some(("FINISHED".to_owned(), Some("MISSED".to_owned()))));
}

#[test]
fn admin_who_participates_is_treated_as_participant() {
    for row in rows() {
        let facts = situation(row[0]);
        for action in SessionAction::ALL {
            let admin = Caller { is_admin: true, ..Who::Other.caller() };
            let decided = session::decide(facts, action, admin);
            assert_eq!(decided, session::decide(facts, action, Who::Other.caller()));
        }
    }
}

#[test]
fn any_participant_can_answer_session_started_by_admin() {
    let facts = Facts { started_by: Some(Who::Admin.id()), ..situation("STARTED") };
    for who in [Who::Creator, Who::Starter, Who::Answerer, Who::Other] {
        assert_eq!(word(session::decide(facts, SessionAction::Accept, who.caller())), "ACCEPTED", "{who:?}");
        assert_eq!(word(session::decide(facts, SessionAction::Reject, who.caller())), "REJECTED", "{who:?}");
    }
    assert_eq!(word(session::decide(facts, SessionAction::Start, Who::Admin.caller())), "same");
    assert_eq!(word(session::decide(facts, SessionAction::Accept, Who::Admin.caller())), "nobody");
}

#[test]
fn request_id_distinguishes_tabs_from_retries() {
    let asked = |accepted_with, asks_with| {
        let facts = Facts { accept_request_id: accepted_with, ..situation("ACCEPTED") };
        let caller = Caller { request_id: asks_with, ..Who::Answerer.caller() };
        word(session::decide(facts, SessionAction::Accept, caller))
    };
    assert_eq!(asked(Some("tab 1"), Some("tab 1")), "same");
    assert_eq!(asked(Some("tab 1"), Some("tab 2")), "no");
    assert_eq!(asked(Some("tab 1"), None), "same");
    assert_eq!(asked(None, None), "same");
    assert_eq!(asked(None, Some("tab 2")), "no");
}
