//! Read marks and unread counts.

use super::{group, join, seen, send};
use crate::harness::Engine;
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::stored::{Stored, assert_unchanged};
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    messages_of_others_are_unread_until_they_are_read,
    the_read_mark_never_moves_back_nor_past_the_end,
    viewer_unread_count_covers_all_chats,
    unread_messages_are_counted_up_to_a_hundred,
    mark_read_without_participation_is_noop,
    sending_marks_as_read_up_to_the_message,
    sending_for_another_does_not_mark_read,
    a_read_mark_reaches_the_viewers_other_devices,
);

async fn unread(person: &Person, chat: &str) -> i64 {
    let fields = "viewerParticipation { unreadCount }";
    seen(person, chat, fields).await["viewerParticipation"]["unreadCount"].as_i64().unwrap()
}

async fn mark(person: &Person, chat: &str, sequence: Option<i64>) -> Value {
    let input = json!({ "chatId": chat, "throughSequence": sequence.unwrap_or(i32::MAX.into()) });
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
    // For a user who joins late, all earlier messages are unread. The join itself is not.
    join(&olga, &chat).await;
    assert_eq!((unread(&olga, &chat).await, unread(&vera, &chat).await), (2, 0));
    let first = sequences(&olga, &chat).await[0];
    let marked = mark(&olga, &chat, Some(first)).await;
    assert_eq!(marked["participation"]["unreadCount"], 1);
    let marked = mark(&olga, &chat, None).await;
    assert_eq!(marked["participation"]["unreadCount"], 0);
    send(&vera, &chat, "Hello?").await;
    send(&olga, &chat, "Good morning").await;
    assert_eq!((unread(&olga, &chat).await, unread(&vera, &chat).await), (0, 1), "one reads for oneself");
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
    let input = json!({ "chatId": chat, "throughSequence": -1 });
    assert_eq!(vera.refused("markRead", input).await, ["INVALID"]);
    // Future messages cannot be marked as read.
    let marked = mark(&vera, &chat, Some(1_000_000)).await;
    assert_eq!(marked["participation"]["lastReadSequence"], sequences[2]);
    assert_eq!(marked["participation"]["lastReadAt"], "2026-11-20T12:00:10.000Z");
    send(&olga, &chat, "One more").await;
    assert_eq!(unread(&vera, &chat).await, 1);
    world.app.stop().await;
}

async fn viewer_unread_count_covers_all_chats(engine: Engine) {
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

async fn mark_read_without_participation_is_noop(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let victor = world.visitor("victor").await;
    let chat = world.chat(&vera).await;
    send(&vera, &chat, "Hello").await;
    let selection = "participation { id } viewer { unreadCount }";
    let stored = Stored::of(&world.app).await;
    let before = stored.tables().await;
    // It waits in a queue that Olga may see.
    let marked =
        olga.done("markRead", selection, json!({ "chatId": chat, "throughSequence": i32::MAX })).await;
    assert_eq!((&marked["participation"], &marked["viewer"]["unreadCount"]), (&Value::Null, &json!(0)));
    let input = json!({ "chatId": chat, "throughSequence": -1 });
    assert_eq!(olga.refused("markRead", input).await, ["INVALID"]);
    assert_eq!(
        victor.refused("markRead", json!({ "chatId": chat, "throughSequence": i32::MAX })).await,
        ["NOT_FOUND"]
    );
    assert_unchanged(&before, &stored.tables().await, "markRead");
    // Messages of an ended chat can still be marked as read.
    vera.done("endChat", "", json!({ "chatId": chat })).await;
    mark(&vera, &chat, None).await;
    world.app.stop().await;
}

async fn sending_marks_as_read_up_to_the_message(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    for number in 0..3 {
        send(&vera, &chat, &number.to_string()).await;
    }
    world.pass(5);
    // Whoever joins by an answer has read what it answers, and what came with it.
    send(&olga, &chat, "Good morning").await;
    let last = *sequences(&olga, &chat).await.last().expect("a message");
    let fields = "viewerParticipation { unreadCount lastReadSequence lastReadAt }";
    let expected = json!({ "viewerParticipation": {
        "unreadCount": 0, "lastReadSequence": last, "lastReadAt": "2026-11-20T12:00:05.000Z" } });
    assert_eq!(seen(&olga, &chat, fields).await, expected);
    let total = olga.query("{ viewer { unreadCount } }", json!({})).await;
    assert_eq!(total["viewer"]["unreadCount"], 0);
    // The others see that their messages were read.
    let others = "participations(filter: { actorType: USER }) { nodes { lastReadSequence actor { id } } }";
    let expected = json!([{ "lastReadSequence": last, "actor": { "id": olga.id } }]);
    assert_eq!(seen(&vera, &chat, others).await["participations"]["nodes"], expected);
    // What comes after it is unread again, and sending again does not move a mark back.
    send(&vera, &chat, "And one more thing").await;
    assert_eq!(unread(&olga, &chat).await, 1);
    let input = json!({ "chatId": chat, "text": "Yes?", "externalId": "a" });
    olga.done("sendMessage", "", input.clone()).await;
    assert_eq!(unread(&olga, &chat).await, 0);
    send(&vera, &chat, "Never mind").await;
    olga.done("sendMessage", "", input).await;
    assert_eq!(unread(&olga, &chat).await, 1);
    world.app.stop().await;
}

async fn sending_for_another_does_not_mark_read(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let program = program(&world.app, &world.admin).await;
    let chat = world.chat(&vera).await;
    send(&vera, &chat, "Hello").await;
    let input = json!({ "chatId": chat, "text": "We are closed", "senderId": olga.id });
    program.done("sendMessage", "", input).await;
    assert_eq!(unread(&olga, &chat).await, 1);
    let input = json!({ "chatId": chat, "text": "Ask about Monday", "isInternal": true });
    olga.done("sendMessage", "", input).await;
    assert_eq!(unread(&olga, &chat).await, 1, "a note moves no mark that visitors see");
    world.app.stop().await;
}

async fn a_read_mark_reaches_the_viewers_other_devices(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let (chat, hidden) = (world.chat(&vera).await, group(&olga, &[&odile.id]).await);
    join(&olga, &chat).await;
    send(&vera, &chat, "Hello").await;
    send(&vera, &chat, "Is anybody there?").await;
    send(&odile, &hidden, "Lunch?").await;
    olga.done("updateParticipation", "", json!({ "chatId": hidden, "isHidden": true })).await;
    let events = "subscription { viewerEvents { cursor viewer { unreadCount } change { __typename
        ... on ChatChangedEvent { chat { id viewerParticipation { unreadCount } } }
        ... on InboxChatAddedEvent { chatEdge { node { id viewerParticipation { unreadCount } } } } } } }";
    let mut sockets = Vec::new();
    for person in [&olga, &odile] {
        let mut socket = Socket::connect(&world.app.url, &person.token).await;
        socket.subscribe("1", events, json!({}), None).await;
        let event = socket.data().await["viewerEvents"].clone();
        assert_eq!(event["change"]["__typename"], "ViewerResetEvent");
        sockets.push((socket, text(&event["cursor"])));
    }
    let (mut phone, cursor) = sockets.remove(0);
    let (mut other, _) = sockets.remove(0);
    let first = sequences(&olga, &chat).await[0];
    for (sequence, left) in [(Some(first), 1), (None, 0)] {
        world.pass(1);
        mark(&olga, &chat, sequence).await;
        let event = phone.data().await["viewerEvents"].clone();
        let expected = json!({ "__typename": "ChatChangedEvent",
            "chat": { "id": chat, "viewerParticipation": { "unreadCount": left } } });
        assert_eq!((&event["change"], &event["viewer"]["unreadCount"]), (&expected, &json!(left)));
    }
    // No event is sent for a hidden chat, to other actors, or if the mark did not move.
    mark(&olga, &hidden, None).await;
    mark(&olga, &chat, None).await;
    send(&odile, &hidden, "Lunch!").await;
    let event = phone.data().await["viewerEvents"].clone();
    assert_eq!(event["change"]["chatEdge"]["node"]["id"], hidden);
    assert_eq!(other.data().await["viewerEvents"]["change"]["chat"]["id"], hidden);
    // A device that was away sees it when it comes back.
    let mut back = Socket::connect(&world.app.url, &olga.token).await;
    back.subscribe("1", events, json!({}), Some(&cursor)).await;
    loop {
        let event = back.data().await["viewerEvents"].clone();
        let node = &event["change"]["chatEdge"]["node"];
        if node["id"] == chat {
            assert_eq!(node["viewerParticipation"]["unreadCount"], 0);
            break;
        }
    }
    world.app.stop().await;
}
