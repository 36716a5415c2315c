//! Random lives of a session. The model keeps nothing but what happened, and says from that alone what may
//! happen next; the machine must agree at every step.

use anteroom::domain::session::{self, Caller, Decision, Facts, No, Transition};
use anteroom::domain::session_action::SessionAction;
use entity::{ActorId, SessionOutcome, SessionState};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;
use uuid::Uuid;

/// The caller: 0 created the session, 0 to 3 are participants, 3 and 4 are admins, 5 is somebody else.
type Person = u8;
type Tab = Option<&'static str>;

const PEOPLE: u8 = 6;

fn participates(person: Person) -> bool {
    person < 4
}

fn is_admin(person: Person) -> bool {
    person == 3 || person == 4
}

/// Something that is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Try {
    Give(SessionAction, Person, Tab),
    /// The clock says that it rang long enough.
    TimeIsUp,
}

/// The whole model: what happened, in order.
#[derive(Debug, Default)]
struct History(Vec<Try>);

impl History {
    fn has(&self, action: SessionAction) -> bool {
        self.who(action).is_some()
    }

    fn who(&self, action: SessionAction) -> Option<Person> {
        self.0.iter().find_map(|step| match step {
            Try::Give(given, person, _) if *given == action => Some(*person),
            Try::Give(..) | Try::TimeIsUp => None,
        })
    }

    fn is_over(&self) -> bool {
        self.has(SessionAction::Reject) || self.has(SessionAction::Finish) || self.0.contains(&Try::TimeIsUp)
    }

    fn rings(&self) -> bool {
        self.has(SessionAction::Start) && !self.has(SessionAction::Accept) && !self.is_over()
    }

    fn is_same_again(&self, action: SessionAction, person: Person, tab: Tab) -> bool {
        match action {
            SessionAction::Start | SessionAction::Reject => self.who(action) == Some(person),
            SessionAction::Accept => self.0.iter().any(|step| match step {
                Try::Give(SessionAction::Accept, who, with) => {
                    *who == person && (tab.is_none() || tab == *with)
                }
                Try::Give(..) | Try::TimeIsUp => false,
            }),
            SessionAction::Finish => self.is_over() && !self.has(SessionAction::Reject),
        }
    }

    fn is_possible(&self, action: SessionAction, person: Person) -> bool {
        let calls = self.who(SessionAction::Start).unwrap_or(0) == person;
        match action {
            SessionAction::Start => self.0.is_empty(),
            SessionAction::Accept => self.rings() && !calls,
            SessionAction::Reject => !self.is_over() && !self.has(SessionAction::Accept) && !calls,
            SessionAction::Finish => !self.is_over(),
        }
    }

    /// In the words of the table.
    fn answer(&self, action: SessionAction, person: Person, tab: Tab) -> &'static str {
        let admins_too = matches!(action, SessionAction::Start | SessionAction::Finish);
        let has_a_say = participates(person) || (admins_too && is_admin(person));
        if !has_a_say {
            "nobody"
        } else if self.is_same_again(action, person, tab) {
            "same"
        } else if self.is_possible(action, person) {
            "goes"
        } else {
            "no"
        }
    }

    fn state(&self) -> SessionState {
        match self.0.last() {
            None => SessionState::Created,
            Some(Try::Give(SessionAction::Start, ..)) => SessionState::Started,
            Some(Try::Give(SessionAction::Accept, ..)) => SessionState::Accepted,
            Some(Try::Give(SessionAction::Reject, ..)) => SessionState::Rejected,
            Some(Try::Give(SessionAction::Finish, ..) | Try::TimeIsUp) => SessionState::Finished,
        }
    }

    fn outcome(&self) -> Option<SessionOutcome> {
        match self.0.last()? {
            Try::Give(SessionAction::Reject, ..) => Some(SessionOutcome::Rejected),
            Try::Give(SessionAction::Finish, ..) if self.has(SessionAction::Accept) => {
                Some(SessionOutcome::Completed)
            }
            Try::Give(SessionAction::Finish, ..) => Some(SessionOutcome::Cancelled),
            Try::TimeIsUp => Some(SessionOutcome::Missed),
            Try::Give(SessionAction::Start | SessionAction::Accept, ..) => None,
        }
    }
}

/// The session as the machine moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Session {
    facts: Facts<'static>,
    outcome: Option<SessionOutcome>,
}

impl Session {
    fn new() -> Self {
        let facts = Facts {
            state: SessionState::Created,
            created_by: id(0),
            started_by: None,
            accepted_by: None,
            accept_request_id: None,
            rejected_by: None,
        };
        Self { facts, outcome: None }
    }

    fn give(&mut self, action: SessionAction, person: Person, tab: Tab) -> &'static str {
        match session::decide(self.facts, action, caller(person, tab)) {
            Ok(Decision::Go(transition)) => {
                self.move_to(transition);
                let by = Some(id(person));
                match action {
                    SessionAction::Start => self.facts.started_by = by,
                    SessionAction::Accept => {
                        (self.facts.accepted_by, self.facts.accept_request_id) = (by, tab);
                    }
                    SessionAction::Reject => self.facts.rejected_by = by,
                    SessionAction::Finish => {}
                }
                "goes"
            }
            Ok(Decision::Already) => "same",
            Err(No::State) => "no",
            Err(No::NotParticipant) => "nobody",
        }
    }

    fn move_to(&mut self, Transition { to, outcome }: Transition) {
        (self.facts.state, self.outcome) = (to, outcome);
    }
}

fn id(person: Person) -> ActorId {
    ActorId(Uuid::from_u128(u128::from(person) + 1))
}

fn caller(person: Person, tab: Tab) -> Caller<'static> {
    Caller {
        actor_id: id(person),
        is_participant: participates(person),
        is_admin: is_admin(person),
        request_id: tab,
    }
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let action = proptest::sample::select(SessionAction::ALL.to_vec());
    let tab = proptest::sample::select(vec![None, Some("tab 1"), Some("tab 2")]);
    let give = (action, 0..PEOPLE, tab);
    let one = prop_oneof![
        12 => give.prop_map(|(action, person, tab)| Try::Give(action, person, tab)),
        1 => Just(Try::TimeIsUp),
    ];
    proptest::collection::vec(one, 1..24)
}

/// One step on both sides.
fn step(session: &mut Session, history: &mut History, tried: Try) -> Result<(), TestCaseError> {
    let before = *session;
    let has_changed = match tried {
        Try::Give(action, person, tab) => {
            let expected = history.answer(action, person, tab);
            prop_assert_eq!(session.give(action, person, tab), expected);
            expected == "goes"
        }
        Try::TimeIsUp => {
            let missed = session::missed(session.facts.state);
            prop_assert_eq!(missed.is_some(), history.rings());
            if let Some(missed) = missed {
                session.move_to(missed);
            }
            missed.is_some()
        }
    };
    if has_changed {
        prop_assert_eq!(before.outcome, None, "a session that is over never changes");
        history.0.push(tried);
    } else {
        prop_assert_eq!(*session, before, "a refusal and a retry leave everything as it was");
    }
    Ok(())
}

fn check(session: &Session, history: &History) -> Result<(), TestCaseError> {
    prop_assert_eq!(session.facts.state, history.state());
    prop_assert_eq!(session.outcome, history.outcome());
    prop_assert_eq!(session.facts.state.is_over(), session.outcome.is_some(), "one outcome, at the end");
    for person in 0..PEOPLE {
        let shown = session::possible(session.facts, caller(person, None));
        let expected: Vec<_> = SessionAction::ALL
            .into_iter()
            .filter(|action| history.answer(*action, person, None) == "goes")
            .collect();
        prop_assert_eq!(shown, expected, "allowed actions of person {}", person);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn random_sessions_match_model(tries in tries()) {
        let (mut session, mut history) = (Session::new(), History::default());
        for tried in tries {
            step(&mut session, &mut history, tried)?;
            check(&session, &history)?;
        }
        // Each of these happens once at most, and nobody answers their own call.
        prop_assert_eq!(session.facts.started_by, history.who(SessionAction::Start).map(id));
        prop_assert_eq!(session.facts.accepted_by, history.who(SessionAction::Accept).map(id));
        prop_assert_eq!(session.facts.rejected_by, history.who(SessionAction::Reject).map(id));
        assert!(session.facts.accepted_by.is_none() || session.facts.accepted_by != session.facts.started_by);
        assert!(session.facts.accepted_by.is_none() || session.facts.rejected_by.is_none());
    }
}
