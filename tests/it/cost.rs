//! The cost of operations: the most expensive accepted operation stays within the limits of a response and of
//! memory, a more expensive one is refused before it runs, and one caller's spending does not affect others.
#![allow(clippy::format_collect, reason = "a test writes documents as plainly as it can")]

mod budget;
mod cancelling;
#[path = "../../examples/measured/dear.rs"]
mod dear;
mod defaults;
mod refusals;

use crate::harness::binary::{Binary, init};
use crate::harness::client::{Client, error_code};
use crate::harness::socket::Socket;
use crate::harness::world::{organization, text};
use crate::harness::{Engine, TestApp};
use anteroom::graphql::ANSWER_BYTES;
use anteroom::graphql::guard::{DocumentLimits, check};
use dear::{GROWING, dearest};
use serde_json::{Value, json};
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// A chat of a known visitor with an organization's program, full of messages, and who reads it.
struct Full {
    admin: Client,
    vera: Client,
    chat: String,
}

async fn full(url: &str, token: &str, characters: usize, attributes: usize) -> Full {
    let admin = Client::new(url, token);
    let room = admin.done("createRoom", "room { id }", json!({ "name": "Reception" })).await;
    let value = "ä".repeat(900);
    let attributes: Vec<_> =
        (0..attributes).map(|number| json!({ "name": number.to_string(), "value": value })).collect();
    let input = json!({ "externalId": "vera", "displayName": "Vera", "attributes": attributes });
    let visitor = text(&admin.done("upsertVisitor", "visitor { id }", input).await["visitor"]["id"]);
    let token = admin.done("issueToken", "token", json!({ "subject": { "actorId": visitor } })).await;
    let vera = Client::new(url, &text(&token["token"]));
    let chat = vera.done("startChat", "chat { id }", json!({ "roomId": room["room"]["id"] })).await;
    let chat = text(&chat["chat"]["id"]);
    let written = "💬".repeat(characters);
    for _ in 0..22 {
        let sends = (0..5).map(|at| format!("m{at}: sendMessage(input: $input) {{ userErrors {{ code }} }}"));
        let document =
            format!("mutation($input: SendMessageInput!) {{ {} }}", sends.collect::<Vec<_>>().join(" "));
        vera.query(&document, json!({ "input": { "chatId": chat, "text": written } })).await;
    }
    Full { admin, vera, chat }
}

#[tokio::test(flavor = "multi_thread")]
async fn most_expensive_operations_stay_within_limits() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = text(&init(folder.path())["token"]);
    let server = Binary::start(folder.path(), 0);
    let Full { admin, vera, chat } = full(&server.url, &token, 2_000, 50).await;
    for client in [&admin, &vera] {
        for (_, document) in GROWING {
            let (variables, units) = dearest(document, &chat).expect("some of it is accepted");
            assert!(units > 25_000, "{units}: {document}");
            let body = json!({ "query": document, "variables": variables });
            let (before, computed) = (memory(server.id()), cpu(server.id()));
            let answer = client.request().json(&body).send().await.expect("an answer");
            let answer = answer.bytes().await.expect("a body");
            let grown = peak(server.id()).saturating_sub(before);
            let computed = cpu(server.id()).saturating_sub(computed);
            assert!(answer.len() <= ANSWER_BYTES, "{} bytes: {document}", answer.len());
            // Twice the limit, for a debug build and for what the allocator has not given back.
            assert!(grown < 128 * MIB, "{} MiB: {document}", grown / MIB);
            // A build without optimization takes several times as long.
            let most = Duration::from_millis(if cfg!(debug_assertions) { 10_000 } else { 250 });
            assert!(computed <= most, "{computed:?} of CPU time: {document}");
            let answer: Value = serde_json::from_slice(&answer).expect("JSON");
            if answer["data"].is_null() {
                assert_eq!(error_code(&answer), "LIMIT_EXCEEDED", "{document}");
            }
        }
    }
    // The server goes on.
    vera.query("{ viewer { id } }", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_that_do_not_read_hold_few_answers_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = text(&init(folder.path())["token"]);
    let server = Binary::start(folder.path(), 0);
    let Full { admin: _, vera, chat } = full(&server.url, &token, 2_000, 0).await;
    // Each has 1.6 MB.
    let page = "query($id: ID!) { chat(id: $id) { messages(last: 100) { nodes { a: text b: text } } } }";
    // As many at once as an actor may run, so that the server holds what it keeps for good.
    futures_util::future::join_all((0..16).map(|_| vera.query(page, json!({ "id": chat })))).await;
    let before = memory(server.id());
    let mut sockets = Vec::new();
    for _ in 0..5 {
        let mut socket = Socket::connect(&server.url, &vera.token).await;
        for number in 0..40 {
            socket.subscribe(&number.to_string(), page, json!({ "id": chat }), None).await;
        }
        sockets.push(socket);
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    let grown = peak(server.id()).saturating_sub(before);
    assert!(grown < 100 * MIB, "{} MiB", grown / MIB);
    // Whoever reads now gets all of them.
    let mut socket = sockets.pop().expect("a socket");
    let mut completed = 0;
    while completed < 40 {
        let message = socket.receive().await;
        completed += usize::from(message["type"] == "complete");
    }
}

/// The memory of a process now, in bytes; its peak is forgotten.
fn memory(id: u32) -> usize {
    std::fs::write(format!("/proc/{id}/clear_refs"), "5").expect("forgotten");
    of_status(id, "VmRSS:")
}

fn peak(id: u32) -> usize {
    of_status(id, "VmHWM:")
}

/// The CPU time of a process so far. The kernel counts it in hundredths of a second.
fn cpu(id: u32) -> Duration {
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("its status");
    let (_, fields) = status.rsplit_once(')').expect("fields");
    let times = fields.split_whitespace().skip(11).take(2);
    Duration::from_millis(times.map(|time| time.parse::<u64>().expect("a number") * 10).sum())
}

fn of_status(id: u32, name: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_response_is_refused_but_mutation_commits() {
    let app = TestApp::start(Engine::Sqlite).await;
    let (admin, _) = organization(&app, "clinic").await;
    let Full { admin, vera, chat } = full(&app.url, &admin.token, 2_000, 50).await;
    let texts =
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { messages(last: 100) { nodes { text } } } } }";
    let answer = vera.ask(texts, json!({ "ids": vec![&chat; 10] })).await;
    assert_eq!(error_code(&answer), "LIMIT_EXCEEDED");
    assert_eq!(answer.get("data"), None, "nothing of it is sent");
    let whole = vera.query(texts, json!({ "ids": [&chat] })).await;
    assert_eq!(whole["nodes"][0]["messages"]["nodes"].as_array().map(Vec::len), Some(100));

    let attributes = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { messages(last: 60) { nodes {
        sender { ... on Visitor { attributes { name value } } } } } } } }";
    let answer = admin.ask(attributes, json!({ "ids": vec![&chat; 5] })).await;
    assert_eq!(error_code(&answer), "LIMIT_EXCEEDED");

    let document =
        "mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageEdge { node { chat {
        messages(last: 100) { nodes { text a: text b: text c: text d: text e: text f: text } } } } } } }";
    let input = json!({ "chatId": chat, "text": "The last one" });
    let answer = vera.ask(document, json!({ "input": input })).await;
    assert_eq!(error_code(&answer), "LIMIT_EXCEEDED");
    let last = "query($id: ID!) { chat(id: $id) { lastMessage { text } } }";
    let last = vera.query(last, json!({ "id": chat })).await;
    assert_eq!(last["chat"]["lastMessage"]["text"], "The last one");
    app.stop().await;
}

/// The estimated cost of a document, in units.
fn units(document: &str, variables: Value) -> u64 {
    let Value::Object(mut variables) = variables else { return 0 };
    let name = None;
    let checked = check(document, name, &mut variables, false, &DocumentLimits::default());
    checked.expect("it is accepted").cost.units
}

#[tokio::test(flavor = "multi_thread")]
async fn the_introspection_query_of_graphql_js_is_accepted() {
    let script =
        "console.log(require('graphql').getIntrospectionQuery({ descriptions: true, specifiedByUrl: true,
        directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true }))";
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/front-end");
    let output = std::process::Command::new("node").args(["-e", script]).current_dir(folder).output();
    let document = String::from_utf8(output.expect("node").stdout).expect("text");
    assert!(document.contains("ofType"), "the query of graphql-js");
    assert!(units(&document, json!({})) < 25_000);
    let app = TestApp::start(Engine::Sqlite).await;
    let (admin, _) = organization(&app, "clinic").await;
    let schema = admin.query(&document, json!({})).await;
    assert!(schema["__schema"]["types"].as_array().is_some_and(|types| types.len() > 100));
    app.stop().await;
}
