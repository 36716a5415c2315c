//! GraphiQL and a page with the widget in a real browser: the npm project in `tests/browser`, run
//! on the real binary.

use crate::graphiql::require_page;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

#[test]
fn two_people_talk_in_graphiql_while_the_server_is_killed() {
    run("run.mjs");
}

#[test]
fn graphiql_desk_example_works() {
    run("desk.mjs");
}

#[test]
fn graphiql_group_example_works() {
    run("group.mjs");
}

#[test]
fn widget_works_only_on_allowed_sites() {
    run("widget.mjs");
}

/// A browser and its server at a time: several at once would wait for each other longer than for what they test.
static TURN: Mutex<()> = Mutex::new(());

fn run(script: &str) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    require_page();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    assert!(project.join("node_modules").exists(), "the npm packages are missing: run scripts/test");
    let output = Command::new("node")
        .arg(script)
        .current_dir(project)
        .env("ANTEROOM_BIN", env!("CARGO_BIN_EXE_anteroom"))
        .output()
        .expect("node runs");
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}
