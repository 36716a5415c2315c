//! The documentation: its code samples match the files, and its operations run.

use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::files::upload;
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::world::{World, text};
use anteroom::domain::webhook::{DEFERRED_FOR, FAILING_MOST, LEDGER, PREVIOUS_SECRET, delay_after};
use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const PAGES: [&str; 14] = [
    "README.md",
    "docs/front-end.md",
    "docs/widget.md",
    "docs/webhooks.md",
    "docs/errors.md",
    "docs/configuration.md",
    "docs/operations.md",
    "docs/session-machine.md",
    "docs/versioning.md",
    "docs/vocabulary.md",
    "docs/coming-from/welkin.md",
    "docs/coming-from/giosg.md",
    "docs/coming-from/voipbin.md",
    "docs/coming-from/chat-sessions.md",
];
/// Stands before an operation that is not a user's.
const AS_PROGRAM: &str = "<!-- as API_CLIENT -->";
/// Stands before an operation of the visitor's own.
const AS_VISITOR: &str = "<!-- as VISITOR -->";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of a page: the line before, the language, the text.
fn blocks(page: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut before = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push((before.clone(), language.to_owned(), body.join("\n") + "\n"));
        }
        before = line.to_owned();
    }
    found
}

#[test]
fn a_block_under_the_name_of_a_file_is_that_file() {
    let mut count = 0;
    for page in PAGES {
        for (before, _, body) in blocks(&read(page)) {
            if before == AS_PROGRAM || before == AS_VISITOR {
                continue;
            }
            if let Some(path) = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
                assert_eq!(body, read(path), "{page} shows another {path}");
                count += 1;
            }
        }
    }
    assert!(count >= 7, "only {count} files are shown");
}

#[test]
fn links_lead_to_files_and_headings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in PAGES.iter().chain(&["ARCHITECTURE.md", "CONTRIBUTING.md"]) {
        let folder = Path::new(page).parent().expect("a folder");
        for link in read(page).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { root.join(page) } else { root.join(folder).join(path) };
            assert!(target.exists(), "{page} links to {link}");
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&target).expect("a page");
                assert!(text.lines().any(|line| is_heading(line, anchor)), "{page} links to {link}");
            }
        }
    }
}

/// Whether a line is a heading that GitHub gives this anchor.
fn is_heading(line: &str, anchor: &str) -> bool {
    let Some(name) = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')) else {
        return false;
    };
    let kept = name.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
    kept.collect::<String>().to_lowercase().replace(' ', "-") == anchor
}

/// The names of the headings of the third level below a heading of the second level, without backticks.
fn sections(page: &str, chapter: &str) -> BTreeSet<String> {
    let text = read(page);
    let below = text.split(&format!("\n## {chapter}\n")).nth(1).expect("the chapter");
    let below = below.split("\n## ").next().expect("its end");
    below.lines().filter_map(|line| line.strip_prefix("### ")).map(|name| name.replace('`', "")).collect()
}

/// The values of an enum of the schema.
fn values_of(name: &str) -> BTreeSet<String> {
    let schema = read("schema.graphql");
    let values = schema.split(&format!("\nenum {name} {{")).nth(1).expect("the enum");
    let values = values.split("\n}").next().expect("its end");
    let is_value = |line: &&str| {
        !line.is_empty() && line.chars().all(|character| character.is_ascii_uppercase() || character == '_')
    };
    values.lines().map(str::trim).filter(is_value).map(str::to_owned).collect()
}

/// The Rust sources below a folder, as one text.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).expect("the sources").flatten() {
        if entry.path().is_dir() {
            text.push_str(&sources(&entry.path()));
        } else {
            text.push_str(&std::fs::read_to_string(entry.path()).expect("a source"));
        }
    }
    text
}

#[test]
fn every_error_code_has_a_section() {
    assert_eq!(sections("docs/errors.md", "User errors"), values_of("UserErrorCode"));

    let door = read("src/graphql/door.rs");
    let arms =
        door.split("match self {").nth(1).expect("the codes").split("\n        }").next().expect("their end");
    let codes: BTreeSet<_> =
        arms.split(" => \"").skip(1).filter_map(|arm| arm.split('"').next()).map(str::to_owned).collect();
    assert!(codes.contains("UNAUTHENTICATED") && codes.contains("INTERNAL"), "{codes:?}");
    assert_eq!(sections("docs/errors.md", "GraphQL errors"), codes);
}

#[test]
fn every_http_status_of_an_error_has_a_section() {
    let http = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"));
    let used: BTreeSet<_> = http
        .split("StatusCode::")
        .skip(1)
        .map(|rest| rest.split(|character: char| !character.is_ascii_uppercase() && character != '_').next())
        .map(Option::unwrap_or_default)
        .collect();
    let statuses: BTreeSet<_> = (400..600)
        .filter_map(|status| StatusCode::from_u16(status).ok())
        .filter_map(|status| Some((status, status.canonical_reason()?)))
        .filter(|(_, reason)| used.contains(reason.to_uppercase().replace(' ', "_").as_str()))
        .map(|(status, reason)| format!("{} {reason}", status.as_u16()))
        .collect();
    assert!(statuses.len() >= 16, "{statuses:?}");
    assert_eq!(sections("docs/errors.md", "HTTP statuses"), statuses);
}

#[test]
fn every_close_code_has_a_section() {
    let socket = read("src/http/websocket.rs");
    let codes: BTreeSet<_> = socket
        .split(" => (")
        .skip(1)
        .filter_map(|arm| arm.split(',').next()?.parse::<u16>().ok())
        .map(|code| code.to_string())
        .collect();
    assert!(codes.contains("1012") && codes.contains("4403"), "{codes:?}");
    let described: BTreeSet<_> = sections("docs/errors.md", "WebSocket close codes")
        .iter()
        .map(|name| name.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(described, codes);
}

#[test]
fn every_webhook_event_and_retry_is_described() {
    assert_eq!(sections("docs/webhooks.md", "Events"), values_of("WebhookEvent"));

    let page = read("docs/webhooks.md");
    let rows = page.split("| Attempt |").nth(1).expect("the retries").lines().skip(2);
    let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).collect();
    let retries: Vec<_> = (1..)
        .map_while(|attempts| Some((attempts + 1, delay_after(attempts, 0.0)?)))
        .map(|(attempt, wait)| format!("| {attempt} | {} |", in_words(wait)))
        .collect();
    assert_eq!(rows, retries);
    let prose = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for promise in [
        format!("for {} days", LEDGER.num_days()),
        format!("for {} days", FAILING_MOST.num_days()),
        format!("For {} hours", PREVIOUS_SECRET.num_hours()),
        format!("during the {} hours", DEFERRED_FOR.num_hours()),
    ] {
        assert!(prose.contains(&promise), "{promise}");
    }
}

fn in_words(wait: TimeDelta) -> String {
    match wait.num_seconds() {
        seconds if seconds < 60 => format!("{seconds} seconds"),
        seconds if seconds < 3_600 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3_600),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_runs() {
    let world = World::new(Engine::Sqlite).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    // Some of what is shown is for admins.
    world.admin.done("updateUser", "", json!({ "userId": olga.id, "role": "ADMIN" })).await;
    let chat = world.chat(&vera).await;
    let program = program(&world.app, &world.admin).await;
    let input = json!({ "url": "https://hooks.example.org/", "events": ["CHAT_ENDED"], "apiKey": "key",
        "apiSecret": "secret" });
    let webhook = olga.done("createWebhook", "webhook { id }", input).await;
    let sent = json!({ "chatId": chat, "text": "Hello" });
    let sent = vera.done("sendMessage", "messageEdge { cursor node { id } }", sent).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let input = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } } });
    let session = olga.done("createChatSession", "chatSession { id }", input).await;
    let page = "query($chat: ID!) { chat(id: $chat) { messages(last: 1) { eventCursor } } }";
    let page = olga.query(page, json!({ "chat": chat })).await;
    let search = "query($chat: ID!) { chat(id: $chat) { searchMessages(query: \"hello\") { pageInfo { endCursor } } } }";
    let hits = olga.query(search, json!({ "chat": chat })).await;
    let file = upload(&olga, &chat, "knee.txt", "text/plain", vec![b'a']).await;
    let odile = world.operator("Odile").await;
    let input = json!({ "in": { "participantIds": [odile.id] } });
    let call = olga.done("createChatSession", "chatSession { id }", input).await["chatSession"]["id"].clone();
    let group = json!({ "participantIds": [vera.id] });
    let made =
        async || olga.done("createGroupChat", "chat { id }", group.clone()).await["chat"]["id"].clone();
    let known = json!({
        "file": file,
        "user": odile.id,
        "call": call,
        "group": made().await,
        "doomed": made().await,
        "endCursor": hits["chat"]["searchMessages"]["pageInfo"]["endCursor"],
        "chat": chat,
        "room": world.room,
        "session": session["chatSession"]["id"],
        "visitor": vera.id,
        "patient": "vera",
        "message": sent["messageEdge"]["node"]["id"],
        "hit": sent["messageEdge"]["cursor"],
        "before": page["chat"]["messages"]["eventCursor"],
        "after": page["chat"]["messages"]["eventCursor"],
        "webhook": webhook["webhook"]["id"],
    });
    let mut count = 0;
    for page in PAGES {
        for (before, language, document) in blocks(&read(page)) {
            if language == "graphql" {
                let client = match before.as_str() {
                    AS_PROGRAM => &program,
                    AS_VISITOR => &vera.client,
                    _ => &olga.client,
                };
                run(client, &document, variables(&known, &document)).await;
                count += 1;
            }
        }
    }
    assert!(count >= 6, "only {count} operations are shown");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_samples_succeed() {
    let world = World::new(Engine::Sqlite).await;
    let mut count = 0;
    for page in PAGES {
        for (_, language, script) in blocks(&read(page)) {
            if language == "sh" && script.contains("curl ") {
                let script = script.replace("http://127.0.0.1:8000", &world.app.url);
                let run = Command::new("sh").args(["-c", &script]).env("TOKEN", &world.admin.token).output();
                let said = run.expect("a shell").stdout;
                let answer: Value = serde_json::from_slice(&said).expect("JSON");
                assert!(answer["data"].is_object() && answer.get("errors").is_none(), "{script}: {answer:#}");
                count += 1;
            }
        }
    }
    assert!(count > 0, "nothing is shown for curl");
    world.app.stop().await;
}

/// Values for the variables that a document declares.
fn variables(known: &Value, document: &str) -> Value {
    let is_used = |name: &str| document.contains(&format!("${name}:"));
    let known = known.as_object().expect("an object").iter();
    known.filter(|(name, _)| is_used(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

async fn run(client: &Client, document: &str, variables: Value) {
    if !document.contains("subscription") {
        let data = client.query(document, variables).await;
        for (field, payload) in data.as_object().expect("data") {
            assert!(!payload.is_null(), "{field} of {document}");
            assert!(
                payload.get("userErrors").is_none_or(|errors| *errors == json!([])),
                "{document}: {payload:#}"
            );
        }
        return;
    }
    let mut socket = Socket::connect(&client.url, &client.token).await;
    socket.subscribe("1", document, variables, None).await;
    socket.subscribe("2", "{ viewer { role } }", json!({}), None).await;
    loop {
        let message = socket.receive().await;
        assert_ne!(text(&message["type"]), "error", "{document}: {message:#}");
        if message["type"] == "complete" {
            assert_eq!(message["id"], "2", "{document} ended");
            return;
        }
    }
}
