//! Message search: hits, order and permissions, with the same results on both databases and from both
//! methods.

mod cases;
mod pages;
mod people;
mod scope;
mod welkin;

use crate::harness::client::Client;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use serde_json::{Value, json};

/// How texts are found.
#[derive(Clone, Copy, Debug)]
enum By {
    /// By walking the newest.
    Walk,
    /// By walking a few, and then by the index.
    Both,
    /// By the index alone.
    Index,
}

const WAYS: [By; 3] = [By::Walk, By::Both, By::Index];

/// Makes the app search in one of the ways.
fn search_by(app: &TestApp, by: By) {
    app.app.actions().store().set_walked(match by {
        By::Walk => 5_000,
        By::Both => 3,
        By::Index => 0,
    });
}

const CHAT: &str = "query($chat: ID!, $query: String!, $archived: Boolean! = false, $first: Int, $after: String,
        $last: Int, $before: String) {
    chat(id: $chat) { hits: searchMessages(query: $query, includeArchived: $archived, first: $first, after: $after,
        last: $last, before: $before) { ...Hits } } }
    fragment Hits on MessageSearchConnection { totalCount
        pageInfo { startCursor endCursor hasPreviousPage hasNextPage }
        edges { cursor snippet { text isMatch } node { id cursor text sequence } } }";

const ORGANIZATION: &str = "query($filter: MessageSearchFilter, $query: String!, $archived: Boolean! = false,
        $first: Int, $after: String, $last: Int, $before: String) {
    organization { hits: searchMessages(query: $query, filter: $filter, includeArchived: $archived, first: $first,
        after: $after, last: $last, before: $before) { ...Hits } } }
    fragment Hits on MessageSearchConnection { totalCount
        pageInfo { startCursor endCursor hasPreviousPage hasNextPage }
        edges { cursor snippet { text isMatch } node { id cursor text sequence } } }";

/// A page of hits in a chat; `variables` are the page's and the query's.
async fn in_chat(client: &Client, chat: &str, mut variables: Value) -> Value {
    variables["chat"] = json!(chat);
    client.query(CHAT, variables).await["chat"]["hits"].clone()
}

/// A page of hits in the organization.
async fn in_organization(client: &Client, variables: Value) -> Value {
    client.query(ORGANIZATION, variables).await["organization"]["hits"].clone()
}

/// The texts of a page.
fn texts(page: &Value) -> Vec<String> {
    page["edges"].as_array().expect("edges").iter().map(|edge| text(&edge["node"]["text"])).collect()
}

async fn say(sender: &Person, chat: &str, message: &str) -> Value {
    let input = json!({ "chatId": chat, "text": message });
    sender.done("sendMessage", "messageEdge { cursor node { id sequence } }", input).await["messageEdge"]
        .clone()
}

/// A clinic at which time stands still, so that nothing can be told apart by it.
async fn clinic(engine: Engine) -> (World, Person, Person, String) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    (world, olga, vera, chat)
}
