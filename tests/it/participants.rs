//! Changing participants: who may add and remove whom, and what former participants can still see.

mod changing;
mod leaving;

use crate::harness::client::Client;
use crate::harness::world::{Person, text};
use serde_json::{Value, json};

/// Some fields of a chat, as somebody sees them; null where it is not there for them.
async fn seen(client: &Client, chat: &str, fields: &str) -> Value {
    let query = format!("query($id: ID!) {{ chat(id: $id) {{ {fields} }} }}");
    client.query(&query, json!({ "id": chat })).await["chat"].clone()
}

/// A GROUP chat of the caller with others.
async fn group(client: &Client, others: &[&Person]) -> String {
    let ids: Vec<_> = others.iter().map(|other| other.id.clone()).collect();
    let input = json!({ "participantIds": ids });
    text(&client.done("createGroupChat", "chat { id }", input).await["chat"]["id"])
}

/// The DIRECT chat of the caller with another.
async fn direct(client: &Client, other: &Person) -> String {
    let input = json!({ "participantId": other.id });
    text(&client.done("createDirectChat", "chat { id }", input).await["chat"]["id"])
}

/// The refusal of an addition; `None` where there is none.
async fn add(client: &Client, chat: &str, people: &[&Person]) -> Option<String> {
    let ids: Vec<_> = people.iter().map(|person| person.id.clone()).collect();
    let input = json!({ "chatId": chat, "participantIds": ids });
    refusal(&client.mutate("addParticipants", "", input).await)
}

/// The refusal of a removal; `None` where there is none.
async fn remove(client: &Client, chat: &str, person: &Person) -> Option<String> {
    let input = json!({ "chatId": chat, "participantId": person.id });
    refusal(&client.mutate("removeParticipant", "", input).await)
}

fn refusal(payload: &Value) -> Option<String> {
    let error = payload["userErrors"].get(0)?;
    let field = error["field"][1].as_str().map_or(String::new(), |field| format!(" {field}"));
    Some(format!("{}{field}", text(&error["code"])))
}

async fn participant_ids(viewer: &Client, chat: &str) -> Vec<String> {
    let seen = seen(viewer, chat, "participations(first: 100) { nodes { actor { id } } }").await;
    let nodes = seen["participations"]["nodes"].as_array().expect("participations");
    nodes.iter().map(|node| text(&node["actor"]["id"])).collect()
}

async fn inbox(viewer: &Client) -> Vec<String> {
    let found = viewer.query("{ viewer { inbox { nodes { id } } } }", json!({})).await;
    crate::harness::world::ids(&found["viewer"]["inbox"]["nodes"])
}
