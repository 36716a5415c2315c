//! Retries are safe: the same call gets the same result, and a different call with the same id is a conflict.

use super::{seen, send};
use crate::harness::Engine;
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    retry_returns_first_message,
    another_text_under_the_same_external_id_is_a_conflict,
    an_external_id_belongs_to_its_sender_and_chat,
    a_retry_is_known_even_when_the_chat_has_ended_meanwhile,
    starting_again_with_the_same_request_id_answers_the_same_chat,
    creating_again_with_the_same_request_id_answers_the_same_chat,
    another_call_under_the_same_request_id_is_a_conflict,
    ids_have_limits,
);

const EDGE: &str = "messageEdge { cursor node { id sequence externalId createdAt text } }";

/// Sends a text under an id; the edge that is answered.
async fn send_as(person: &Person, chat: &str, words: &str, external_id: &str) -> Value {
    let input = json!({ "chatId": chat, "text": words, "externalId": external_id });
    person.done("sendMessage", EDGE, input).await["messageEdge"].clone()
}

async fn count(person: &Person, chat: &str) -> Value {
    seen(person, chat, "messageCount").await["messageCount"].clone()
}

async fn retry_returns_first_message(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let first = send_as(&vera, &chat, "Hello", "one").await;
    assert_eq!(first["node"]["externalId"], "one");
    // Also much later, and after others have written.
    send(&olga, &chat, "Good morning").await;
    world.pass(3_600);
    assert_eq!(send_as(&vera, &chat, "Hello", "one").await, first);
    assert_eq!(count(&vera, &chat).await, 2);
    // A retry is no message: nobody waits for an answer to it.
    assert_eq!(seen(&olga, &chat, "isWaiting").await["isWaiting"], false);
    world.app.stop().await;
}

async fn another_text_under_the_same_external_id_is_a_conflict(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    send_as(&vera, &chat, "Hello", "one").await;
    for words in ["hello", "Hello ", "H"] {
        let input = json!({ "chatId": chat, "text": words, "externalId": "one" });
        let refused = vera.mutate("sendMessage", EDGE, input).await;
        assert_eq!(refused["userErrors"][0]["code"], "CONFLICT");
        assert_eq!(refused["userErrors"][0]["field"], json!(["input", "externalId"]));
        assert_eq!(refused["messageEdge"], json!(null));
    }
    assert_eq!(count(&vera, &chat).await, 1);
    world.app.stop().await;
}

async fn an_external_id_belongs_to_its_sender_and_chat(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let (chat, other) = (world.chat(&vera).await, world.chat(&vera).await);
    let first = send_as(&vera, &chat, "Hello", "one").await;
    for (person, chat) in [(&olga, &chat), (&vera, &other)] {
        assert_ne!(send_as(person, chat, "Hello", "one").await["node"]["id"], first["node"]["id"]);
    }
    // A message sent for her has her as its sender.
    let input = json!({ "chatId": chat, "text": "Hello", "externalId": "one", "senderId": vera.id });
    assert_eq!(world.admin.done("sendMessage", EDGE, input).await["messageEdge"], first);
    world.app.stop().await;
}

async fn a_retry_is_known_even_when_the_chat_has_ended_meanwhile(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let first = send_as(&vera, &chat, "Hello", "one").await;
    vera.done("endChat", "", json!({ "chatId": chat })).await;
    assert_eq!(send_as(&vera, &chat, "Hello", "one").await, first);
    let input = json!({ "chatId": chat, "text": "Hello?", "externalId": "two" });
    assert_eq!(vera.refused("sendMessage", input).await, ["CHAT_ENDED"]);
    world.app.stop().await;
}

async fn starting_again_with_the_same_request_id_answers_the_same_chat(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let own = json!({ "roomId": world.room, "message": "Hello", "requestId": "one" });
    let silent = json!({ "roomId": world.room, "requestId": "two" });
    let for_vera =
        json!({ "roomId": world.room, "visitorId": vera.id, "message": "Hello", "requestId": "one" });
    for (person, input) in [(&vera, own), (&vera, silent), (&olga, for_vera)] {
        let start = async || person.done("startChat", &format!("chat {{ id }} {EDGE}"), input.clone()).await;
        let first = start().await;
        world.pass(60);
        assert_eq!(start().await, first);
        let chat = text(&first["chat"]["id"]);
        // Still so once the chat has ended.
        vera.done("endChat", "", json!({ "chatId": chat })).await;
        assert_eq!(start().await, first);
    }
    let chats = world.admin.query("{ organization { chats { totalCount } } }", json!({})).await;
    assert_eq!(chats["organization"]["chats"]["totalCount"], 3);
    world.app.stop().await;
}

async fn creating_again_with_the_same_request_id_answers_the_same_chat(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let create =
        async |input: &Value| olga.done("createGroupChat", "chat { id } isExisting", input.clone()).await;
    let group = json!({ "participantIds": [odile.id], "name": "Lunch", "requestId": "one" });
    let first = create(&group).await;
    let again = create(&group).await;
    assert_eq!((&again["chat"], &again["isExisting"]), (&first["chat"], &json!(true)));
    let mut plain = group.clone();
    plain.as_object_mut().unwrap().remove("requestId");
    assert_ne!(create(&plain).await["chat"], first["chat"]);
    world.app.stop().await;
}

async fn another_call_under_the_same_request_id_is_a_conflict(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let other_room = world.admin.done("createRoom", "room { id }", json!({ "name": "Garden" })).await;
    let start = json!({ "roomId": world.room, "visitorId": vera.id, "message": "Hello", "requestId": "one" });
    olga.done("startChat", "", start.clone()).await;
    for (field, value) in [
        ("message", json!("Hello?")),
        ("message", json!(null)),
        ("isPrivate", json!(true)),
        ("roomId", other_room["room"]["id"].clone()),
    ] {
        let mut input = start.clone();
        input[field] = value;
        assert_eq!(olga.refused("startChat", input.clone()).await, ["CONFLICT"], "{input}");
    }
    let group = json!({ "participantIds": [odile.id], "requestId": "one" });
    assert_eq!(olga.refused("createGroupChat", group.clone()).await, ["CONFLICT"]);
    // The ids of others are their own.
    let mut theirs = group.clone();
    theirs["participantIds"] = json!([olga.id]);
    odile.done("createGroupChat", "", theirs.clone()).await;
    theirs["name"] = json!("Lunch");
    assert_eq!(odile.refused("createGroupChat", theirs).await, ["CONFLICT"]);
    world.app.stop().await;
}

async fn ids_have_limits(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    for (id, code) in [("x".repeat(129), "TOO_LONG"), (String::new(), "INVALID"), ("a\nb".into(), "INVALID")]
    {
        let input = json!({ "chatId": chat, "text": "Hello", "externalId": id });
        assert_eq!(vera.refused("sendMessage", input).await, [code]);
        let input = json!({ "roomId": world.room, "requestId": id });
        assert_eq!(vera.refused("startChat", input).await, [code]);
    }
    let longest = "é".repeat(128);
    assert_eq!(send_as(&vera, &chat, "Hello", &longest).await["node"]["externalId"], longest);
    vera.done("startChat", "", json!({ "roomId": world.room, "requestId": longest })).await;
    world.app.stop().await;
}
