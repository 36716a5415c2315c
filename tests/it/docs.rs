//! What the documentation shows: its files are the files, and its operations run.

use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::files::upload;
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::world::{World, text};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const PAGES: [&str; 8] = [
    "README.md",
    "docs/front-end.md",
    "docs/widget.md",
    "docs/operations.md",
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
fn links_lead_to_files() {
    for page in PAGES.iter().chain(&["ARCHITECTURE.md", "CONTRIBUTING.md"]) {
        let folder = Path::new(page).parent().expect("a folder").to_owned();
        let text = read(page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if !path.is_empty() && !path.contains("://") {
                let target = Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder).join(path);
                assert!(target.exists(), "{page} links to {link}");
            }
        }
    }
}

#[test]
fn every_code_of_a_refusal_stands_in_the_readme() {
    let schema = read("schema.graphql");
    let values = schema.split("\nenum UserErrorCode {").nth(1).expect("the codes");
    let values = values.split("\n}").next().expect("their end");
    let codes = values.lines().map(str::trim).filter(|line| {
        !line.is_empty() && line.chars().all(|character| character.is_ascii_uppercase() || character == '_')
    });
    let readme = read("README.md");
    for code in codes {
        assert!(readme.contains(&format!("`{code}`")), "README does not name {code}");
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
    let sent = json!({ "chatId": chat, "text": "Hello" });
    let sent = vera.done("sendMessage", "messageEdge { cursor node { id } }", sent).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let input = json!({ "chatId": chat, "participantIds": [vera.id] });
    let session = olga.done("createChatSession", "chatSession { id }", input).await;
    let page = "query($chat: ID!) { chat(id: $chat) { messages(last: 1) { eventCursor } } }";
    let page = olga.query(page, json!({ "chat": chat })).await;
    let search = "query($chat: ID!) { chat(id: $chat) { searchMessages(query: \"hello\") { pageInfo { endCursor } } } }";
    let hits = olga.query(search, json!({ "chat": chat })).await;
    let file = upload(&olga, &chat, "knee.txt", "text/plain", vec![b'a']).await;
    let odile = world.operator("Odile").await;
    let input = json!({ "participantIds": [odile.id] });
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
async fn what_is_shown_for_curl_is_answered() {
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
