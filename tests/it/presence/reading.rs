//! How far somebody has read, and what is left.

use super::{group, join, seen, send};
use crate::harness::Engine;
use crate::harness::world::{Person, World};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    messages_of_others_are_unread_until_they_are_read,
    the_read_mark_never_moves_back_nor_past_the_end,
    a_viewer_sees_what_is_unread_over_all_chats,
    unread_messages_are_counted_up_to_a_hundred,
    who_takes_no_part_has_no_read_mark,
);

async fn unread(person: &Person, chat: &str) -> i64 {
    let fields = "viewerParticipation { unreadCount }";
    seen(person, chat, fields).await["viewerParticipation"]["unreadCount"].as_i64().unwrap()
}

async fn mark(person: &Person, chat: &str, sequence: Option<i64>) -> Value {
    let mut input = json!({ "chatId": chat });
    if let Some(sequence) = sequence {
        input["sequence"] = json!(sequence);
    }
    let selection = "participation { lastReadSequence lastReadAt unreadCount } viewer { unreadCount }";
    person.done("markRead", selection, input).await
}

/// The places of the chat's messages in its log.
async fn sequences(person: &Person, chat: &str) -> Vec<i64> {
    let seen = seen(person, chat, "messages(types: [MESSAGE], first: 100) { nodes { sequence } }").await;
    let nodes = seen["messages"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["sequence"].as_i64().unwrap()).collect()
}

async fn messages_of_others_are_unread_until_they_are_read(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    for words in ["Hello", "Is anybody there?"] {
        send(&vera, &chat, words).await;
    }
    // Whoever joins late has it all before them; joining is nothing to read.
    join(&olga, &chat).await;
    assert_eq!((unread(&olga, &chat).await, unread(&vera, &chat).await), (2, 0));
    send(&olga, &chat, "Good morning").await;
    assert_eq!((unread(&olga, &chat).await, unread(&vera, &chat).await), (2, 1));
    let first = sequences(&olga, &chat).await[0];
    let marked = mark(&olga, &chat, Some(first)).await;
    assert_eq!(marked["participation"]["unreadCount"], 1);
    let marked = mark(&olga, &chat, None).await;
    assert_eq!(marked["participation"]["unreadCount"], 0);
    assert_eq!(unread(&vera, &chat).await, 1, "one reads for oneself");
    world.app.stop().await;
}

async fn the_read_mark_never_moves_back_nor_past_the_end(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    for number in 0..3 {
        send(&olga, &chat, &number.to_string()).await;
    }
    let sequences = sequences(&vera, &chat).await;
    let marked = mark(&vera, &chat, Some(sequences[1])).await;
    assert_eq!(marked["participation"]["lastReadSequence"], sequences[1]);
    let before = seen(&vera, &chat, "updatedAt viewerParticipation { lastReadAt }").await;
    world.pass(10);
    for sequence in [0, sequences[0], sequences[1]] {
        let marked = mark(&vera, &chat, Some(sequence)).await;
        assert_eq!(marked["participation"]["lastReadSequence"], sequences[1]);
        assert_eq!(marked["participation"]["unreadCount"], 1);
    }
    assert_eq!(seen(&vera, &chat, "updatedAt viewerParticipation { lastReadAt }").await, before);
    let input = json!({ "chatId": chat, "sequence": -1 });
    assert_eq!(vera.refused("markRead", input).await, ["INVALID"]);
    // Nobody has read what is still to come.
    let marked = mark(&vera, &chat, Some(1_000_000)).await;
    assert_eq!(marked["participation"]["lastReadSequence"], sequences[2]);
    assert_eq!(marked["participation"]["lastReadAt"], "2026-11-20T12:00:10.000Z");
    send(&olga, &chat, "One more").await;
    assert_eq!(unread(&vera, &chat).await, 1);
    world.app.stop().await;
}

async fn a_viewer_sees_what_is_unread_over_all_chats(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let (first, second) = (world.chat(&vera).await, group(&odile, &[&olga.id]).await);
    let others = world.chat(&vera).await;
    send(&vera, &others, "Not for Olga").await;
    join(&olga, &first).await;
    for _ in 0..2 {
        send(&vera, &first, "Hello").await;
    }
    send(&odile, &second, "Lunch?").await;
    let total = olga.query("{ viewer { unreadCount } }", json!({})).await;
    assert_eq!(total["viewer"]["unreadCount"], 3);
    assert_eq!(mark(&olga, &first, None).await["viewer"]["unreadCount"], 1);
    assert_eq!(mark(&olga, &second, None).await["viewer"]["unreadCount"], 0);
    world.app.stop().await;
}

async fn unread_messages_are_counted_up_to_a_hundred(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    for number in 1..=101 {
        send(&olga, &chat, &number.to_string()).await;
        if number == 99 {
            assert_eq!(unread(&vera, &chat).await, 99);
        }
    }
    assert_eq!(unread(&vera, &chat).await, 100);
    let total = vera.query("{ viewer { unreadCount } }", json!({})).await;
    assert_eq!(total["viewer"]["unreadCount"], 100);
    world.app.stop().await;
}

async fn who_takes_no_part_has_no_read_mark(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    send(&vera, &chat, "Hello").await;
    assert_eq!(olga.refused("markRead", json!({ "chatId": chat })).await, ["NOT_PARTICIPANT"]);
    // What has ended can still be read.
    vera.done("endChat", "", json!({ "chatId": chat })).await;
    mark(&vera, &chat, None).await;
    world.app.stop().await;
}
