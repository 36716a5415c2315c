//! Open streams while access to a room comes and goes.

use super::{add, members_room, remove, set_access, waiting_chat};
use crate::harness::Engine;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    removed_member_loses_open_streams,
    closing_a_room_ends_the_streams_of_others_and_no_members,
    new_member_sees_the_queue_at_once,
    chats_that_a_removed_member_took_part_in_leave_the_inbox,
    client_who_was_away_learns_that_access_changed,
    open_stream_resolves_with_the_access_of_now,
);

const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename \
                      ... on ChatGoneEvent { removedChatId } } } }";
const VIEWER: &str = "subscription($rooms: [ID!]) { viewerEvents(roomIds: $rooms) { change { __typename \
                      ... on QueueChatAddedEvent { chatEdge { node { id } } } \
                      ... on QueueChatRemovedEvent { removedChatId } ... on ChatGoneEvent { removedChatId } \
                      ... on InboxChatRemovedEvent { removedChatId } } } }";
const CHANGED: &str = "subscription($room: ID!) { chatChanged(in: { roomId: $room }) { action chatId } }";

async fn connect(who: &Person) -> Socket {
    Socket::connect(&who.url, &who.token).await
}

/// The changes of a viewer until one of this kind about this chat.
async fn until(socket: &mut Socket, kind: &str, chat: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    loop {
        let change = socket.data().await["viewerEvents"]["change"].clone();
        seen.push(change.clone());
        let is_of_chat = change["removedChatId"] == chat || change["chatEdge"]["node"]["id"] == chat;
        if change["__typename"] == kind && is_of_chat {
            return seen;
        }
    }
}

async fn removed_member_loses_open_streams(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let chat = waiting_chat(&vera, &room).await;
    let (mut screen, mut desk, mut list, mut messages) =
        (connect(&olga).await, connect(&olga).await, connect(&olga).await, connect(&olga).await);
    screen.subscribe("1", EVENTS, json!({ "chat": chat }), None).await;
    assert_eq!(screen.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
    desk.subscribe("1", VIEWER, json!({ "rooms": [room] }), None).await;
    assert_eq!(desk.data().await["viewerEvents"]["change"]["__typename"], "ViewerResetEvent");
    list.subscribe("1", CHANGED, json!({ "room": room }), None).await;
    list.wait_until_subscribed().await;
    let added = "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text } } }";
    messages.subscribe("1", added, json!({ "chat": chat }), None).await;
    messages.wait_until_subscribed().await;

    remove(&world, &room, &olga).await;
    let gone = screen.data().await["chatEvents"]["change"].clone();
    assert_eq!(gone, json!({ "__typename": "ChatGoneEvent", "removedChatId": chat }));
    assert_eq!(screen.receive().await["type"], "complete");
    let seen = until(&mut desk, "ChatGoneEvent", &chat).await;
    assert!(
        seen.contains(&json!({ "__typename": "QueueChatRemovedEvent", "removedChatId": chat })),
        "{seen:?}"
    );
    assert_eq!(list.receive().await["type"], "complete");
    assert_eq!(messages.receive().await["type"], "complete");

    // What happens there afterwards is not told.
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello?" })).await;
    waiting_chat(&vera, &room).await;
    assert!(desk.is_quiet(Duration::from_millis(300)).await);
    world.app.stop().await;
}

async fn closing_a_room_ends_the_streams_of_others_and_no_members(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let room = world.room.clone();
    add(&world, &room, &[&olga]).await;
    let chat = waiting_chat(&vera, &room).await;
    let mut screens = Vec::new();
    for who in [&olga, &otto, &world.admin] {
        let mut screen = connect(who).await;
        screen.subscribe("1", EVENTS, json!({ "chat": chat }), None).await;
        screen.data().await;
        screens.push(screen);
    }
    set_access(&world, &room, "MEMBERS").await;
    let gone = screens[1].data().await["chatEvents"]["change"].clone();
    assert_eq!(gone["__typename"], "ChatGoneEvent");
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello?" })).await;
    for index in [0, 2] {
        let change = screens[index].data().await["chatEvents"]["change"].clone();
        assert_eq!(change["__typename"], "MessageAddedEvent");
    }
    world.app.stop().await;
}

async fn new_member_sees_the_queue_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = world.room.clone();
    let chat = waiting_chat(&vera, &room).await;
    let mut desk = connect(&olga).await;
    desk.subscribe("1", VIEWER, json!({ "rooms": [room] }), None).await;
    desk.data().await;
    desk.wait_until_subscribed().await;
    set_access(&world, &room, "MEMBERS").await;
    until(&mut desk, "QueueChatRemovedEvent", &chat).await;
    let meanwhile = waiting_chat(&vera, &room).await;
    add(&world, &room, &[&olga]).await;
    let seen = until(&mut desk, "QueueChatAddedEvent", &meanwhile).await;
    if !seen.iter().any(|change| change["chatEdge"]["node"]["id"] == json!(chat)) {
        until(&mut desk, "QueueChatAddedEvent", &chat).await;
    }
    // Whoever subscribes now finds the room there.
    let mut other = connect(&olga).await;
    other.subscribe("1", VIEWER, json!({ "rooms": [room] }), None).await;
    assert_eq!(other.data().await["viewerEvents"]["change"]["__typename"], "ViewerResetEvent");
    let next = waiting_chat(&vera, &room).await;
    until(&mut other, "QueueChatAddedEvent", &next).await;
    world.app.stop().await;
}

async fn chats_that_a_removed_member_took_part_in_leave_the_inbox(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let chat = waiting_chat(&vera, &room).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let (mut screen, mut desk, mut phone) =
        (connect(&olga).await, connect(&olga).await, connect(&vera).await);
    screen.subscribe("1", EVENTS, json!({ "chat": chat }), None).await;
    screen.data().await;
    desk.subscribe("1", VIEWER, json!({}), None).await;
    desk.data().await;
    desk.wait_until_subscribed().await;
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename \
                  ... on PresenceEndedEvent { presence { endReason user { id } } } } } }";
    phone.subscribe("1", events, json!({ "chat": chat }), None).await;

    remove(&world, &room, &olga).await;
    let seen = until(&mut desk, "ChatGoneEvent", &chat).await;
    assert!(
        seen.contains(&json!({ "__typename": "InboxChatRemovedEvent", "removedChatId": chat })),
        "{seen:?}"
    );
    while screen.data().await["chatEvents"]["change"]["__typename"] != "ChatGoneEvent" {}
    loop {
        let change = phone.data().await["chatEvents"]["change"].clone();
        if change["__typename"] == "PresenceEndedEvent" {
            assert_eq!(change["presence"], json!({ "endReason": "ACCESS_LOST", "user": { "id": olga.id } }));
            break;
        }
    }
    world.app.stop().await;
}

async fn client_who_was_away_learns_that_access_changed(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let chat = waiting_chat(&vera, &room).await;
    let mut desk = connect(&olga).await;
    let cursors = |events: &str| format!("subscription($id: ID!) {{ {events} {{ cursor }} }}");
    let viewer =
        "subscription($rooms: [ID!]) { viewerEvents(roomIds: $rooms) { cursor change { __typename } } }";
    desk.subscribe("1", viewer, json!({}), None).await;
    let inbox = text(&desk.data().await["viewerEvents"]["cursor"]);
    let page = "query($room: ID!, $id: ID!) { room(id: $room) { chats { eventCursor } }
        chat(id: $id) { messages(last: 1) { eventCursor } } }";
    let page = olga.query(page, json!({ "room": room, "id": chat })).await;
    let in_chat = text(&page["chat"]["messages"]["eventCursor"]);
    drop(desk);
    remove(&world, &room, &olga).await;

    let mut desk = connect(&olga).await;
    desk.subscribe("1", viewer, json!({}), Some(&inbox)).await;
    assert_eq!(desk.data().await["viewerEvents"]["change"]["__typename"], "ViewerResetEvent");
    desk.subscribe("2", &cursors("chatEvents(chatId: $id)"), json!({ "id": chat }), Some(&in_chat)).await;
    let refused = desk.receive().await;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "NOT_FOUND", "{refused}");
    // In a list that goes beyond rooms, what was lost cannot be told chat by chat.
    let of_vera = cursors("chatChanged(in: { visitorId: $id })");
    let cursor = text(&page["room"]["chats"]["eventCursor"]);
    desk.subscribe("3", &of_vera, json!({ "id": vera.id }), Some(&cursor)).await;
    let refused = desk.receive().await;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "CURSOR_EXPIRED", "{refused}");
    world.app.stop().await;
}

async fn open_stream_resolves_with_the_access_of_now(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let (closed, open) = (waiting_chat(&vera, &room).await, world.chat(&vera).await);
    let mut screen = connect(&olga).await;
    let document = "subscription($chat: ID!) { chatEvents(chatId: $chat) { \
                    chat { visitor { chats { nodes { id } } } } } }";
    screen.subscribe("1", document, json!({ "chat": open }), None).await;
    let chats = |data: &Value| data["chatEvents"]["chat"]["visitor"]["chats"]["nodes"].to_string();
    assert!(chats(&screen.data().await).contains(&closed));
    remove(&world, &room, &olga).await;
    screen.wait_until_subscribed().await;
    vera.done("sendMessage", "", json!({ "chatId": open, "text": "Hello?" })).await;
    let found = chats(&screen.data().await);
    assert!(found.contains(&open) && !found.contains(&closed), "{found}");
    world.app.stop().await;
}
