//! A visitor who sent a message waits until a user sends one.

use super::{group, join, seen, send};
use crate::harness::Engine;
use crate::harness::world::{NOON, World, ids};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    a_visitor_waits_from_the_first_message_until_a_users_message,
    joins_and_sessions_do_not_count_as_answers,
    message_sent_for_visitor_waits_and_for_user_answers,
    room_lists_waiting_chats_oldest_first,
    only_chats_with_visitors_wait,
    the_end_of_a_chat_ends_the_waiting,
    real_conversation_needs_two_user_and_one_visitor_message,
);

async fn waiting_since(world: &World, chat: &str) -> Value {
    let seen = seen(&world.admin, chat, "isWaiting waitingSince").await;
    assert_eq!(seen["isWaiting"], seen["waitingSince"].is_string());
    seen["waitingSince"].clone()
}

async fn a_visitor_waits_from_the_first_message_until_a_users_message(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    assert_eq!(waiting_since(&world, &chat).await, json!(null));
    send(&vera, &chat, "Hello").await;
    world.pass(30);
    send(&vera, &chat, "Is anybody there?").await;
    assert_eq!(waiting_since(&world, &chat).await, NOON);
    send(&olga, &chat, "Good morning").await;
    assert_eq!(waiting_since(&world, &chat).await, json!(null));
    world.pass(30);
    send(&vera, &chat, "My knee").await;
    assert_eq!(waiting_since(&world, &chat).await, "2026-11-20T12:01:00.000Z");
    let counters = "messageCount userMessageCount visitorMessageCount";
    let expected = json!({ "messageCount": 4, "userMessageCount": 1, "visitorMessageCount": 3 });
    assert_eq!(seen(&olga, &chat, counters).await, expected);
    world.app.stop().await;
}

async fn joins_and_sessions_do_not_count_as_answers(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    join(&olga, &chat).await;
    assert_eq!(waiting_since(&world, &chat).await, json!(null));
    send(&vera, &chat, "Hello").await;
    world.pass(10);
    join(&olga, &chat).await;
    olga.done("createChatSession", "", json!({ "in": { "chat": { "id": chat } }, "start": true })).await;
    olga.done("setTyping", "", json!({ "chatId": chat, "isTyping": true })).await;
    olga.done("markRead", "", json!({ "chatId": chat, "throughSequence": i32::MAX })).await;
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    assert_eq!(waiting_since(&world, &chat).await, NOON);
    world.app.stop().await;
}

async fn message_sent_for_visitor_waits_and_for_user_answers(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let write = async |sender: &str| {
        let input = json!({ "chatId": chat, "text": "From the archive", "senderId": sender });
        world.admin.done("sendMessage", "", input).await;
    };
    write(&vera.id).await;
    assert_eq!(waiting_since(&world, &chat).await, NOON);
    write(&olga.id).await;
    assert_eq!(waiting_since(&world, &chat).await, json!(null));
    // A chat that a user opens with a message waits for nobody; one that a visitor does waits at once.
    for (person, since) in [(&olga, json!(null)), (&vera, json!(NOON))] {
        let mut input = json!({ "roomId": world.room, "message": "Hello" });
        if person.id == olga.id {
            input["visitorId"] = json!(vera.id);
        }
        let started = person.done("startChat", "chat { id waitingSince }", input).await;
        assert_eq!(started["chat"]["waitingSince"], since);
    }
    world.app.stop().await;
}

async fn room_lists_waiting_chats_oldest_first(engine: Engine) {
    let world = World::frozen(engine).await;
    let olga = world.operator("Olga").await;
    let mut chats = Vec::new();
    for number in 0..3 {
        let visitor = world.visitor(&format!("visitor {number}")).await;
        let chat = world.chat(&visitor).await;
        chats.push((visitor, chat));
    }
    // Not in the order in which they started.
    for number in [1, 2, 0] {
        let (visitor, chat) = &chats[number];
        world.pass(1);
        send(visitor, chat, "Hello").await;
    }
    let queue = async || {
        let query = "query($room: ID!, $order: ChatOrder) { room(id: $room) { waitingChatCount
            chats(filter: { isWaiting: true }, orderBy: $order) { nodes { id } } } }";
        let order = json!({ "field": "WAITING_SINCE", "direction": "ASC" });
        let room = olga.query(query, json!({ "room": world.room, "order": order })).await["room"].clone();
        let queue = ids(&room["chats"]["nodes"]);
        assert_eq!(room["waitingChatCount"], queue.len());
        queue
    };
    let chat = |number: usize| chats[number].1.clone();
    assert_eq!(queue().await, [chat(1), chat(2), chat(0)]);
    send(&olga, &chat(2), "Good morning").await;
    assert_eq!(queue().await, [chat(1), chat(0)]);
    // A chat without a message is in no queue.
    world.chat(&chats[2].0).await;
    assert_eq!(queue().await, [chat(1), chat(0)]);
    world.app.stop().await;
}

async fn only_chats_with_visitors_wait(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = group(&olga, &[&vera.id]).await;
    send(&vera, &chat, "Hello").await;
    assert_eq!(waiting_since(&world, &chat).await, json!(null));
    world.app.stop().await;
}

async fn the_end_of_a_chat_ends_the_waiting(engine: Engine) {
    let world = World::frozen(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    send(&vera, &chat, "Hello").await;
    vera.done("endChat", "", json!({ "chatId": chat })).await;
    assert_eq!(waiting_since(&world, &chat).await, json!(null));
    world.app.stop().await;
}

async fn real_conversation_needs_two_user_and_one_visitor_message(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    for (person, is_real) in [(&vera, false), (&olga, false), (&vera, false), (&odile, true)] {
        send(person, &chat, "Hello").await;
        join(&olga, &chat).await;
        assert_eq!(seen(&olga, &chat, "isRealConversation").await["isRealConversation"], is_real);
    }
    world.app.stop().await;
}
