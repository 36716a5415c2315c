//! Webhooks that are created and read through the public API.

use super::Engine;
use super::receiver::until;
use super::world::{Person, World, text};
use anteroom::config::Config;
use anteroom::delivery::Allowed;
use serde_json::{Value, json};
use std::time::Duration;

/// All fields of a delivery.
const DELIVERY: &str =
    "id event state attempts nextAttemptAt deliveredAt lastStatus lastError body createdAt";

/// A webhook that a test created.
#[derive(Clone, Debug)]
pub struct Hook {
    pub id: String,
    pub secret: String,
}

/// Allows webhooks to receivers on this machine, and sets the URL of patients.
pub fn to_loopback(config: &mut Config) {
    config.webhooks.allowed = Allowed::new(vec!["127.0.0.0/8".parse().expect("a network")]);
    config.patient_url = Some("http://localhost:5000".into());
}

/// A frozen world whose webhooks can use receivers on this machine.
pub async fn frozen(engine: Engine) -> World {
    World::frozen_with(engine, to_loopback).await
}

/// Creates a webhook.
pub async fn hook(admin: &Person, url: &str, events: &[&str]) -> Hook {
    let input = json!({ "url": url, "events": events, "apiKey": "the-key", "apiSecret": "the-secret" });
    let created = admin.done("createWebhook", "webhook { id } signingSecret", input).await;
    Hook { id: text(&created["webhook"]["id"]), secret: text(&created["signingSecret"]) }
}

/// All deliveries of a webhook.
pub async fn ledger(admin: &Person, hook: &Hook) -> Vec<Value> {
    let query = format!(
        "query($id: ID!) {{ node(id: $id) {{ ... on Webhook {{ deliveries(first: 100) {{
            nodes {{ {DELIVERY} }} }} }} }} }}"
    );
    let found = admin.query(&query, json!({ "id": hook.id })).await;
    found["node"]["deliveries"]["nodes"].as_array().expect("deliveries").clone()
}

/// Waits until the only delivery of a webhook meets a condition.
pub async fn delivery(admin: &Person, hook: &Hook, stands: impl Fn(&Value) -> bool) -> Value {
    until("delivery that stands so", async || {
        let ledger = ledger(admin, hook).await;
        assert!(ledger.len() <= 1, "{ledger:#?}");
        ledger.into_iter().next().filter(&stands)
    })
    .await
}

/// Waits until this number of attempts of the only delivery have ended.
pub async fn after_attempts(admin: &Person, hook: &Hook, attempts: i64) -> Value {
    delivery(admin, hook, |row| row["attempts"] == attempts && !row["lastError"].is_null()).await
}

/// Waits until the receiver has accepted the only delivery.
pub async fn delivered(admin: &Person, hook: &Hook) -> Value {
    delivery(admin, hook, |row| row["state"] == "DELIVERED").await
}

/// The current state of the webhook.
pub async fn current_webhook(admin: &Person, hook: &Hook) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on Webhook {
        id url events apiKey isEnabled disabledReason createdAt } } }";
    admin.query(query, json!({ "id": hook.id })).await["node"].clone()
}

/// A time on the world's frozen clock: this duration after noon.
pub fn after_noon(seconds: i64) -> String {
    moment(super::world::NOON_MILLIS + seconds * 1_000)
}

fn moment(millis: i64) -> String {
    entity::Timestamp(millis).to_chrono().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// A time in milliseconds.
pub fn millis(moment: &Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(&text(moment)).expect("a moment").timestamp_millis()
}

/// Makes an attempt time out after this short time.
pub fn impatient(config: &mut Config) {
    to_loopback(config);
    config.webhooks.timeout = Duration::from_millis(500);
}

/// Sends a message from a user to the visitor of a chat.
pub async fn say(user: &Person, chat: &str, text: &str) {
    user.done("sendMessage", "", json!({ "chatId": chat, "text": text })).await;
}
