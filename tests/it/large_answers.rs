//! Large answers on a socket, and clients that do not read them.

use crate::harness::Engine;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World};
use serde_json::{Value, json};
use std::fmt::Write;

const MESSAGES: usize = 100;
const ADDED: &str = "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text } } }";

/// A chat with a hundred of the longest messages.
async fn world_with_long_messages() -> (World, Person, String) {
    let world = World::new(Engine::Sqlite).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    for _ in 0..MESSAGES {
        vera.done("sendMessage", "", json!({ "chatId": chat, "text": "x".repeat(2_000) })).await;
    }
    (world, vera, chat)
}

/// A page that has each text several times.
fn page(times: usize) -> String {
    let mut fields = String::new();
    for number in 0..times {
        write!(fields, " text{number}: text").expect("a field");
    }
    format!(
        "query($chat: ID!) {{ chat(id: $chat) {{ messages(last: 100) {{ nodes {{ sequence{fields} }} }} }} }}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_answer_arrives_whole_and_the_socket_goes_on() {
    let (world, vera, chat) = world_with_long_messages().await;
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    socket.subscribe("live", ADDED, json!({ "chat": chat }), None).await;
    socket.wait_until_subscribed().await;
    // From a quarter of a megabyte to three.
    for times in [1, 2, 5, 15] {
        socket.subscribe("page", &page(times), json!({ "chat": chat }), None).await;
        let answer = socket.data().await;
        let nodes = answer["chat"]["messages"]["nodes"].as_array().expect("nodes").len();
        assert_eq!(nodes, MESSAGES);
        assert_eq!(answer["chat"]["messages"]["nodes"][99][format!("text{}", times - 1)], "x".repeat(2_000));
        assert_eq!(socket.receive().await, json!({ "type": "complete", "id": "page" }));
    }
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "still here" })).await;
    assert_eq!(socket.data().await["messageAdded"]["node"]["text"], "still here");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answer_beyond_the_limit_is_refused_and_the_socket_goes_on() {
    let (world, vera, chat) = world_with_long_messages().await;
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    socket.subscribe("live", ADDED, json!({ "chat": chat }), None).await;
    socket.subscribe("page", &page(30), json!({ "chat": chat }), None).await;
    let answer = socket.receive().await;
    assert_eq!(answer["id"], "page");
    let errors = if answer["type"] == "error" { &answer["payload"] } else { &answer["payload"]["errors"] };
    assert_eq!(errors[0]["extensions"]["code"], "LIMIT_EXCEEDED", "{errors:#}");
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "still here" })).await;
    let next = loop {
        let message = socket.receive().await;
        if message["id"] == "live" {
            break message;
        }
    };
    assert_eq!(next["payload"]["data"]["messageAdded"]["node"]["text"], "still here");
    world.app.stop().await;
}

/// Frames that wait are bounded in bytes, so a client that reads late still gets everything, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_that_reads_late_gets_every_large_answer() {
    let (world, vera, chat) = world_with_long_messages().await;
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    for number in 0..12 {
        socket.subscribe(&number.to_string(), &page(5), json!({ "chat": chat }), None).await;
    }
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let mut completed: Vec<Value> = Vec::new();
    while completed.len() < 12 {
        let message = socket.receive().await;
        if message["type"] == "complete" {
            completed.push(message["id"].clone());
        } else {
            assert_eq!(message["payload"].get("errors"), None);
        }
    }
    world.app.stop().await;
}
