//! Rate limits: an actor who changes too much is refused for a while, and nobody else is. The clock is frozen, so the
//! numbers are exact.

use crate::harness::Engine;
use crate::harness::client::{error_code, mutation};
use crate::harness::socket::Socket;
use crate::harness::widget::Widget;
use crate::harness::world::{Person, World};
use serde_json::{Value, json};
use std::time::Duration;

async fn limited() -> World {
    World::frozen_with(Engine::Sqlite, |config| config.rate_limit = 1).await
}

fn send(chat: &str, number: usize) -> Value {
    json!({ "query": mutation("sendMessage", ""),
            "variables": { "input": { "chatId": chat, "text": number.to_string() } } })
}

/// Sends until it is refused; how often it was not, and the refusal.
async fn flood(person: &Person, chat: &str) -> (usize, reqwest::Response) {
    let http = reqwest::Client::new();
    for number in 0..500 {
        let body = send(chat, number);
        let sent = http.post(format!("{}/graphql", person.url)).bearer_auth(&person.token).json(&body).send();
        let answer = sent.await.expect("an answer");
        if !answer.status().is_success() {
            return (number, answer);
        }
    }
    panic!("500 messages at once were taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn mutation_rate_limit_applies_per_actor_and_recovers() {
    let world = limited().await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let (taken, refusal) = flood(&vera, &chat).await;
    // The chat itself was one of ten at once.
    assert_eq!(taken, 9);
    assert_eq!(refusal.status(), 429);
    assert_eq!(refusal.headers()["retry-after"], "1");
    let refusal: Value = refusal.json().await.expect("JSON");
    assert_eq!(error_code(&refusal), "RATE_LIMITED");
    let wait = refusal["errors"][0]["extensions"]["retryAfterMs"].as_u64().expect("how long to wait");
    // Two changes a second.
    assert_eq!(wait, 501);

    vera.done("setTyping", "", json!({ "chatId": chat, "isTyping": true })).await;
    let count = "query($chat: ID!) { chat(id: $chat) { messageCount } }";
    assert_eq!(vera.query(count, json!({ "chat": chat })).await["chat"]["messageCount"], taken);
    olga.done("sendMessage", "", json!({ "chatId": chat, "text": "Not so fast" })).await;
    world.app.clock.advance(Duration::from_millis(wait - 2));
    assert_eq!(flood(&vera, &chat).await.0, 0);
    world.app.clock.advance(Duration::from_millis(2));
    assert_eq!(flood(&vera, &chat).await.0, 1);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limited_socket_stays_open() {
    let world = limited().await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    flood(&vera, &chat).await;
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    let input = |number: usize| json!({ "input": { "chatId": chat, "text": number.to_string() } });
    socket.subscribe("1", &mutation("sendMessage", ""), input(0), None).await;
    let refused = socket.receive().await;
    assert_eq!(refused["type"], "error", "{refused:#}");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    socket.subscribe("1", "{ viewer { role } }", json!({}), None).await;
    assert_eq!(socket.data().await["viewer"]["role"], "VISITOR");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_burst_is_limited_per_address() {
    let world = World::frozen_with(Engine::Sqlite, |config| {
        config.rate_limit = 1;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let widget = Widget::of(&world.admin, &world.room).await.client;
    let body = json!({ "query": "mutation { signInVisitor(input: {}) { token } }" });
    let from = async |address: &str| {
        let request = widget.request().header("x-forwarded-for", address).json(&body);
        request.send().await.expect("an answer")
    };
    let mut taken = 0;
    let refusal = loop {
        // Whatever the visitor claims to have come by, it is the last address that counts.
        let answer = from(&format!("192.0.2.{taken}, 198.51.100.7")).await;
        if answer.status() != 200 {
            break answer;
        }
        taken += 1;
    };
    assert_eq!(taken, 30);
    assert_eq!(refusal.status(), 429);
    assert!(refusal.headers().contains_key("retry-after"));
    let refusal: Value = refusal.json().await.expect("JSON");
    assert_eq!(error_code(&refusal), "RATE_LIMITED");
    let other: Value = from("198.51.100.8").await.json().await.expect("JSON");
    assert!(other["data"]["signInVisitor"]["token"].is_string(), "{other:#}");
    world.app.stop().await;
}
