//! Concurrent calls: one wins, the others learn the winner, and nobody waits forever. Each test also asserts
//! that no call fails, because a deadlock would appear as a GraphQL error.

mod locks;
mod once;
mod winners;

use crate::harness::client::{Client, mutation};
use crate::harness::world::{Person, World, text};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

/// Lets all of it happen at once; the answers in the order of the calls.
async fn at_once<F>(calls: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let running: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    join_all(running).await.into_iter().map(|ended| ended.expect("a call that ends")).collect()
}

/// One call of many. It is made again while the server is too busy, as clients do.
async fn call(client: Client, name: &'static str, selection: &'static str, input: Value) -> Value {
    let document = mutation(name, selection);
    for _ in 0..10 {
        let answer = client.ask(&document, json!({ "input": input })).await;
        if answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE" {
            tokio::time::sleep(Duration::from_millis(500)).await;
            continue;
        }
        assert_eq!(answer.get("errors"), None, "{name}: {answer:#}");
        return answer["data"][name].clone();
    }
    panic!("{name}: the server is too busy for too long");
}

fn code(payload: &Value) -> Option<&str> {
    payload["userErrors"][0]["code"].as_str()
}

fn won(payloads: &[Value]) -> Vec<&Value> {
    payloads.iter().filter(|payload| code(payload).is_none()).collect()
}

async fn operators(world: &World, count: usize) -> Vec<Person> {
    join_all((0..count).map(|number| async move { world.operator(&format!("Operator {number}")).await }))
        .await
}

/// A chat of a new visitor.
async fn chat(world: &World, visitor: &str) -> (Person, String) {
    let vera = world.visitor(visitor).await;
    let chat = world.chat(&vera).await;
    (vera, chat)
}

/// A session in the chat that rings for these people.
async fn ringing(by: &Person, chat: &str, called: &[Person]) -> String {
    let called: Vec<_> = called.iter().map(|person| person.id.clone()).collect();
    let input = json!({ "in": { "chat": { "id": chat, "participantIds": called } }, "start": true });
    let created = by.done("createChatSession", "chatSession { id }", input).await;
    text(&created["chatSession"]["id"])
}
