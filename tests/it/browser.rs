//! GraphiQL in a real browser, from the URLs that the first start prints: the npm project in `tests/browser`, run
//! on the real binary.

use crate::graphiql::{SKIP, is_built};
use std::path::Path;
use std::process::Command;

#[test]
fn two_people_talk_in_graphiql_while_the_server_is_killed() {
    if std::env::var_os(SKIP).is_some() || !is_built() {
        eprintln!("not tested in a browser: {SKIP} is set");
        return;
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    assert!(
        project.join("node_modules").exists(),
        "the npm packages are missing: run scripts/test, or set {SKIP}"
    );
    let output = Command::new("node")
        .arg("run.mjs")
        .current_dir(project)
        .env("ANTEROOM_BIN", env!("CARGO_BIN_EXE_anteroom"))
        .output()
        .expect("node runs");
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}
