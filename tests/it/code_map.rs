//! The modules, types and functions that `ARCHITECTURE.md` names exist.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The code spans of the page, outside of fenced blocks.
fn spans(page: &str) -> Vec<String> {
    page.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether a path such as `live::hub::Hint` leads to a module in the folder and to what that defines.
fn resolves(folder: &Path, path: &str) -> bool {
    let names: Vec<_> = path.split("::").collect();
    for count in (1..=names.len()).rev() {
        let module = folder.join(names[..count].join("/"));
        for file in [module.with_extension("rs"), module.join("mod.rs")] {
            if let Ok(text) = std::fs::read_to_string(file) {
                return names[count..].iter().all(|name| defines(&text, name));
            }
        }
    }
    false
}

fn defines(text: &str, name: &str) -> bool {
    ["fn", "struct", "enum", "type", "trait"].iter().any(|kind| text.contains(&format!("{kind} {name}")))
}

#[test]
fn modules_and_files_that_the_architecture_names_exist() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page");
    let source = root().join("src");
    // Paths within the store are written without it where the text is about the store.
    let folders = [source.clone(), source.join("store")];
    let (mut broken, mut count) = (Vec::new(), 0);
    for span in spans(&page) {
        let exists = if span.starts_with("src/") || span.starts_with("tests/") {
            let path = root().join(&span);
            path.exists() || path.with_extension("rs").exists()
        } else if span.contains("::") && span.starts_with(|first: char| first.is_ascii_lowercase()) {
            folders.iter().any(|folder| resolves(folder, &span))
        } else {
            continue;
        };
        count += 1;
        if !exists {
            broken.push(span);
        }
    }
    assert!(count > 50, "only {count} paths were found");
    assert!(broken.is_empty(), "ARCHITECTURE.md names missing paths: {broken:#?}");
}

#[test]
fn missing_path_is_detected() {
    let source = root().join("src");
    assert!(resolves(&source, "live::hub"));
    assert!(resolves(&source, "live::hub::Hint"));
    assert!(!resolves(&source, "live::hub::Nothing"));
    assert!(!resolves(&source, "nowhere::hub"));
}
