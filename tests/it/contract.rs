//! Contracts with front ends: their real clients and compilers, as npm projects, against the server and the
//! documentation.

use std::path::Path;
use std::process::Command;

/// Runs a script of an npm project beside these tests.
fn run(folder: &str, arguments: &[&str]) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    assert!(project.join("node_modules").exists(), "the npm packages are missing: run scripts/test");
    let output = Command::new(arguments[0])
        .args(&arguments[1..])
        .current_dir(project)
        .env("ANTEROOM_BIN", env!("CARGO_BIN_EXE_anteroom"))
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", arguments[0]));
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}

#[test]
fn reference_clients_pass_protocol_tests() {
    run("contract", &["node", "run.mjs"]);
}

#[test]
fn relay_codegen_and_typescript_accept_the_documented_samples() {
    run("front-end", &["npm", "test", "--silent"]);
}
