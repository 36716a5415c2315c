//! Limits on the sockets and event streams of one actor: the newest wins over those whose client has gone.

use crate::harness::socket::Socket;
use crate::harness::stored::Stored;
use crate::harness::world::{Person, World};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use futures_util::StreamExt;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Sockets and streams of a visitor at once.
const MOST: usize = 5;

const EVENTS: &str = "subscription($id: ID!) { chatEvents(chatId: $id) { at } }";

fn init(person: &Person) -> Value {
    json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {}", person.token) } })
}

/// A socket whose other end answers pings, as a page does.
async fn live_socket(person: &Person) -> JoinHandle<()> {
    stay(Socket::connect(&person.url, &person.token).await)
}

fn stay(mut socket: Socket) -> JoinHandle<()> {
    tokio::spawn(async move { while socket.raw.next().await.is_some_and(|message| message.is_ok()) {} })
}

async fn event_stream(person: &Person) -> reqwest::Response {
    let body = json!({ "query": "subscription { viewerEvents { cursor } }" });
    let request = person.request().header("accept", "text/event-stream").json(&body);
    request.send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn new_socket_replaces_silent_one() {
    let world = World::new(Engine::Sqlite).await;
    let vera = world.visitor("vera").await;
    // These sockets are not read, like those of a laptop that has gone to sleep.
    let mut gone = Vec::new();
    for _ in 0..3 {
        gone.push(Socket::connect(&vera.url, &vera.token).await);
    }
    let mut tabs = Vec::new();
    for _ in 0..3 {
        tabs.push(live_socket(&vera).await);
    }
    // The tabs are left alone: two more take the places of the two other dead sockets.
    for _ in 0..2 {
        tabs.push(live_socket(&vera).await);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(tabs.iter().all(|tab| !tab.is_finished()), "a tab that answers was closed");
    for mut socket in gone {
        assert_eq!(socket.try_receive().await, Err(1006));
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixth_live_socket_is_refused() {
    let world = World::new(Engine::Sqlite).await;
    let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
    let mut live = Vec::new();
    for _ in 0..MOST {
        live.push(live_socket(&vera).await);
    }
    let mut sixth = Socket::open(&vera.url).await;
    sixth.send(init(&vera)).await;
    assert_eq!(sixth.try_receive().await, Err(1013));
    let refused = event_stream(&vera).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    let refused: Value = refused.json().await.expect("JSON");
    assert_eq!(refused["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    assert!(live.iter().all(|socket| !socket.is_finished()));
    Socket::connect(&victor.url, &victor.token).await;

    if let Some(last) = live.pop() {
        last.abort();
    }
    let asked = Instant::now();
    loop {
        let mut next = Socket::open(&vera.url).await;
        next.send(init(&vera)).await;
        if next.try_receive().await.is_ok_and(|message| message["type"] == "connection_ack") {
            break;
        }
        assert!(asked.elapsed() < Duration::from_secs(30), "a closed socket makes no room");
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_event_streams_are_not_replaced() {
    let world = World::new(Engine::Sqlite).await;
    let vera = world.visitor("vera").await;
    let mut streams = Vec::new();
    for _ in 0..MOST {
        let stream = event_stream(&vera).await;
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    assert_eq!(event_stream(&vera).await.status(), 429);
    drop(streams.pop());
    let asked = Instant::now();
    while event_stream(&vera).await.status() != 200 {
        assert!(asked.elapsed() < Duration::from_secs(30), "a closed stream makes no room");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.app.stop().await;
}

/// A world whose presences last for 10 s.
async fn short_lived(engine: Engine) -> World {
    let app = TestApp::start_with(engine, Clock::system(), |config| {
        config.presence_ttl = 10;
        config.limits.ping_every = Duration::from_secs(3);
    });
    World::on(app.await).await
}

async fn reason(world: &World, chat: &str, user: &str) -> Value {
    let query = "query($id: ID!) { chat(id: $id) { presences(includeEnded: true) { nodes { user { id } endReason } } } }";
    let seen = world.admin.query(query, json!({ "id": chat })).await;
    let nodes = seen["chat"]["presences"]["nodes"].as_array().expect("presences").clone();
    nodes.iter().find(|node| node["user"]["id"] == user).expect("the user's presence")["endReason"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_of_a_vanished_socket_expires_soon_and_of_a_live_one_never() {
    let world = short_lived(Engine::Sqlite).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let chat = world.chat(&world.visitor("vera").await).await;
    for person in [&olga, &otto] {
        person.done("joinChat", "", json!({ "chatId": chat })).await;
    }
    let mut there = Socket::connect(&otto.url, &otto.token).await;
    there.subscribe("1", EVENTS, json!({ "id": chat }), None).await;
    let there = stay(there);
    // Open, and never read again: no pong comes from here.
    let mut vanished = Socket::connect(&olga.url, &olga.token).await;
    vanished.subscribe("1", EVENTS, json!({ "id": chat }), None).await;
    vanished.next().await;
    let since = Instant::now();
    while reason(&world, &chat, &olga.id).await != "EXPIRED" {
        // The lease, a ping, and the time that the server takes; before it was the 40 s of the socket as well.
        assert!(since.elapsed() < Duration::from_secs(35), "still present after {:?}", since.elapsed());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(since.elapsed() > Duration::from_secs(8), "expired after {:?}", since.elapsed());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(reason(&world, &chat, &otto.id).await, json!(null));
    assert!(!there.is_finished());
    world.app.stop().await;
}

on_both!(presence_with_an_open_socket_survives_an_outage_of_the_store);

/// Two users, each on a node of their own where there can be two.
async fn presence_with_an_open_socket_survives_an_outage_of_the_store(engine: Engine) {
    let world = short_lived(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let chat = world.chat(&world.visitor("vera").await).await;
    let second = if engine == Engine::Postgres { Some(world.app.second_node().await) } else { None };
    let there = second.as_ref().map_or(&world.app.url, |node| &node.url);
    let otto = World::at(&otto, there);
    for person in [&olga, &otto] {
        person.done("joinChat", "", json!({ "chatId": chat })).await;
        let mut socket = Socket::connect(&person.url, &person.token).await;
        socket.subscribe("1", EVENTS, json!({ "id": chat }), None).await;
        socket.next().await;
        stay(socket);
    }
    let lock = match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN; LOCK TABLE presence IN ACCESS EXCLUSIVE MODE",
    };
    let store = Stored::of(&world.app).await;
    store.0.execute_unprepared(lock).await.expect("locked");
    // Longer than the lease.
    tokio::time::sleep(Duration::from_secs(14)).await;
    store.0.execute_unprepared("ROLLBACK").await.expect("released");
    let released = Instant::now();
    while released.elapsed() < Duration::from_secs(15) {
        for person in [&olga, &otto] {
            let reason = reason(&world, &chat, &person.id).await;
            assert_eq!(reason, json!(null), "{:?} after the outage", released.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    if let Some(second) = second {
        second.stop().await;
    }
    world.app.stop().await;
}
