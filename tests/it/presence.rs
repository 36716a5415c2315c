//! Presence in a chat: joining, leaving, participating, waiting, reading, typing, and safe retries.

mod joining;
mod lease;
mod reading;
mod sending;
mod taking_part;
mod typing;
mod waiting;

use crate::harness::client::Client;
use crate::harness::world::text;
use serde_json::{Value, json};

/// Some fields of a chat, as somebody sees them.
async fn seen(client: &Client, chat: &str, fields: &str) -> Value {
    let query = format!("query($id: ID!) {{ chat(id: $id) {{ {fields} }} }}");
    client.query(&query, json!({ "id": chat })).await["chat"].clone()
}

/// Sends a text; the id of the message.
async fn send(client: &Client, chat: &str, words: &str) -> String {
    let input = json!({ "chatId": chat, "text": words });
    let sent = client.done("sendMessage", "messageEdge { node { id } }", input).await;
    text(&sent["messageEdge"]["node"]["id"])
}

async fn join(client: &Client, chat: &str) -> Value {
    let selection = "presence { id createdAt lastSeenAt expiresAt }";
    client.done("joinChat", selection, json!({ "chatId": chat })).await["presence"].clone()
}

/// The entries of the history except those of sessions: types and senders, oldest first.
async fn history(client: &Client, chat: &str) -> Vec<(String, String)> {
    let fields = "messages(types: [MESSAGE, JOIN, LEAVE], first: 100) { nodes { type sender { id } } }";
    let answer = seen(client, chat, fields).await;
    let nodes = answer["messages"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| (text(&node["type"]), text(&node["sender"]["id"]))).collect()
}

/// An entry of the history as [`history`] tells it.
fn entry(kind: &str, sender: &str) -> (String, String) {
    (kind.to_owned(), sender.to_owned())
}

/// A GROUP chat of the caller with others.
async fn group(client: &Client, others: &[&str]) -> String {
    let input = json!({ "participantIds": others });
    text(&client.done("createGroupChat", "chat { id }", input).await["chat"]["id"])
}
