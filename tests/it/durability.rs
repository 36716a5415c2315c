//! An acknowledged message is on disk: the real binary is killed at any moment, again and again.

use crate::harness::binary::{Binary, init};
use crate::harness::client::Client;
use crate::harness::postgres::free_port;
use crate::harness::seed;
use crate::harness::world::text;
use rand::RngExt;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const ROUNDS: usize = 20;
const SENDERS: u32 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_message_survives_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = text(&init(folder.path())["token"]);
    let port = free_port();
    let mut server = Binary::start(folder.path(), port);
    let client = Client::new(&server.url, &token);
    let room = client.done("createRoom", "room { id }", json!({ "name": "Reception" })).await;
    let visitor = client.done("upsertVisitor", "visitor { id }", json!({ "externalId": "vera" })).await;
    let input = json!({ "roomId": room["room"]["id"], "visitorId": visitor["visitor"]["id"] });
    let chat = text(&client.done("startChat", "chat { id }", input).await["chat"]["id"]);

    let (number, answered) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (mut acknowledged, mut random) = (Vec::new(), seed::random());
    for _ in 0..ROUNDS {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                let (number, answered) = (Arc::clone(&number), Arc::clone(&answered));
                tokio::spawn(send_until_cut(client.clone(), chat.clone(), number, answered))
            })
            .collect();
        // Kills a moment after a send was acknowledged, however slow the machine is.
        let before = answered.load(Ordering::SeqCst);
        while answered.load(Ordering::SeqCst) == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..180))).await;
        server.kill();
        for sender in senders {
            acknowledged.extend(sender.await.expect("the sender ends"));
        }
        server = Binary::start(folder.path(), port);
    }

    let stored = all_texts(&client, &chat).await;
    assert!(acknowledged.len() >= ROUNDS, "hardly anything was sent: {}", acknowledged.len());
    for text in &acknowledged {
        assert_eq!(stored.get(text), Some(&1), "{text} was acknowledged");
    }
    assert!(stored.values().all(|count| *count == 1), "a message is there twice");
    assert!(server.terminate().success(), "a stop on request is no failure");
}

/// Sends until an answer does not come, and says what was acknowledged.
async fn send_until_cut(
    client: Client,
    chat: String,
    number: Arc<AtomicU32>,
    answered: Arc<AtomicU32>,
) -> Vec<String> {
    let mutation = crate::harness::client::mutation("sendMessage", "messageEdge { node { id } }");
    let mut acknowledged = Vec::new();
    loop {
        let text = number.fetch_add(1, Ordering::SeqCst).to_string();
        let variables = json!({ "input": { "chatId": chat, "text": text, "externalId": text } });
        match client.try_ask(&mutation, variables).await {
            Ok(answer) if answer["data"]["sendMessage"]["messageEdge"].is_object() => {
                acknowledged.push(text);
                answered.fetch_add(1, Ordering::SeqCst);
            }
            Ok(_) | Err(_) => return acknowledged,
        }
    }
}

async fn all_texts(client: &Client, chat: &str) -> HashMap<String, usize> {
    let query = "query($chat: ID!, $after: String) { chat(id: $chat) { messages(first: 100, after: $after, types: \
                 [MESSAGE]) { nodes { text } pageInfo { hasNextPage endCursor } } } }";
    let mut texts: HashMap<String, usize> = HashMap::new();
    let mut after = Value::Null;
    loop {
        let page =
            client.query(query, json!({ "chat": chat, "after": after })).await["chat"]["messages"].clone();
        for node in page["nodes"].as_array().expect("nodes") {
            *texts.entry(text(&node["text"])).or_default() += 1;
        }
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            return texts;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}
