//! The visitor's current page, and the pages that the chat keeps.

use super::start;
use crate::harness::Engine;
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    current_page_changes_and_chat_keeps_the_first,
    a_page_that_comes_with_the_first_message_counts,
    current_page_is_hidden_from_other_visitors,
);

fn page(number: usize) -> Value {
    json!({ "url": format!("https://shop.example.org/{number}"), "title": format!("Page {number}") })
}

async fn pages(world: &World, vera: &Person, chat: &Value) -> [Value; 2] {
    let query = "query($vera: ID!, $chat: ID!) { visitor(by: { id: $vera }) { currentPage { url title } }
        chat(id: $chat) { firstVisitorMessagePage { url title } } }";
    let found = world.admin.query(query, json!({ "vera": vera.id, "chat": chat })).await;
    [found["visitor"]["currentPage"].clone(), found["chat"]["firstVisitorMessagePage"].clone()]
}

async fn current_page_changes_and_chat_keeps_the_first(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let started = start(&vera, &world, json!({ "page": page(1) })).await;
    let chat = started["chat"]["id"].clone();
    // Nobody has sent a message yet.
    assert_eq!(pages(&world, &vera, &chat).await, [page(1), json!(null)]);
    start(&vera, &world, json!({ "page": page(2), "autoResume": true })).await;
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello" })).await;
    assert_eq!(pages(&world, &vera, &chat).await, [page(2), page(2)]);
    let next = json!({ "chatId": chat, "text": "And", "page": page(3), "externalId": "next" });
    vera.done("sendMessage", "", next.clone()).await;
    assert_eq!(pages(&world, &vera, &chat).await, [page(3), page(2)]);
    // A late retry does not send them back.
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "More", "page": page(4) })).await;
    vera.done("sendMessage", "", next).await;
    assert_eq!(pages(&world, &vera, &chat).await, [page(4), page(2)]);
    // A user starts with the visitor where they are.
    let olga = world.operator("Olga").await;
    start(&olga, &world, json!({ "visitorId": vera.id, "page": page(5), "message": "Hello" })).await;
    assert_eq!(pages(&world, &vera, &chat).await, [page(5), page(2)]);
    world.app.stop().await;
}

async fn a_page_that_comes_with_the_first_message_counts(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let started = start(&vera, &world, json!({})).await;
    let chat = started["chat"]["id"].clone();
    let hello = json!({ "chatId": chat, "text": "Hello", "senderId": vera.id, "page": page(1) });
    world.admin.done("sendMessage", "", hello).await;
    assert_eq!(pages(&world, &vera, &chat).await, [page(1), page(1)]);
    // Where none is known, none is kept, and a later one is not the first.
    let victor = world.visitor("victor").await;
    let chat = start(&victor, &world, json!({ "message": "Hello" })).await["chat"]["id"].clone();
    victor.done("sendMessage", "", json!({ "chatId": chat, "text": "And", "page": page(2) })).await;
    assert_eq!(pages(&world, &victor, &chat).await, [page(2), json!(null)]);
    // A start with a message keeps its own page.
    let input = json!({ "page": page(3), "message": "Hello" });
    let chat = start(&victor, &world, input).await["chat"]["id"].clone();
    assert_eq!(pages(&world, &victor, &chat).await, [page(3), page(3)]);
    world.app.stop().await;
}

async fn current_page_is_hidden_from_other_visitors(engine: Engine) {
    let world = World::frozen(engine).await;
    let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
    let olga = world.operator("Olga").await;
    start(&vera, &world, json!({ "page": page(1) })).await;
    let group = json!({ "participantIds": [vera.id, victor.id] });
    let chat = text(&olga.done("createGroupChat", "chat { id }", group).await["chat"]["id"]);
    let query = "query($id: ID!) { chat(id: $id) { participations(filter: { actorType: VISITOR }) { nodes { actor { id
        ... on Visitor { currentPage { url title } } } } } } }";
    let page_of_vera = async |person: &Person| {
        let found = person.query(query, json!({ "id": chat })).await;
        let nodes = found["chat"]["participations"]["nodes"].as_array().unwrap().clone();
        let vera = nodes.into_iter().find(|node| node["actor"]["id"] == vera.id).unwrap();
        vera["actor"]["currentPage"].clone()
    };
    assert_eq!(page_of_vera(&olga).await, page(1));
    assert_eq!(page_of_vera(&vera).await, page(1));
    assert_eq!(page_of_vera(&victor).await, json!(null));
    world.app.stop().await;
}
