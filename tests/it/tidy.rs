//! The rules of the code base: which module may import which, which crates a module may name, and how large a
//! file may be. They are checked on the sources.

mod imports;

use self::imports::Imports;
use std::path::{Path, PathBuf};

/// The layers of `src`, from the rules to the door: each may name those above it and itself.
const LAYERS: [&[&str]; 7] =
    [&["domain"], &["store"], &["live"], &["delivery", "files"], &["actions"], &["graphql"], &["http"]];

/// The modules beside the layers, which use all of them or are used by all of them.
const BESIDE: [&str; 9] = ["app", "cli", "clock", "config", "demo", "lib", "main", "telemetry", "workers"];

/// The types of the API refer to each other, as the schema does: a chat has messages, and a message its chat.
const TYPES: [&str; 10] = [
    "actor",
    "attachment",
    "cart",
    "chat",
    "message",
    "organization",
    "participation",
    "presence",
    "room",
    "session",
];

/// A crate, and the only places that may name it.
const OWNERS: [(&str, &[&str]); 18] = [
    ("sea_orm", &["entity/src", "migration/src", "src/store"]),
    ("sea_orm_migration", &["migration/src"]),
    ("axum", &["src/http"]),
    ("hyper", &["src/delivery", "src/http"]),
    ("tungstenite", &["src/http"]),
    ("tokio_rustls", &["src/delivery", "src/files"]),
    ("object_store", &["src/files"]),
    ("image", &["src/files", "src/demo"]),
    ("infer", &["src/files"]),
    ("rustix", &["src/files", "src/http"]),
    ("percent_encoding", &["src/http"]),
    ("async_graphql", &["src/graphql", "src/http"]),
    ("async_nats", &["src/live"]),
    ("governor", &["src/http"]),
    ("jsonwebtoken", &["src/actions"]),
    ("rustls", &["src/delivery", "src/files"]),
    ("entity", &["src", "tests"]),
    ("playground", &["src/http"]),
];

/// Longer than this, a file is two things.
const MOST_LINES: usize = 500;

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The code without comments, where a name is only mentioned.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter(|line| !line.trim_start().starts_with("//"))
    }

    fn names_crate(&self, name: &str) -> bool {
        let (path, import) = (format!("{name}::"), format!("use {name};"));
        self.code().any(|line| {
            line.contains(&import)
                || line.match_indices(&path).any(|(at, _)| {
                    !line[..at]
                        .ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
                })
        })
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["entity/src", "migration/src", "playground/src", "src", "tests/it"] {
        collect(&root.join(folder), &mut found);
    }
    let mut sources: Vec<_> = found
        .into_iter()
        .map(|path| Source {
            text: std::fs::read_to_string(&path).expect("a source"),
            path: path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned(),
        })
        .collect();
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The imports of `src`.
fn imports(sources: &[Source]) -> Imports {
    let below_src = |source: &'_ Source| source.path.strip_prefix("src/").map(str::to_owned);
    let found: Vec<_> = sources.iter().filter_map(|one| Some((below_src(one)?, one.text.as_str()))).collect();
    Imports::of(found.iter().map(|(path, text)| (path.as_str(), *text)))
}

fn top(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn report(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn each_layer_names_only_those_above_it() {
    let mut broken = Vec::new();
    for (from, to) in imports(&sources()).all() {
        let Some(own_layer) = layer(top(from)) else { continue };
        let is_fine = match layer(top(to)) {
            Some(other) => other <= own_layer,
            None => top(to) == "clock" || !BESIDE.contains(&top(to)),
        };
        if !is_fine {
            broken.push(format!("{from} names {to}, which stands below it"));
        }
    }
    report(&broken);
}

#[test]
fn modules_do_not_import_each_other_in_a_cycle() {
    let sources = sources();
    let imports = imports(&sources);
    let is_type = |module: &&str| {
        let mut parts = module.split("::");
        parts.next() == Some("graphql") && parts.next().is_some_and(|part| TYPES.contains(&part))
    };
    let broken: Vec<_> = imports
        .cycles()
        .into_iter()
        .filter(|cycle| !cycle.iter().all(is_type))
        .map(|cycle| format!("{} import each other", cycle.join(", ")))
        .collect();
    report(&broken);
}

#[test]
fn a_crate_is_named_only_where_it_belongs() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.path.starts_with("tests/")) {
        for (name, owners) in OWNERS {
            let is_owner = owners.iter().any(|owner| source.path.starts_with(owner));
            if source.names_crate(name) && !is_owner {
                broken.push(format!("{} names {name}", source.path));
            }
        }
    }
    report(&broken);
}

/// The only places of `src` that name a role: the rules, and what makes a viewer out of a row.
const ROLES: [&str; 2] = ["src/domain/policy/", "src/domain/viewer.rs"];

#[test]
fn only_the_policy_names_roles() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        if ROLES.iter().any(|place| source.path.starts_with(place)) {
            continue;
        }
        for line in source.code().filter(|line| line.contains("ViewerRole::")) {
            broken.push(format!("{} decides by role, as only the policy may: {}", source.path, line.trim()));
        }
    }
    report(&broken);
}

#[test]
fn only_clock_and_config_read_time_and_environment() {
    let sources_of = [
        ("Utc::now", "src/clock.rs"),
        ("SystemTime::now", "src/clock.rs"),
        ("Uuid::now_v7", "src/clock.rs"),
        ("std::env::var", "src/config.rs"),
        ("env::vars", "src/config.rs"),
    ];
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        for (call, owner) in sources_of {
            if source.path != owner && source.code().any(|line| line.contains(call)) {
                broken.push(format!("{} calls {call}", source.path));
            }
        }
    }
    report(&broken);
}

/// The only places of `src` that name a kind of event: the stored form of a change, a query, and a test of a damaged log.
const EVENT_KINDS: [&str; 3] = ["src/domain/change.rs", "src/live/tests.rs", "src/store/feed.rs"];

#[test]
fn event_kinds_are_named_only_where_the_log_is_stored() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        if !EVENT_KINDS.contains(&&*source.path) && source.code().any(|line| line.contains("EventKind::")) {
            broken.push(format!("{} names a kind of event: match on the change instead", source.path));
        }
    }
    report(&broken);
}

#[test]
fn files_have_headers_and_limited_length() {
    let mut broken = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > MOST_LINES {
            broken.push(format!("{} has {lines} lines: it is two things", source.path));
        }
        if !source.text.starts_with("//!") {
            broken.push(format!("{} does not say what it is for", source.path));
        }
        if source.path == "tests/it/tidy.rs" {
            continue;
        }
        for unfinished in ["TODO", "FIXME", "todo!(", "unimplemented!(", "#[ignore"] {
            if source.text.contains(unfinished) {
                broken.push(format!("{} has a {unfinished}", source.path));
            }
        }
    }
    report(&broken);
}

#[test]
fn no_lock_file_names_a_registry() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let projects: Vec<_> =
        ["playground/page", "tests/browser", "tests/contract"].map(|path| root.join(path)).into();
    for project in projects {
        let lock = std::fs::read_to_string(project.join("package-lock.json")).expect("a lock file");
        assert!(!lock.contains("\"resolved\""), "{}: see its .npmrc", project.display());
    }
}
