//! Generates `docs/session-machine.md` from the code. After a change of the state machine, run
//! `UPDATE_DOCS=1 cargo test --test it machine`.

use super::{Who, situation, upper};
use anteroom::domain::session::{self, Decision, No, Transition};
use anteroom::domain::session_action::SessionAction;
use entity::SessionState;
use std::fmt::Write;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/session-machine.md");

const HEAD: &str = "# The chat session state machine

<!-- Generated from src/domain/session.rs by `UPDATE_DOCS=1 cargo test --test it machine`. Do not edit. -->

A chat session is a call or a visit in a chat. It rings for its participants until one of them accepts or rejects it.
Four actions move it from state to state: `startChatSession`, `acceptChatSession`, `rejectChatSession` and
`finishChatSession`. If nobody answers before `ringsUntil`, the server finishes the session with the outcome MISSED. A
session in the state REJECTED or FINISHED never changes again.

";

const WHO: &str = "
## Who can take which action

Each cell shows the result for one caller. The creator, the user who started the session and the one who answered it
(accepted or rejected it) are participants.

- **A state in bold**: the action is allowed and moves the session to this state. `viewerActions` lists the action.
- **unchanged**: the action succeeds but changes nothing, because this caller took it before, or because the session is
  already finished. Retries are safe. An `acceptChatSession` with another `requestId` is not a retry: of two browser tabs
  of one user, one accepts the session and the other gets INVALID_TRANSITION.
- **INVALID_TRANSITION**: the user error for an action that the session's state does not allow. The payload contains the
  session in its current state, for example to show who accepted it first.
- **NOT_PARTICIPANT**: the user error for callers who are not participants.
- A dash: such a caller does not exist in this state.

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
            arrow(transition, "not answered in time");
        }
        if from.is_over() {
            writeln!(page, "    {} --> [*]", upper(from)).unwrap();
        }
    }
    page.push_str("```\n");
}

fn states(page: &mut String) {
    page.push_str(
        "\n## States and actions\n\nEach cell shows the state after the action, with the outcome in parentheses. A dash: \
         the action is not allowed.\n\n| State |",
    );
    for action in SessionAction::ALL {
        write!(page, " {} |", upper(action)).unwrap();
    }
    page.push_str(" Not answered in time |\n| --- | --- | --- | --- | --- | --- |\n");
    for from in all_states() {
        let given = SessionAction::ALL.map(|action| session::transition(from, action));
        let cells = given
            .into_iter()
            .chain([session::missed(from)])
            .map(|transition| transition.map_or_else(|| "–".to_owned(), end));
        writeln!(page, "| {} | {} |", upper(from), cells.collect::<Vec<_>>().join(" | ")).unwrap();
    }
}

fn callers(page: &mut String) {
    page.push_str(
        "| State | Action | Creator | Started it | Answered it | Other participant \
         | Admin, not a participant | User, not a participant |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
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

/// The state after a transition, with the outcome if it differs from the state.
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
fn session_machine_page_matches_the_code() {
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, &page).expect("written");
    }
    let written = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        written == page,
        "docs/session-machine.md differs from the code: run UPDATE_DOCS=1 cargo test --test it machine"
    );
}
