//! Live streams while the database cannot answer: no event is lost, repeated or shown without what was asked for.

use crate::harness::event_stream::{EventStream, request};
use crate::harness::postgres::Server;
use crate::harness::socket::Socket;
use crate::harness::stored::Stored;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

on_both!(
    event_that_cannot_be_resolved_waits_until_it_can,
    every_subscription_resolves_its_event_again,
    stream_is_cut_off_before_an_event_that_stays_unresolved,
);

const MESSAGES: usize = 80;
/// Needs the database for each event.
const ADDED: &str = "subscription($chat: ID!) { messageAdded(chatId: $chat) { cursor node { text sequence \
                     sender { id } chat { id name } reactions { emoji } } } }";
const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { chat { id } change { __typename \
                      ... on ChatResetEvent { chat { viewerParticipation { id } } } \
                      ... on MessageAddedEvent { messageEdge { node { text sequence chat { id } reactions { emoji } } } } } } }";

async fn world_with(engine: Engine, patience: Duration) -> World {
    World::on(TestApp::start_with(engine, Clock::system(), |config| config.stream_patience = patience).await)
        .await
}

/// Takes a table that every event of a test asks for away, or gives it back.
async fn rename(stored: &Stored, from: &str, to: &str) {
    stored.0.execute_unprepared(&format!("ALTER TABLE {from} RENAME TO {to}")).await.expect("renamed");
}

async fn send(who: &Person, chat: &str, words: &str) -> String {
    let input = json!({ "chatId": chat, "text": words });
    let sent = who.done("sendMessage", "messageEdge { cursor }", input).await;
    text(&sent["messageEdge"]["cursor"])
}

async fn event_that_cannot_be_resolved_waits_until_it_can(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let start = send(&vera, &chat, "0").await;
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    socket.subscribe("1", ADDED, json!({ "chat": chat }), Some(&start)).await;
    socket.wait_until_subscribed().await;
    let mut stream = EventStream::open(&vera, ADDED, &json!({ "chat": chat }), Some(&start)).await;

    let stored = Stored::of(&world.app).await;
    rename(&stored, "reaction", "reaction_away").await;
    let mut cursors = Vec::new();
    for words in ["1", "2", "3"] {
        cursors.push(send(&vera, &chat, words).await);
    }
    assert!(socket.is_quiet(Duration::from_secs(1)).await, "an event left unresolved");
    rename(&stored, "reaction_away", "reaction").await;
    for (number, cursor) in cursors.iter().enumerate() {
        let next = socket.next().await;
        assert_eq!(next.get("errors"), None, "{next:#}");
        assert_eq!(next["data"]["messageAdded"]["node"]["text"], (number + 1).to_string());
        assert_eq!(next["extensions"]["cursor"], *cursor);
        let event = stream.next().await.expect("an event");
        assert_eq!(event.data.get("errors"), None, "{event:?}");
        assert_eq!(event.data["data"]["messageAdded"]["node"]["text"], (number + 1).to_string());
        assert_eq!(event.id.as_ref(), Some(cursor));
    }
    assert!(socket.is_quiet(Duration::from_millis(300)).await, "an event came twice");
    world.app.stop().await;
}

async fn every_subscription_resolves_its_event_again(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let input = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } } });
    let session =
        text(&olga.done("createChatSession", "chatSession { id }", input).await["chatSession"]["id"]);

    let mut socket = Socket::connect(&olga.url, &olga.token).await;
    // Each asks for the organization, which all of them read from a table that is taken away.
    let of_chat = "chat { id organization { name } }";
    let roots = [
        ("messageAdded", "messageAdded(chatId: $chat)", format!("node {{ {of_chat} }}")),
        ("presenceChanged", "presenceChanged(chatId: $chat)", format!("presence {{ {of_chat} }}")),
        (
            "chatSessionChanged",
            "chatSessionChanged(chatSessionId: $session)",
            format!("chatSession {{ {of_chat} }}"),
        ),
        ("chatEvents", "chatEvents(chatId: $chat)", of_chat.to_owned()),
        (
            "viewerEvents",
            "viewerEvents",
            format!(
                "change {{ ... on ChatChangedEvent {{ {of_chat} }} \
          ... on InboxChatAddedEvent {{ chatEdge {{ node {{ id organization {{ name }} }} }} }} }}"
            ),
        ),
        ("chatChanged", "chatChanged(in: { roomId: $room })", of_chat.to_owned()),
    ];
    let variables = json!({ "chat": chat, "session": session, "room": world.room });
    for (name, root, selection) in &roots {
        let used = ["chat", "session", "room"].iter().filter(|name| root.contains(&format!("${name}")));
        let used: Vec<_> = used.map(|name| format!("${name}: ID!")).collect();
        let parameters = if used.is_empty() { String::new() } else { format!("({})", used.join(", ")) };
        let document = format!("subscription{parameters} {{ {root} {{ {selection} }} }}");
        socket.subscribe(name, &document, variables.clone(), None).await;
    }
    // The two that start with a reset.
    for _ in 0..2 {
        socket.next().await;
    }
    socket.wait_until_subscribed().await;

    let stored = Stored::of(&world.app).await;
    rename(&stored, "organization", "organization_away").await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    olga.done("startChatSession", "", json!({ "chatSessionId": session })).await;
    assert!(socket.is_quiet(Duration::from_secs(1)).await, "an event left unresolved");
    rename(&stored, "organization_away", "organization").await;

    let mut answered: Vec<String> = Vec::new();
    while answered.len() < roots.len() {
        let message = socket.receive().await;
        assert_eq!(message["type"], "next", "{message:#}");
        assert_eq!(message["payload"].get("errors"), None, "{message:#}");
        assert!(message["payload"]["extensions"]["cursor"].is_string(), "{message:#}");
        let name = text(&message["id"]);
        if !answered.contains(&name) {
            answered.push(name);
        }
    }
    world.app.stop().await;
}

async fn stream_is_cut_off_before_an_event_that_stays_unresolved(engine: Engine) {
    let world = world_with(engine, Duration::from_millis(500)).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let start = send(&vera, &chat, "0").await;
    let variables = json!({ "chat": chat });
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    socket.subscribe("1", ADDED, variables.clone(), Some(&start)).await;
    let mut stream = EventStream::open(&vera, ADDED, &variables, Some(&start)).await;
    let seen = send(&vera, &chat, "seen").await;
    assert_eq!(socket.data().await["messageAdded"]["node"]["text"], "seen");
    assert_eq!(stream.next().await.expect("an event").id, Some(seen.clone()));

    let stored = Stored::of(&world.app).await;
    rename(&stored, "reaction", "reaction_away").await;
    send(&vera, &chat, "missed").await;
    assert_eq!(socket.try_receive().await, Err(1013));
    assert!(stream.next().await.is_none(), "the body ends without a word");
    rename(&stored, "reaction_away", "reaction").await;

    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    socket.subscribe("1", ADDED, variables.clone(), Some(&seen)).await;
    assert_eq!(socket.data().await["messageAdded"]["node"]["text"], "missed");
    let mut stream = EventStream::open(&vera, ADDED, &variables, Some(&seen)).await;
    assert_eq!(stream.next().await.expect("an event").data["data"]["messageAdded"]["node"]["text"], "missed");
    world.app.stop().await;
}

/// Follows a chat as the documented client does, over a socket: comes back with its cursor where it is cut off.
async fn follow_by_socket(who: Person, document: &str, chat: String, start: String) -> Vec<String> {
    let (mut story, mut cursor) = (Vec::new(), start);
    loop {
        let Some(mut socket) = try_connect(&who).await else { continue };
        socket.subscribe("1", document, json!({ "chat": chat }), Some(&cursor)).await;
        loop {
            let message = match socket.try_receive().await {
                Ok(message) => message,
                Err(code) => {
                    assert!([1006, 1012, 1013].contains(&code), "closed with {code}");
                    break;
                }
            };
            assert_eq!(message["type"], "next", "{message:#}");
            let payload = &message["payload"];
            assert_eq!(payload.get("errors"), None, "{payload:#}");
            cursor = text(&payload["extensions"]["cursor"]);
            if let Some(words) = words_of(&payload["data"]) {
                story.push(words);
            }
            if story.len() == MESSAGES {
                return story;
            }
        }
    }
}

/// A socket, unless the database does not answer.
async fn try_connect(who: &Person) -> Option<Socket> {
    let mut socket = Socket::open(&who.url).await;
    let payload = json!({ "Authorization": format!("Bearer {}", who.token) });
    socket.send(json!({ "type": "connection_init", "payload": payload })).await;
    match socket.try_receive().await {
        Ok(message) => {
            assert_eq!(message["type"], "connection_ack");
            Some(socket)
        }
        Err(code) => {
            assert_eq!(code, 1013);
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// The same over server-sent events.
async fn follow_by_events(who: Person, chat: String, start: String) -> Vec<String> {
    let (mut story, mut cursor) = (Vec::new(), start);
    loop {
        let response = request(&who, ADDED, &json!({ "chat": chat }), Some(&cursor)).await;
        if response.status() == 503 {
            assert!(response.headers().contains_key("retry-after"));
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        let mut stream = EventStream::of(response);
        while let Some(event) = stream.next().await {
            assert_eq!(event.name, "next", "{event:?}");
            assert_eq!(event.data.get("errors"), None, "{event:?}");
            cursor = event.id.expect("a cursor");
            story.extend(words_of(&event.data["data"]));
            if story.len() == MESSAGES {
                return story;
            }
        }
    }
}

fn words_of(data: &Value) -> Option<String> {
    let edge = match data.get("messageAdded") {
        Some(edge) => edge,
        None => data["chatEvents"]["change"].get("messageEdge")?,
    };
    Some(text(&edge["node"]["text"]))
}

/// Sends until each message is acknowledged, as clients do.
async fn write(who: Person, chat: String) {
    for number in 0..MESSAGES {
        let words = number.to_string();
        let input = json!({ "chatId": chat, "text": words, "externalId": words });
        let mutation = crate::harness::client::mutation("sendMessage", "messageEdge { cursor }");
        loop {
            let answer = who.ask(&mutation, json!({ "input": input })).await;
            if answer["data"]["sendMessage"]["messageEdge"].is_object() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_while_sessions_of_postgres_are_terminated_and_it_restarts() {
    let mut server = Server::start();
    let url = server.new_database();
    let app = TestApp::start_with(Engine::Postgres, Clock::system(), |config| config.database = url).await;
    let world = World::on(app).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let start = send(&vera, &chat, "before").await;
    let stories = [
        tokio::spawn(follow_by_socket(vera.clone(), ADDED, chat.clone(), start.clone())),
        tokio::spawn(follow_by_socket(world.admin.clone(), ADDED, chat.clone(), start.clone())),
        tokio::spawn(follow_by_socket(vera.clone(), EVENTS, chat.clone(), start.clone())),
        tokio::spawn(follow_by_events(vera.clone(), chat.clone(), start)),
    ];
    let is_over = Arc::new(AtomicBool::new(false));
    let breaking = std::thread::spawn({
        let is_over = Arc::clone(&is_over);
        move || {
            for round in 1.. {
                if is_over.load(Ordering::SeqCst) {
                    return server;
                }
                std::thread::sleep(Duration::from_millis(400));
                if round % 8 == 0 { server.restart() } else { server.terminate_sessions() }
            }
            server
        }
    });
    write(vera, chat).await;
    is_over.store(true, Ordering::SeqCst);
    let server = tokio::task::spawn_blocking(|| breaking.join().expect("joined")).await.expect("joined");
    let expected: Vec<_> = (0..MESSAGES).map(|number| number.to_string()).collect();
    for story in stories {
        let story = tokio::time::timeout(Duration::from_mins(2), story).await.expect("in time");
        assert_eq!(story.expect("a story"), expected);
    }
    world.app.stop().await;
    drop(server);
}

/// Holds a table so that nobody reads it, for a while.
fn hold(
    server: Arc<Server>,
    database: String,
    table: &'static str,
    seconds: u32,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let statement =
            format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({seconds}); COMMIT");
        server.sql_in(&database, &statement);
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_is_retried_after_lock_timeout() {
    let server = Arc::new(Server::start());
    let url = server.new_database();
    let database = url.rsplit('/').next().expect("a name").to_owned();
    let app = TestApp::start_with(Engine::Postgres, Clock::system(), |config| config.database = url).await;
    let world = World::on(app).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let start = send(&vera, &chat, "0").await;
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    socket.subscribe("1", ADDED, json!({ "chat": chat }), Some(&start)).await;
    socket.wait_until_subscribed().await;
    // Longer than any statement waits for a lock, which is 8 s.
    let held = hold(Arc::clone(&server), database, "reaction", 12);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let cursor = send(&vera, &chat, "1").await;
    let next = socket.next().await;
    assert_eq!(next.get("errors"), None, "{next:#}");
    assert_eq!(next["extensions"]["cursor"], cursor);
    held.join().expect("released");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_subscription_start_asks_for_reconnect() {
    let server = Arc::new(Server::start());
    let url = server.new_database();
    let database = url.rsplit('/').next().expect("a name").to_owned();
    let app = TestApp::start_with(Engine::Postgres, Clock::system(), |config| {
        config.database = url;
        config.stream_patience = Duration::from_secs(1);
    })
    .await;
    let world = World::on(app).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    let held = hold(Arc::clone(&server), database, "participation", 8);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let variables = json!({ "chat": chat });
    socket.subscribe("1", ADDED, variables.clone(), None).await;
    let response = request(&vera, ADDED, &variables, None).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(socket.try_receive().await, Err(1013));
    held.join().expect("released");
    world.app.stop().await;
}
