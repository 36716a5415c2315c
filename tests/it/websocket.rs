//! `graphql-transport-ws`, frame by frame: what the protocol requires and forbids.

use crate::harness::socket::Socket;
use crate::harness::world::{TOKEN_SECONDS, World};
use crate::harness::{Engine, TestApp};
use anteroom::clock::Clock;
use entity::Timestamp;
use futures_util::SinkExt;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

async fn world() -> World {
    World::new(Engine::Sqlite).await
}

fn init(token: &str) -> Value {
    json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } })
}

fn subscribe(id: &str, query: &str) -> Value {
    json!({ "type": "subscribe", "id": id, "payload": { "query": query } })
}

const ENDLESS: &str = "subscription { viewerEvents { change { __typename } } }";

#[tokio::test(flavor = "multi_thread")]
async fn unauthenticated_socket_is_closed() {
    let world = world().await;
    let url = &world.app.url;

    let mut silent = Socket::open(url).await;
    assert_eq!(silent.try_receive().await, Err(4408));

    let mut eager = Socket::open(url).await;
    eager.send(subscribe("1", "{ viewer { id } }")).await;
    assert_eq!(eager.try_receive().await, Err(4401));

    for token in ["", "nonsense", "eyJhbGciOiJub25lIn0.e30."] {
        let mut stranger = Socket::open(url).await;
        stranger.send(init(token)).await;
        assert_eq!(stranger.try_receive().await, Err(4403), "{token}");
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn protocol_violations_close_with_their_codes() {
    let world = world().await;
    let (url, token) = (&world.app.url, &world.admin.token);

    let mut twice = Socket::connect(url, token).await;
    twice.send(init(token)).await;
    assert_eq!(twice.try_receive().await, Err(4429));

    let mut same = Socket::connect(url, token).await;
    same.send(subscribe("1", ENDLESS)).await;
    same.send(subscribe("1", ENDLESS)).await;
    let mut closed = same.try_receive().await;
    while closed.is_ok() {
        closed = same.try_receive().await;
    }
    assert_eq!(closed, Err(4409));

    for nonsense in ["", "{", "[]", "{\"type\":\"start\"}", "{\"type\":\"subscribe\",\"id\":1}"] {
        let mut socket = Socket::connect(url, token).await;
        socket.raw.send(Message::text(nonsense)).await.expect("sent");
        assert_eq!(socket.try_receive().await, Err(4400), "{nonsense}");
    }
    let mut binary = Socket::connect(url, token).await;
    binary.raw.send(Message::binary(vec![1, 2, 3])).await.expect("sent");
    assert_eq!(binary.try_receive().await, Err(4400));

    let mut huge = Socket::connect(url, token).await;
    huge.raw.send(Message::text("x".repeat(64 * 1024 + 1))).await.expect("sent");
    assert_eq!(huge.try_receive().await, Err(1009));
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_operation_is_one_error_and_socket_stays_open() {
    let world = world().await;
    let mut socket = Socket::connect(&world.app.url, &world.admin.token).await;
    let cases = [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { viewerEvents { cursor } chatEvents(chatId: \"x\") { cursor } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription { chatEvents(chatId: \"x\") { cursor } }", "BAD_USER_INPUT"),
        ("query($id: ID!) { node(id: $id) { id } }", "BAD_USER_INPUT"),
    ];
    for (query, code) in cases {
        socket.send(subscribe("1", query)).await;
        let answer = socket.receive().await;
        assert_eq!(answer["type"], "error", "{query}: {answer:#}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], code, "{query}: {answer:#}");
    }
    socket.send(json!({ "type": "ping", "payload": { "a": 1 } })).await;
    assert_eq!(socket.receive().await, json!({ "type": "pong", "payload": { "a": 1 } }));
    socket.send(subscribe("1", "{ viewer { role } }")).await;
    assert_eq!(socket.data().await["viewer"]["role"], "ADMIN");
    assert_eq!(socket.receive().await, json!({ "type": "complete", "id": "1" }));
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn socket_runs_at_most_fifty_operations() {
    let world = world().await;
    let mut socket = Socket::connect(&world.app.url, &world.admin.token).await;
    for number in 0..50 {
        socket.send(subscribe(&number.to_string(), ENDLESS)).await;
        assert_eq!(socket.receive().await["type"], "next");
    }
    socket.send(subscribe("50", ENDLESS)).await;
    let answer = socket.receive().await;
    assert_eq!(answer["payload"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{answer:#}");

    socket.send(json!({ "type": "complete", "id": "7" })).await;
    socket.send(subscribe("50", ENDLESS)).await;
    assert_eq!(socket.receive().await["type"], "next");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_closes_when_its_token_expires() {
    let clock = Clock::frozen(Timestamp(1_800_000_000_000));
    let world = World::on(TestApp::start_with(Engine::Sqlite, clock.clone(), |_| {}).await).await;
    let mut socket = Socket::connect(&world.app.url, &world.admin.token).await;
    clock.advance(Duration::from_secs(u64::from(TOKEN_SECONDS.unsigned_abs()) - 1));
    assert!(socket.is_quiet(Duration::from_millis(600)).await);
    clock.advance(Duration::from_secs(1));
    assert_eq!(socket.try_receive().await, Err(4403));
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_closes_with_1012() {
    let world = world().await;
    let mut socket = Socket::connect(&world.app.url, &world.admin.token).await;
    socket.send(subscribe("1", ENDLESS)).await;
    assert_eq!(socket.receive().await["type"], "next");
    let stopping = tokio::spawn(world.app.stop());
    assert_eq!(socket.try_receive().await, Err(1012));
    stopping.await.expect("stopped");
}
