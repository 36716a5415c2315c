//! Tenant isolation of the store. A function of `src/store` that reads rows takes an organization or a viewer, or it
//! is listed here with the reason why it needs none. `ARCHITECTURE.md` explains the reasons.

use std::collections::BTreeMap;
use std::path::Path;

/// The keys belong to rows that the caller has read within the viewer's organization and checked against the policy, or
/// to the chat or actor that the caller's transaction has locked.
const CHECKED_BEFORE: &[&str] = &[
    "carts::products_of_each",
    "chats::list_recent_of_visitor",
    "deliveries::list_of_each",
    "idle::is_idle",
    "members::among",
    "members::list_of_each",
    "members::list_of_each_actor",
    "messages::find_by_external_id",
    "messages::find_last_before",
    "messages::find_last_counted",
    "messages::find_last_public",
    "messages::find_many",
    "messages::list_around",
    "messages::list_of_each",
    "own_views::explain_of_actor",
    "own_views::list_of_actor",
    "participations::find_of_actor",
    "participations::list_actors_of_each",
    "participations::list_now",
    "participations::list_of_each",
    "participations::ties_of",
    "participations::unread_of_each",
    "presences::find_last_of_user",
    "presences::list_now",
    "presences::list_of_each",
    "reactions::count_of_each",
    "revisions::count",
    "revisions::list_of_each",
    "sessions::chats_with_open",
    "sessions::list_not_over",
    "sessions::list_of_each",
    "sessions::list_open_of_each",
];

/// The keys may come from a client. The caller drops rows whose chat or cart the viewer may not see.
const CHECKED_AFTER: &[&str] = &[
    "carts::find_products",
    "messages::find_many_by_id",
    "participations::find_many",
    "presences::find_many",
];

/// Reads what belongs to one actor: the caller, or an actor that the caller has checked.
const OF_ONE_ACTOR: &[&str] = &[
    "attachments::count_unsent",
    "own_views::changed_since",
    "participations::list_of_actor",
    "participations::unread_of_actor",
    "presences::all_chats_of_user",
    "presences::chats_of_user",
    "principals::with_current_rooms",
    "requests::find",
];

/// Reads what open streams and connections on this node follow. They were checked when they were opened, and each
/// reader checks every row before it sends it.
const OPEN_STREAMS: &[&str] = &[
    "connected::auth_versions",
    "connected::principals_by_id",
    "connected::renew_presences",
    "connected::seen",
    "feed::rosters_of_each",
    "log::heads",
    "log::messages_after",
    "log::participations_since",
    "log::read",
    "log::time_of",
    "own_views::changed_of_actors",
    "own_views::find_many",
    "participations::find",
    "presences::find",
    "presences::list_now_of_many",
];

/// Runs before the organization is known: the key is a credential, or says which sites may present one.
const AUTHENTICATION: &[&str] = &[
    "attachments::find_file",
    "rooms::find_by_widget_key",
    "rooms::is_origin_allowed",
    "sign_ins::actor_of_token",
    "sign_ins::find",
    "sign_ins::find_refresh",
];

/// Background work over all organizations, the start of the server, and the command line. No request of the API is
/// answered with what is read here.
const SERVER: &[&str] = &[
    "attachments::list_removed",
    "attachments::list_unsent",
    "deliveries::claim",
    "departures::chats_to_leave",
    "departures::list_due",
    "idle::list_idle",
    "organizations::find_by_names",
    "organizations::is_any",
    "presences::chats_with_expired",
    "sessions::list_unanswered",
    "tx::lock_any_chat",
    "webhooks::list_deleted",
    "webhooks::list_due",
    "webhooks::lock_any",
];

/// Parameters by which a function knows the organization.
const SCOPES: [&str; 3] = ["OrganizationId", "&Viewer", "&Scope<"];

/// Functions that take an organization or a viewer and do not filter by the organization: they read the senders of
/// messages with it, or leave out what the viewer may not see.
const NOT_FILTERED: [&str; 8] = [
    "log::messages_after",
    "members::list_of_each_actor",
    "messages::find_by_external_id",
    "messages::find_many",
    "messages::find_many_by_id",
    "participations::list_of_each",
    "principals::with_current_rooms",
    "sessions::list_of_each",
];

/// The functions of the store that read rows, with their parameters, by `module::name`.
fn reads() -> BTreeMap<String, String> {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut reads = BTreeMap::new();
    collect(&store, "", &mut reads);
    assert!(reads.len() > 100, "only {} reads were found", reads.len());
    reads
}

fn collect(folder: &Path, module: &str, reads: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, &format!("{module}{name}::"), reads);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            for (function, parameters) in functions(&text) {
                if is_read(function, parameters) {
                    reads.insert(format!("{module}{name}::{function}"), parameters.to_owned());
                }
            }
        }
    }
}

/// The public async functions of a source with their parameters, those for tests left out.
fn functions(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for start in ["pub async fn ", "pub(crate) async fn "] {
        for (at, _) in text.match_indices(start) {
            if text[..at].trim_end().ends_with("#[cfg(test)]") {
                continue;
            }
            let rest = &text[at + start.len()..];
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            found.push((name, parameters(&rest[name.len()..])));
        }
    }
    found
}

/// The text between the parentheses of a function.
fn parameters(text: &str) -> &str {
    let open = text.find('(').expect("parameters");
    let mut depth = 0;
    for (at, character) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[open + 1..at];
        }
    }
    panic!("the parameters do not end: {text}");
}

/// Whether a function reads rows: from the store, from whatever has rows, or under a lock. Other functions of the store
/// write rows that their caller has read.
fn is_read(name: &str, parameters: &str) -> bool {
    ["&impl Rows", "&Store"].iter().any(|source| parameters.contains(source))
        || ["lock_", "claim"].iter().any(|start| name.starts_with(start))
}

fn is_scoped(name: &str, parameters: &str) -> bool {
    SCOPES.iter().any(|scope| parameters.contains(scope)) && !NOT_FILTERED.contains(&name)
}

fn reasons() -> impl Iterator<Item = &'static str> {
    [CHECKED_BEFORE, CHECKED_AFTER, OF_ONE_ACTOR, OPEN_STREAMS, AUTHENTICATION, SERVER]
        .into_iter()
        .flatten()
        .copied()
}

#[test]
fn a_read_is_scoped_by_organization_or_has_a_reason() {
    let unexplained: Vec<_> = reads()
        .into_iter()
        .filter(|(name, parameters)| !is_scoped(name, parameters) && !reasons().any(|listed| listed == name))
        .map(|(name, _)| format!("{name} takes no organization and has no reason in tests/it/scoping.rs"))
        .collect();
    assert!(unexplained.is_empty(), "\n{}\n", unexplained.join("\n"));
}

#[test]
fn a_reason_belongs_to_one_read_that_needs_it() {
    let reads = reads();
    let mut broken = Vec::new();
    for name in reasons() {
        if reasons().filter(|other| *other == name).count() > 1 {
            broken.push(format!("{name} has two reasons"));
        }
        match reads.get(name) {
            None => broken.push(format!("{name} does not exist")),
            Some(parameters) if is_scoped(name, parameters) => {
                broken.push(format!("{name} is scoped by organization and needs no reason"));
            }
            Some(_) => {}
        }
    }
    for name in NOT_FILTERED {
        if !reads.get(name).is_some_and(|parameters| SCOPES.iter().any(|scope| parameters.contains(scope))) {
            broken.push(format!("{name} does not exist or takes no organization"));
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn parameters_end_where_their_parentheses_do() {
    let text = "(rows: &impl Rows, query: Option<(&str, Matching)>) -> Result<OrganizationId> { (1) }";
    assert_eq!(parameters(text), "rows: &impl Rows, query: Option<(&str, Matching)>");
}
