//! GraphiQL as a browser gets it: its headers, its files, and its examples, each of which is run.

use crate::harness::Engine;
use crate::harness::files::{png, put};
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, text};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Fails without a page to test: a test that is skipped must not count as passed.
pub fn require_page() {
    if let Some(reason) = playground::MISSING {
        panic!("no GraphiQL: {reason}; to run the other tests, add `-- --skip graphiql:: --skip browser::`");
    }
}

async fn get(url: String) -> Response {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    client.expect("a client").get(url).header("accept-encoding", "gzip").send().await.expect("an answer")
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn root_redirects_to_graphiql() {
    require_page();
    let world = World::new(Engine::Sqlite).await;
    let root = get(format!("{}/", world.app.url)).await;
    assert_eq!((root.status(), header(&root, "location")), (StatusCode::TEMPORARY_REDIRECT, "/graphiql"));
    let page = get(format!("{}/graphiql", world.app.url)).await;
    // Relative, so that it also holds behind a proxy that puts a path before it.
    assert_eq!((page.status(), header(&page, "location")), (StatusCode::TEMPORARY_REDIRECT, "graphiql/"));
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_comes_with_a_strict_policy_and_the_right_lifetime() {
    require_page();
    let world = World::new(Engine::Sqlite).await;
    for file in playground::FILES {
        let path = if file.path == "index.html" { "" } else { file.path };
        let answer = get(format!("{}/graphiql/{path}", world.app.url)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(header(&answer, "content-type"), file.media_type(), "{path}");
        assert_eq!(header(&answer, "content-encoding"), "gzip", "{path}");
        assert!(answer.headers().get_all("vary").iter().any(|value| value == "accept-encoding"), "{path}");
        let lifetime = if path.is_empty() { "no-store" } else { "public, max-age=31536000, immutable" };
        assert_eq!(header(&answer, "cache-control"), lifetime, "{path}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header(&answer, "set-cookie"), "", "{path}");
        let policy: BTreeSet<_> = header(&answer, "content-security-policy").split("; ").collect();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self' blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{path}: no {rule} in {policy:?}");
        }
        assert_eq!(answer.bytes().await.expect("a body"), file.gzipped, "{path}");
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_no_gzip_gets_the_page_as_it_is() {
    require_page();
    let world = World::new(Engine::Sqlite).await;
    let answer = reqwest::get(format!("{}/graphiql/", world.app.url)).await.expect("an answer");
    assert_eq!(header(&answer, "content-encoding"), "");
    let page = answer.text().await.expect("text");
    assert!(page.starts_with("<!doctype html>"), "{page}");
    assert!(!page.contains("http://") && !page.contains("https://"), "no address of elsewhere: {page}");
    assert_eq!(
        page.matches("<script").count(),
        page.matches(" src=\"./").count(),
        "no inline script: {page}"
    );
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_graphiql_paths_are_404() {
    require_page();
    let world = World::new(Engine::Sqlite).await;
    for path in ["nope", "assets/", "assets/nope.js", "%2e%2e/Cargo.toml", "..%2fCargo.toml", "index.html/"] {
        let answer = get(format!("{}/graphiql/{path}", world.app.url)).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let url = format!("{}/graphiql/", world.app.url);
    let posted = reqwest::Client::new().request(Method::POST, url).send().await.expect("an answer");
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
    world.app.stop().await;
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("playground/page/src/examples")
}

fn example(name: &str) -> String {
    std::fs::read_to_string(examples().join(format!("{name}.graphql"))).expect("an example")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_page_works() {
    let world = World::new(Engine::Sqlite).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let of_chat = json!({ "chatId": chat });

    let events = example("events");
    let mut socket = Socket::connect(&world.app.url, &olga.token).await;
    socket.subscribe("events", &events, of_chat.clone(), None).await;
    assert_eq!(socket.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");

    let said = json!({ "chatId": chat, "text": "Hello!" });
    let sent = vera.query(&example("send"), said).await["sendMessage"].clone();
    assert_eq!((&sent["messageEdge"]["node"]["text"], &sent["userErrors"]), (&json!("Hello!"), &json!([])));
    let mut told = Vec::new();
    while told.last() != Some(&json!("Hello!")) {
        told.push(socket.data().await["chatEvents"]["change"]["messageEdge"]["node"]["text"].clone());
    }

    let start = olga.query(&example("start"), json!({})).await;
    assert_eq!(start["viewer"]["inbox"]["nodes"][0]["id"], json!(chat));
    let queue = olga.query(&example("queue"), json!({})).await;
    assert_eq!(queue["organization"]["rooms"]["nodes"][0]["chats"]["nodes"][0]["id"], json!(chat));
    let seen = olga.query(&example("chat"), of_chat.clone()).await;
    let last =
        seen["chat"]["messages"]["nodes"].as_array().and_then(|nodes| nodes.last()).expect("a message");
    assert_eq!(last["text"], "Hello!");

    let session = example("session");
    let rung = named(&olga, &session, "RingSession", &of_chat).await["createChatSession"].clone();
    let of_session = json!({ "chatSessionId": text(&rung["chatSession"]["id"]) });
    for (person, name, field, state) in [
        (&vera, "AcceptSession", "acceptChatSession", "ACCEPTED"),
        (&olga, "FinishSession", "finishChatSession", "FINISHED"),
    ] {
        let moved = named(person, &session, name, &of_session).await[field].clone();
        assert_eq!(
            (&moved["chatSession"]["state"], &moved["userErrors"]),
            (&json!(state), &json!([])),
            "{name}"
        );
    }

    desk_examples(&world, &olga).await;
    everyday_examples(&chat, &sent["messageEdge"]["node"]["id"], &olga, &vera).await;

    let known = ["chat", "desk", "events", "everyday", "file", "queue", "send", "session", "start", "take"];
    let known = known.map(|name| format!("{name}.graphql"));
    let there: BTreeSet<_> = std::fs::read_dir(examples())
        .expect("the examples")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".graphql"))
        .collect();
    assert_eq!(there, known.into(), "each example is run by this test");
    world.app.stop().await;
}

/// Other desks see that a chat is taken, and a late join returns the present user.
async fn desk_examples(world: &World, olga: &Person) {
    let mut desk = Socket::connect(&world.app.url, &olga.token).await;
    desk.subscribe("desk", &example("desk"), json!({ "roomIds": [world.room] }), None).await;
    assert_eq!(desk.data().await["viewerEvents"]["change"]["__typename"], "ViewerResetEvent");
    let waiting = json!({ "chatId": world.chat(&world.visitor("victor").await).await });
    let take = example("take");
    let taken = named(olga, &take, "TakeChat", &waiting).await["joinChat"].clone();
    assert_eq!(taken["chat"]["presences"]["nodes"][0]["user"]["displayName"], "Olga");
    let late = named(&world.admin, &take, "TakeChat", &waiting).await["joinChat"].clone();
    assert_eq!((&late["userErrors"][0]["code"], &late["chat"]), (&json!("CHAT_TAKEN"), &taken["chat"]));
    while desk.data().await["viewerEvents"]["change"]["__typename"] != "InboxChatAddedEvent" {}
    let left = named(olga, &take, "LeaveChat", &waiting).await["leaveChat"].clone();
    assert_eq!((&left["chat"]["presentUserCount"], &left["userErrors"]), (&json!(0), &json!([])));
}

/// Everyday operations on a message of Vera's in a chat.
async fn everyday_examples(chat: &str, message: &Value, olga: &Person, vera: &Person) {
    let everyday = example("everyday");
    let own = json!({ "chatId": chat, "messageId": message });
    for (person, name, field, shown) in [
        (olga, "AddNote", "sendMessage", "/messageEdge/node/isInternal"),
        (vera, "Edit", "editMessage", "/message/editedAt"),
        (olga, "React", "addReaction", "/message/reactions/0/count"),
        (vera, "Type", "setTyping", "/userErrors"),
        (vera, "ReadAll", "markRead", "/viewer/unreadCount"),
    ] {
        let done = named(person, &everyday, name, &own).await[field].clone();
        let is_shown = done.pointer(shown).is_some_and(|value| !value.is_null() && *value != json!(false));
        assert!(done["userErrors"] == json!([]) && is_shown, "{name}: {done:#}");
    }

    let (file, bytes) = (example("file"), png(4, 3));
    let sized = json!({ "chatId": chat, "size": bytes.len() });
    let granted = named(vera, &file, "Upload", &sized).await["createUpload"].clone();
    put(&granted, "image/png", bytes).await;
    let uploaded = json!({ "chatId": chat, "attachmentId": granted["attachment"]["id"] });
    let sent = named(vera, &file, "SendFile", &uploaded).await["sendMessage"].clone();
    assert_eq!(sent["messageEdge"]["node"]["attachments"][0]["width"], 4, "{sent:#}");
}

/// Runs one operation of a document that has several.
async fn named(person: &Person, query: &str, name: &str, variables: &Value) -> Value {
    let body = json!({ "query": query, "operationName": name, "variables": variables });
    let url = format!("{}/graphql", person.url);
    let sent = reqwest::Client::new().post(url).bearer_auth(&person.token).json(&body).send().await;
    let answer: Value = sent.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer.get("errors"), None, "{name}: {answer:#}");
    answer["data"].clone()
}
