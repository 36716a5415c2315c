//! A query is canceled with its client. A mutation always finishes.

use crate::harness::Engine;
use crate::harness::socket::Socket;
use crate::harness::stored::Stored;
use crate::harness::world::{Person, World};
use anteroom::clock::Clock;
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde_json::json;
use std::time::Duration;

/// A world in which nothing happens by itself, and a chat with a message.
async fn quiet() -> (World, Person, String) {
    let app = crate::harness::TestApp::start_with(Engine::Postgres, Clock::system(), |config| {
        config.tick = Duration::from_hours(1);
        config.sweep = Duration::from_hours(1);
        config.webhooks.tick = Duration::from_hours(1);
    });
    let world = World::on(app.await).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello" })).await;
    (world, vera, chat)
}

/// Locks a table, so that reads of it wait.
async fn held(stored: &Stored, table: &str) -> DatabaseTransaction {
    let transaction = stored.0.begin().await.expect("a transaction");
    let lock = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    transaction.execute_unprepared(&lock).await.expect("a lock");
    transaction
}

/// How many statements wait for a lock.
async fn waiting(stored: &Stored) -> u64 {
    let count =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let statement = sea_orm::Statement::from_string(sea_orm::DatabaseBackend::Postgres, count);
    stored.0.query_all_raw(statement).await.expect("rows").len().try_into().expect("a number")
}

async fn until(stored: &Stored, count: u64) {
    let reached = async {
        while waiting(stored).await != count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), reached).await.expect("statements wait for the lock");
}

/// A query that reads the messages first, and several other tables afterwards.
const QUERY: &str =
    "query($chat: ID!) { chat(id: $chat) { messages(last: 10) { nodes { text receiver { displayName }
    reactions { emoji } attachments { name } chat { title room { name } } } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_when_its_client_leaves() {
    let (world, vera, chat) = quiet().await;
    // One connection holds the lock, another one looks.
    let (holder, stored) = (Stored::of(&world.app).await, Stored::of(&world.app).await);
    let count = || world.app.app.actions().store().statements();
    for over_socket in [false, true] {
        // Given a query that waits for the messages,
        let lock = held(&holder, "message").await;
        if over_socket {
            let mut socket = Socket::connect(&vera.url, &vera.token).await;
            socket.subscribe("1", QUERY, json!({ "chat": chat }), None).await;
            until(&stored, 1).await;
            socket.send(json!({ "type": "complete", "id": "1" })).await;
            socket.wait_until_subscribed().await;
        } else {
            let request = vera.request().json(&json!({ "query": QUERY, "variables": { "chat": chat } }));
            let asked = tokio::spawn(request.send());
            until(&stored, 1).await;
            // when its client leaves,
            asked.abort();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let before = count();
        lock.rollback().await.expect("the lock is free");
        tokio::time::sleep(Duration::from_millis(500)).await;
        // then nothing more of it is read.
        assert_eq!(count(), before, "over a socket: {over_socket}");
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_goes_on_when_its_client_leaves() {
    let (world, vera, chat) = quiet().await;
    let (holder, stored) = (Stored::of(&world.app).await, Stored::of(&world.app).await);
    let lock = held(&holder, "message").await;
    let input = json!({ "input": { "chatId": chat, "text": "Not lost" } });
    let document = crate::harness::client::mutation("sendMessage", "");
    let request = vera.request().json(&json!({ "query": document, "variables": input }));
    let asked = tokio::spawn(request.send());
    until(&stored, 1).await;
    asked.abort();
    tokio::time::sleep(Duration::from_millis(300)).await;
    lock.rollback().await.expect("the lock is free");
    let last = "query($chat: ID!) { chat(id: $chat) { lastMessage { text } } }";
    let arrived = async {
        while vera.query(last, json!({ "chat": chat })).await["chat"]["lastMessage"]["text"] != "Not lost" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), arrived).await.expect("the message is sent");
    world.app.stop().await;
}
