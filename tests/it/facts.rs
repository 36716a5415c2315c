//! The tables of facts in the migration guides: every fact has a row, and every row names tests that exist and assert.

mod chat_sessions;
mod giosg;
mod giosg_report;
mod voipbin;
mod welkin;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;

/// The pages, with the facts of each.
const PAGES: [(&str, RangeInclusive<u32>); 4] = [
    ("welkin.md", 1..=55),
    ("giosg.md", 56..=130),
    ("voipbin.md", 131..=150),
    ("chat-sessions.md", 151..=177),
];

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// The rows of the last table of a page: the numbers, and what holds them.
fn rows(page: &str) -> Vec<(Vec<u32>, String)> {
    let text = read(&format!("docs/coming-from/{page}")).expect("the page");
    let table = text.split("| Facts | Test |\n| --- | --- |\n").nth(1).expect("the table");
    let rows = table.lines().take_while(|line| line.starts_with('|')).map(|line| {
        let (facts, held) = line.trim_matches('|').split_once('|').expect("two cells");
        let facts = facts.split(',').map(|fact| fact.trim().parse().expect("a number")).collect();
        (facts, held.trim().to_owned())
    });
    rows.collect()
}

/// The tests that a cell names.
fn tests(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2).filter(|name| name.contains("::"))
}

#[test]
fn every_fact_has_a_row() {
    for (page, facts) in PAGES {
        let held: BTreeSet<_> = rows(page).into_iter().flat_map(|(facts, _)| facts).collect();
        let missing: Vec<_> = facts.clone().filter(|fact| !held.contains(fact)).collect();
        assert!(missing.is_empty(), "{page} has no row for {missing:?}");
        assert!(held.iter().all(|fact| facts.contains(fact)), "{page} has facts of another page");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coming-from");
    for entry in std::fs::read_dir(folder).expect("the pages").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(PAGES.iter().any(|(page, _)| *page == name), "the facts of {name} are not checked");
    }
}

/// The body of a function or method, without comments.
fn body(source: &str, name: &str) -> Option<String> {
    let at = source.find(&format!("fn {name}("))?;
    let line = source[..at].rfind('\n').map_or(0, |end| end + 1);
    let indent = source[line..].chars().take_while(|letter| *letter == ' ').count();
    let body = source[at..].split(&format!("\n{}}}\n", " ".repeat(indent))).next()?;
    let lines = body.lines().skip(1).filter(|line| !line.trim_start().starts_with("//"));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// Whether a function of a file asserts something, directly or in a function of the same file that it calls.
fn asserts(source: &str, name: &str, seen: &mut BTreeSet<String>) -> bool {
    let Some(body) = body(source, name) else { return false };
    if body.contains("assert!(") || body.contains("assert_eq!(") || body.contains("assert_ne!(") {
        return true;
    }
    let names = source.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
    let called = names.filter(|called| body.contains(&format!("{called}(")));
    called
        .collect::<BTreeSet<_>>()
        .into_iter()
        .any(|called| seen.insert(called.to_owned()) && asserts(source, called, seen))
}

#[test]
fn every_row_names_tests_that_assert_its_facts() {
    for (page, _) in PAGES {
        for (facts, held) in rows(page) {
            assert!(tests(&held).next().is_some(), "{page}: no test asserts {facts:?}");
            for test in tests(&held) {
                let (module, name) = test.rsplit_once("::").expect("a path");
                let file = format!("tests/it/{}.rs", module.replace("::", "/"));
                let source = read(&file).unwrap_or_else(|| panic!("{page}: there is no {file}"));
                let is_run = source.contains(&format!("#[test]\nfn {name}("))
                    || source
                        .split("on_both!(")
                        .nth(1)
                        .is_some_and(|list| list.split(')').next().is_some_and(|list| list.contains(name)))
                    || source.contains(&format!("]\nasync fn {name}("));
                assert!(is_run, "{page}: {test} is not a test");
                assert!(asserts(&source, name, &mut BTreeSet::new()), "{page}: {test} asserts nothing");
            }
        }
    }
}

#[test]
fn fact_tests_must_assert() {
    let source = "\nasync fn empty() {\n    // assert!(true);\n    call();\n}\n\nfn call() {\n    f();\n}\n
async fn full() {\n    check();\n}\n\nfn check() {\n    assert!(true);\n}\n";
    assert!(!asserts(source, "empty", &mut BTreeSet::new()));
    assert!(!asserts(source, "missing", &mut BTreeSet::new()));
    assert!(asserts(source, "full", &mut BTreeSet::new()));
}
