//! What front ends' own clients hold the server to: the npm project in `tests/contract`, run on the real binary.

use std::path::Path;
use std::process::Command;

#[test]
fn the_reference_clients_find_the_protocols_kept() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
    assert!(project.join("node_modules").exists(), "the npm packages are missing: run scripts/test");
    let output = Command::new("node")
        .arg("run.mjs")
        .current_dir(project)
        .env("ANTEROOM_BIN", env!("CARGO_BIN_EXE_anteroom"))
        .output()
        .expect("node runs");
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}
