//! `docs/session-machine.md` is written from the code. After a change of the machine:
//! `UPDATE_DOCS=1 cargo test --test it machine`.

use super::{Who, situation, upper};
use anteroom::domain::session::{self, Decision, No, Transition};
use anteroom::domain::session_action::SessionAction;
use entity::SessionState;
use std::fmt::Write;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/session-machine.md");

const HEAD: &str = "# The session state machine

<!-- Written from src/domain/session.rs by `UPDATE_DOCS=1 cargo test --test it machine`; do not edit. -->

A session is created, rings, runs and ends. Four actions move it on; the server's own clock ends one that
rings until nobody answered in time. What has ended changes no more.

";

const WHO: &str = "
## Who may what

What each gets for an action, by where the session stands. The creator is a participant; \"answered\" is who
accepted or rejected it. A dash: there is no such person yet.

- **A state, with the outcome of a session that is over**: the action is carried out; `viewerActions` offers it.
- **unchanged**: the caller gave it before, or it is finished already; the same session is answered, so a retry is
  safe. An accept with a `requestId` is a retry only with that same id: two tabs of one person are two.
- **INVALID_TRANSITION**: refused; the payload carries the session as it stands, so a screen can say who was faster.
- **NOT_PARTICIPANT**: refused; for the caller there is nothing to do here.

";

fn page() -> String {
    let mut page = HEAD.to_owned();
    diagram(&mut page);
    states(&mut page);
    page.push_str(WHO);
    callers(&mut page);
    page
}

fn diagram(page: &mut String) {
    page.push_str("```mermaid\nstateDiagram-v2\n    [*] --> CREATED\n");
    for from in all_states() {
        let mut arrow = |transition: Transition, label: &str| {
            let (from, to, outcome) = (upper(from), upper(transition.to), outcome(transition));
            writeln!(page, "    {from} --> {to}: {label}{outcome}").unwrap();
        };
        for action in SessionAction::ALL {
            if let Some(transition) = session::transition(from, action) {
                arrow(transition, &upper(action));
            }
        }
        if let Some(transition) = session::missed(from) {
            arrow(transition, "nobody answers in time");
        }
        if from.is_over() {
            writeln!(page, "    {} --> [*]", upper(from)).unwrap();
        }
    }
    page.push_str("```\n");
}

fn states(page: &mut String) {
    page.push_str("\n## What an action does\n\n| from |");
    for action in SessionAction::ALL {
        write!(page, " {} |", upper(action)).unwrap();
    }
    page.push_str(" not answered in time |\n| --- | --- | --- | --- | --- | --- |\n");
    for from in all_states() {
        let given = SessionAction::ALL.map(|action| session::transition(from, action));
        let cells = given
            .into_iter()
            .chain([session::missed(from)])
            .map(|transition| transition.map_or_else(|| "no".to_owned(), end));
        writeln!(page, "| {} | {} |", upper(from), cells.collect::<Vec<_>>().join(" | ")).unwrap();
    }
}

fn callers(page: &mut String) {
    page.push_str(
        "| it is | action | who created it | who started it | who answered it | another participant \
         | an admin outside it | anybody else |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for name in ["CREATED", "STARTED", "ACCEPTED", "REJECTED", "COMPLETED"] {
        let facts = situation(name);
        for action in SessionAction::ALL {
            let cells = Who::ALL.map(|who| {
                if !who.is_in(facts) {
                    return "–".to_owned();
                }
                match session::decide(facts, action, who.caller()) {
                    Ok(Decision::Go(transition)) => format!("**{}**", end(transition)),
                    Ok(Decision::Already) => "unchanged".to_owned(),
                    Err(No::State) => "INVALID_TRANSITION".to_owned(),
                    Err(No::NotParticipant) => "NOT_PARTICIPANT".to_owned(),
                }
            });
            let state = upper(facts.state);
            writeln!(page, "| {state} | {} | {} |", upper(action), cells.join(" | ")).unwrap();
        }
    }
}

/// The state that a transition comes to, with the outcome where that says more.
fn end(transition: Transition) -> String {
    format!("{}{}", upper(transition.to), outcome(transition))
}

fn outcome(transition: Transition) -> String {
    let outcome = transition.outcome.map(upper).filter(|outcome| *outcome != upper(transition.to));
    outcome.map(|outcome| format!(" ({outcome})")).unwrap_or_default()
}

fn all_states() -> impl Iterator<Item = SessionState> {
    <SessionState as sea_orm::Iterable>::iter()
}

#[test]
fn the_page_in_docs_says_what_the_code_does() {
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, &page).expect("written");
    }
    let written = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        written == page,
        "docs/session-machine.md is not what the code does: UPDATE_DOCS=1 cargo test --test it machine"
    );
}
