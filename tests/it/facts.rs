//! The tables of the migration guides: every fact has a row, and every test that a row names exists.

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

#[test]
fn every_row_names_tests_that_are_there() {
    for (page, _) in PAGES {
        for (facts, held) in rows(page) {
            let is_missing = held.starts_with("not yet: ");
            assert!(is_missing || tests(&held).next().is_some(), "{page}: nothing holds {facts:?}");
            for test in tests(&held) {
                let (module, name) = test.rsplit_once("::").expect("a path");
                let file = format!("tests/it/{}.rs", module.replace("::", "/"));
                let source = read(&file).unwrap_or_else(|| panic!("{page}: there is no {file}"));
                assert!(source.contains(&format!("fn {name}(")), "{page}: there is no {test}");
            }
        }
    }
}
