//! Typing indicators are shown while an actor types, and are never stored.

use super::{group, seen, send};
use crate::harness::Engine;
use crate::harness::client::{error_code, mutation};
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::stored::{Stored, assert_unchanged};
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    typing_is_shown_until_it_stops,
    typing_expires_after_15_seconds,
    typing_is_seen_live,
    sending_ends_typing,
    leaving_and_ending_end_typing,
    typing_is_never_stored,
    typing_requires_access_to_open_chat,
);

async fn set_typing(person: &Person, chat: &str, is_typing: bool) {
    person.done("setTyping", "", json!({ "chatId": chat, "isTyping": is_typing })).await;
}

/// The actors who are typing in a chat of a response.
fn typers(chat: &Value) -> Vec<String> {
    let typing = chat["typing"].as_array().unwrap();
    typing.iter().map(|one| text(&one["actor"]["id"])).collect()
}

async fn typing(viewer: &Person, chat: &str) -> Vec<String> {
    typers(&seen(viewer, chat, "typing { actor { id } }").await)
}

async fn typing_is_shown_until_it_stops(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let (chat, other) = (world.chat(&vera).await, world.chat(&vera).await);
    set_typing(&vera, &chat, true).await;
    set_typing(&olga, &chat, true).await;
    set_typing(&olga, &chat, true).await;
    assert_eq!(typing(&olga, &chat).await, [vera.id.as_str(), &olga.id]);
    assert!(typing(&olga, &other).await.is_empty());
    set_typing(&vera, &chat, false).await;
    set_typing(&vera, &chat, false).await;
    assert_eq!(typing(&vera, &chat).await, [olga.id.as_str()]);
    world.app.stop().await;
}

async fn typing_expires_after_15_seconds(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    set_typing(&vera, &chat, true).await;
    let until = "typing { expiresAt }";
    let expected = json!({ "typing": [{ "expiresAt": "2026-11-20T12:00:15.000Z" }] });
    assert_eq!(seen(&olga, &chat, until).await, expected);
    world.pass(10);
    set_typing(&vera, &chat, true).await;
    world.pass(14);
    assert_eq!(typing(&olga, &chat).await, [vera.id.as_str()]);
    world.pass(1);
    assert!(typing(&olga, &chat).await.is_empty());
    world.app.stop().await;
}

async fn typing_is_seen_live(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let mut socket = Socket::connect(&world.app.url, &olga.token).await;
    let events = "subscription($id: ID!) { chatEvents(chatId: $id) { change { __typename
        ... on TypingChangedEvent { chat { typing { actor { id } } } } } } }";
    socket.subscribe("1", events, json!({ "id": chat }), None).await;
    assert_eq!(socket.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
    let mut next = async || {
        let change = socket.data().await["chatEvents"]["change"].clone();
        assert_eq!(change["__typename"], "TypingChangedEvent");
        typers(&change["chat"])
    };
    set_typing(&vera, &chat, true).await;
    assert_eq!(next().await, [vera.id.as_str()]);
    world.pass(1);
    set_typing(&vera, &chat, false).await;
    assert!(next().await.is_empty());
    world.pass(1);
    set_typing(&vera, &chat, true).await;
    assert_eq!(next().await, [vera.id.as_str()]);
    // The indicator expires without a call, and the event is sent nevertheless.
    world.pass(15);
    assert!(next().await.is_empty());
    world.app.stop().await;
}

async fn sending_ends_typing(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let (chat, other) = (world.chat(&vera).await, world.chat(&vera).await);
    let mut socket = Socket::connect(&world.app.url, &olga.token).await;
    let events = "subscription($id: ID!) { chatEvents(chatId: $id) { change { __typename
        ... on TypingChangedEvent { chat { typing { actor { id } } } } } } }";
    socket.subscribe("1", events, json!({ "id": chat }), None).await;
    assert_eq!(socket.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
    for (person, place) in [(&vera, &chat), (&vera, &other), (&olga, &chat)] {
        set_typing(person, place, true).await;
    }
    // The clock stands still: nothing else could end it.
    send(&vera, &chat, "Here I am").await;
    assert_eq!(typing(&olga, &chat).await, [olga.id.as_str()], "only the sender");
    assert_eq!(typing(&olga, &other).await, [vera.id.as_str()], "only in that chat");
    let mut told = Vec::new();
    while told != [olga.id.as_str()] {
        let change = socket.data().await["chatEvents"]["change"].clone();
        match change["__typename"].as_str() {
            Some("TypingChangedEvent") => told = typers(&change["chat"]),
            _ => told.clear(),
        }
    }
    // A suggestion in Olga's name is not what she types.
    let input = json!({ "chatId": chat, "text": "How about Monday?", "senderId": olga.id });
    world.admin.done("suggestMessage", "", input).await;
    assert_eq!(typing(&vera, &chat).await, [olga.id.as_str()]);
    send(&olga, &chat, "Good morning").await;
    assert!(typing(&vera, &chat).await.is_empty());
    set_typing(&olga, &chat, true).await;
    assert_eq!(typing(&vera, &chat).await, [olga.id.as_str()]);
    world.app.stop().await;
}

async fn leaving_and_ending_end_typing(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let (chat, group) = (world.chat(&vera).await, group(&olga, &[&odile.id, &vera.id]).await);
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    set_typing(&olga, &chat, true).await;
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    assert!(typing(&vera, &chat).await.is_empty());
    for person in [&odile, &vera] {
        set_typing(person, &group, true).await;
    }
    let input = json!({ "chatId": group, "participantId": odile.id });
    olga.done("removeParticipant", "", input).await;
    assert_eq!(typing(&olga, &group).await, [vera.id.as_str()]);
    olga.done("endChat", "", json!({ "chatId": group })).await;
    assert!(typing(&olga, &group).await.is_empty());
    world.app.stop().await;
}

async fn typing_is_never_stored(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let stored = Stored::of(&world.app).await;
    let before = stored.tables().await;
    set_typing(&vera, &chat, true).await;
    set_typing(&vera, &chat, false).await;
    assert_unchanged(&before, &stored.tables().await, "typing");
    world.app.stop().await;
}

async fn typing_requires_access_to_open_chat(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let program = program(&world.app, &world.admin).await;
    let chat = group(&olga, &[&odile.id]).await;
    let input = json!({ "chatId": chat, "isTyping": true });
    assert_eq!(world.admin.refused("setTyping", input.clone()).await, ["NOT_PARTICIPANT"]);
    let answer = program.ask(&mutation("setTyping", ""), json!({ "input": input })).await;
    assert_eq!(error_code(&answer), "FORBIDDEN");
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    assert_eq!(odile.refused("setTyping", input).await, ["CHAT_ENDED"]);
    assert!(typing(&olga, &chat).await.is_empty());
    world.app.stop().await;
}
