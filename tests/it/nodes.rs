//! Several nodes on one PostgreSQL: clients on all nodes see the same, with a bus, without one, and while it
//! comes and goes. The bus only makes updates faster.

use crate::harness::nats::Nats;
use crate::harness::socket::Socket;
use crate::harness::world::{NOON_MILLIS, Person, World, text};
use crate::harness::{Engine, TestApp};
use anteroom::clock::Clock;
use anteroom::config::Config;
use entity::Timestamp;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ADDED: &str = "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text } } }";

/// Two nodes; with a bus, the sweep comes so seldom that only the bus can have carried the news.
async fn two_nodes(bus: Option<&Nats>) -> (World, TestApp) {
    two_nodes_with(bus, Clock::system(), |_| {}).await
}

/// The same, by another clock and with other settings.
async fn two_nodes_with(
    bus: Option<&Nats>,
    clock: Clock,
    change: impl FnOnce(&mut Config),
) -> (World, TestApp) {
    let app = TestApp::start_with(Engine::Postgres, clock, |config| {
        config.bus = bus.map(Nats::url);
        config.sweep = if bus.is_some() { Duration::from_mins(5) } else { Duration::from_millis(100) };
        change(config);
    })
    .await;
    let second = app.second_node().await;
    (World::on(app).await, second)
}

async fn end(world: World, second: TestApp) {
    second.stop().await;
    world.app.stop().await;
}

/// A socket that follows a chat, and a question answered on it, so that the subscription stands.
async fn following(who: &Person, document: &str, variables: Value) -> Socket {
    let mut socket = Socket::connect(&who.url, &who.token).await;
    socket.subscribe("1", document, variables, None).await;
    socket.subscribe("2", "{ viewer { role } }", json!({}), None).await;
    loop {
        let message = socket.receive().await;
        assert_ne!(message["type"], "error", "{message:#}");
        if message["type"] == "complete" {
            return socket;
        }
    }
}

async fn say(who: &Person, chat: &str, words: &str) {
    who.done("sendMessage", "", json!({ "chatId": chat, "text": words })).await;
}

async fn assert_receives(socket: &mut Socket, words: &str) {
    assert_eq!(socket.data().await["messageAdded"]["node"]["text"], words);
}

#[tokio::test(flavor = "multi_thread")]
async fn message_reaches_other_node_over_bus() {
    let nats = Nats::start();
    let (world, second) = two_nodes(Some(&nats)).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let olga = World::at(&olga, &second.url);

    let mut desk = following(&olga, ADDED, json!({ "chat": chat })).await;
    let mut phone = following(&vera, ADDED, json!({ "chat": chat })).await;
    for number in 0..20 {
        let (speaker, words) = if number % 2 == 0 { (&vera, "question") } else { (&olga, "answer") };
        let words = format!("{words} {number}");
        say(speaker, &chat, &words).await;
        assert_receives(&mut desk, &words).await;
        assert_receives(&mut phone, &words).await;
    }
    end(world, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_and_read_marks_cross_the_bus() {
    let nats = Nats::start();
    let (world, second) = two_nodes(Some(&nats)).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    say(&vera, &chat, "Hello").await;
    let olga = World::at(&olga, &second.url);
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename \
                  ... on TypingChangedEvent { chat { typing { actor { displayName } } } } \
                  ... on ParticipationChangedEvent { participation { lastReadSequence } } } } }";
    let mut desk = following(&olga, events, json!({ "chat": chat })).await;

    vera.done("setTyping", "", json!({ "chatId": chat, "isTyping": true })).await;
    let typing = next_of(&mut desk, "TypingChangedEvent").await;
    assert_eq!(typing["chat"]["typing"], json!([{ "actor": { "displayName": "Visitor vera" } }]));
    say(&olga, &chat, "Yes?").await;
    vera.done("markRead", "", json!({ "chatId": chat, "throughSequence": i32::MAX })).await;
    let mark = next_of(&mut desk, "ParticipationChangedEvent").await;
    assert!(mark["participation"]["lastReadSequence"].as_i64().is_some_and(|sequence| sequence > 0));
    end(world, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_renewals_reach_other_node_over_bus() {
    Box::pin(renewed_presences_are_told_on_another_node(Some(&Nats::start()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_renewals_reach_other_node_without_bus() {
    Box::pin(renewed_presences_are_told_on_another_node(None)).await;
}

async fn renewed_presences_are_told_on_another_node(bus: Option<&Nats>) {
    let (world, second) = two_nodes_with(bus, Clock::frozen(Timestamp(NOON_MILLIS)), |config| {
        config.presence_ttl = 10;
        config.tick = Duration::from_hours(1);
    })
    .await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename \
                  ... on PresenceChangedEvent { presence { expiresAt } } } } }";
    let mut phone = following(&World::at(&vera, &second.url), events, json!({ "chat": chat })).await;
    let mut assert_told = async |end: &str| {
        let renewed = next_of(&mut phone, "PresenceChangedEvent").await;
        assert_eq!(renewed["presence"]["expiresAt"], format!("2026-11-20T12:00:{end}.000Z"));
    };
    for end in ["13", "16", "19"] {
        world.pass(3);
        olga.done("keepPresence", "", json!({ "chatId": chat })).await;
        assert_told(end).await;
    }
    // An open stream renews it when it starts, and then every third of the TTL.
    world.pass(3);
    let mut desk = Socket::connect(&world.app.url, &olga.token).await;
    desk.subscribe("1", "subscription { viewerEvents { at } }", json!({}), None).await;
    assert_told("22").await;
    world.pass(3);
    assert_told("25").await;
    end(world, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_on_one_node_ends_typing_on_another() {
    let nats = Nats::start();
    let (world, second) = two_nodes(Some(&nats)).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let (desk, phone) = (World::at(&olga, &second.url), World::at(&vera, &second.url));
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename \
                  ... on TypingChangedEvent { chat { typing { actor { id } } } } } } }";
    let mut sockets = [
        following(&olga, events, json!({ "chat": chat })).await,
        following(&desk, events, json!({ "chat": chat })).await,
    ];
    vera.done("setTyping", "", json!({ "chatId": chat, "isTyping": true })).await;
    for socket in &mut sockets {
        let typing = next_of(socket, "TypingChangedEvent").await;
        assert_eq!(typing["chat"]["typing"], json!([{ "actor": { "id": vera.id } }]));
    }
    let sent_at = Instant::now();
    say(&phone, &chat, "Here I am").await;
    for socket in &mut sockets {
        let typing = next_of(socket, "TypingChangedEvent").await;
        assert_eq!(typing["chat"]["typing"], json!([]));
    }
    assert!(sent_at.elapsed() < Duration::from_secs(14), "typing ended by itself");
    end(world, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_mark_reaches_a_device_on_another_node() {
    let nats = Nats::start();
    let (world, second) = two_nodes(Some(&nats)).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    say(&vera, &chat, "Hello").await;
    let events = "subscription { viewerEvents { viewer { unreadCount } change { __typename \
                  ... on ChatChangedEvent { chat { id } } } } }";
    let mut phone = Socket::connect(&second.url, &olga.token).await;
    phone.subscribe("1", events, json!({}), None).await;
    assert_eq!(phone.data().await["viewerEvents"]["change"]["__typename"], "ViewerResetEvent");
    olga.done("markRead", "", json!({ "chatId": chat, "throughSequence": i32::MAX })).await;
    loop {
        let event = phone.data().await["viewerEvents"].clone();
        if event["viewer"]["unreadCount"] == 0 {
            assert_eq!(event["change"], json!({ "__typename": "ChatChangedEvent", "chat": { "id": chat } }));
            break;
        }
    }
    end(world, second).await;
}

async fn next_of(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let change = socket.data().await["chatEvents"]["change"].clone();
        if change["__typename"] == kind {
            return change;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queue_is_shared_across_nodes() {
    let nats = Nats::start();
    let (world, second) = two_nodes(Some(&nats)).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let olga = World::at(&olga, &second.url);
    let queue = "subscription($in: ChatScope!, $filter: ChatFilter) { chatChanged(in: $in, filter: $filter) \
                 { action chatId } }";
    let waiting = json!({ "in": { "roomId": world.room }, "filter": { "isWaiting": true } });
    let mut desk = following(&olga, queue, waiting).await;

    let chat = world.chat(&vera).await;
    say(&vera, &chat, "Is anybody there?").await;
    let change = desk.data().await["chatChanged"].clone();
    assert_eq!(change, json!({ "action": "ADDED", "chatId": chat }));
    say(&olga, &chat, "I am").await;
    loop {
        let change = desk.data().await["chatChanged"].clone();
        assert_eq!(change["chatId"], json!(chat));
        if change["action"] == "REMOVED" {
            break;
        }
    }
    end(world, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn own_views_and_read_marks_propagate_across_nodes_over_the_bus() {
    let nats = Nats::start();
    Box::pin(own_views_and_read_marks_propagate_across_nodes(Some(&nats))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn own_views_and_read_marks_propagate_across_nodes_without_a_bus() {
    Box::pin(own_views_and_read_marks_propagate_across_nodes(None)).await;
}

const VIEWER: &str = "subscription { viewerEvents { viewer { unreadCount } change { __typename \
                      ... on ChatChangedEvent { chat { id } } \
                      ... on InboxChatAddedEvent { chatEdge { node { id } } } \
                      ... on InboxChatRemovedEvent { removedChatId } } } }";

async fn own_views_and_read_marks_propagate_across_nodes(bus: Option<&Nats>) {
    let (world, second) = two_nodes(bus).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let there = World::at(&olga, &second.url);
    let mut desk = following(&olga, VIEWER, json!({})).await;
    say(&olga, &chat, "Good morning").await;
    // The sweep, too, has found her part in the chat by then.
    while !desk.is_quiet(Duration::from_secs(1)).await {}
    let added = json!({ "__typename": "InboxChatAddedEvent", "chatEdge": { "node": { "id": chat } } });
    let changed = json!({ "__typename": "ChatChangedEvent", "chat": { "id": chat } });
    let removed = json!({ "__typename": "InboxChatRemovedEvent", "removedChatId": chat });

    let hide = async |is_hidden: bool| {
        there.done("updateParticipation", "", json!({ "chatId": chat, "isHidden": is_hidden })).await;
    };
    hide(true).await;
    assert_only(&mut desk, &removed, 0).await;
    hide(false).await;
    assert_only(&mut desk, &added, 0).await;
    hide(true).await;
    assert_only(&mut desk, &removed, 0).await;
    say(&vera, &chat, "Hello?").await;
    assert_only(&mut desk, &added, 1).await;
    there.done("markRead", "", json!({ "chatId": chat, "throughSequence": i32::MAX })).await;
    // Without a bus nobody knows the kind of change that the sweep found: what is there is said to be added.
    let read = if bus.is_some() { &changed } else { &added };
    assert_only(&mut desk, read, 0).await;
    end(world, second).await;
}

/// Asserts that the viewer is told of one change and then of nothing more, for longer than several sweeps take.
async fn assert_only(desk: &mut Socket, change: &Value, unread: u64) {
    let told = desk.data().await["viewerEvents"].clone();
    assert_eq!(told, json!({ "viewer": { "unreadCount": unread }, "change": change }));
    assert!(desk.is_quiet(Duration::from_secs(1)).await, "something came after {change}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_reach_other_node_without_bus() {
    let (world, second) = two_nodes(None).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let mut desk = following(&World::at(&olga, &second.url), ADDED, json!({ "chat": chat })).await;
    for number in 0..5 {
        say(&vera, &chat, &number.to_string()).await;
        assert_receives(&mut desk, &number.to_string()).await;
    }
    end(world, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_repeated_while_the_bus_comes_and_goes() {
    let mut nats = Nats::start();
    let bus = nats.url();
    let app = TestApp::start_with(Engine::Postgres, Clock::system(), |config| {
        config.bus = Some(bus);
        config.sweep = Duration::from_millis(200);
    })
    .await;
    let second = app.second_node().await;
    let world = World::on(app).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let mut desk = following(&World::at(&olga, &second.url), ADDED, json!({ "chat": chat })).await;

    for round in 0..3 {
        for number in 0..10 {
            say(&vera, &chat, &format!("{round}/{number} with the bus")).await;
        }
        nats.kill();
        for number in 0..10 {
            say(&vera, &chat, &format!("{round}/{number} without it")).await;
        }
        nats.start_again();
    }
    for round in 0..3 {
        for part in ["with the bus", "without it"] {
            for number in 0..10 {
                assert_receives(&mut desk, &format!("{round}/{number} {part}")).await;
            }
        }
    }
    assert!(desk.is_quiet(Duration::from_millis(500)).await, "something was repeated");
    end(world, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriber_resumes_on_another_node() {
    let (world, second) = two_nodes(None).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let mut desk = following(&olga, ADDED, json!({ "chat": chat })).await;
    say(&vera, &chat, "before").await;
    let cursor = text(&desk.next().await["extensions"]["cursor"]);
    drop(desk);
    say(&vera, &chat, "between").await;

    let mut desk = Socket::connect(&second.url, &olga.token).await;
    desk.subscribe("1", ADDED, json!({ "chat": chat }), Some(&cursor)).await;
    assert_receives(&mut desk, "between").await;
    say(&vera, &chat, "after").await;
    assert_receives(&mut desk, "after").await;
    end(world, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_member_loses_streams_on_another_node_over_the_bus() {
    let nats = Nats::start();
    Box::pin(removed_member_loses_streams_on_another_node(Some(&nats))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_member_loses_streams_on_another_node_without_a_bus() {
    Box::pin(removed_member_loses_streams_on_another_node(None)).await;
}

async fn removed_member_loses_streams_on_another_node(bus: Option<&Nats>) {
    let (world, second) = two_nodes_with(bus, Clock::system(), |config| {
        if bus.is_none() {
            // The default.
            config.sweep = Duration::from_secs(2);
        }
    })
    .await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let created = world
        .admin
        .done("createRoom", "room { id }", json!({ "name": "Salaries", "access": "MEMBERS" }))
        .await;
    let room = text(&created["room"]["id"]);
    let members = json!({ "roomId": room, "userIds": [olga.id] });
    world.admin.done("addRoomMembers", "", members.clone()).await;
    let start = json!({ "roomId": room, "message": "My salary" });
    let started = vera.done("startChat", "chat { id }", start).await;
    let chat = text(&started["chat"]["id"]);
    let started = vera.done("startChat", "chat { id }", json!({ "roomId": room, "message": "Again" })).await;
    let joined = text(&started["chat"]["id"]);
    olga.done("joinChat", "", json!({ "chatId": joined })).await;

    let there = World::at(&olga, &second.url);
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename } } }";
    let mut screen = following(&there, events, json!({ "chat": chat })).await;
    let mut other = following(&there, events, json!({ "chat": joined })).await;
    let queue = "subscription($rooms: [ID!]) { viewerEvents(roomIds: $rooms) { change { __typename \
                 ... on QueueChatRemovedEvent { removedChatId } \
                 ... on InboxChatRemovedEvent { removedChatId } } } }";
    let mut desk = following(&there, queue, json!({ "rooms": [room] })).await;

    world.admin.done("removeRoomMembers", "", members.clone()).await;
    next_of(&mut screen, "ChatGoneEvent").await;
    next_of(&mut other, "ChatGoneEvent").await;
    let mut left = vec![json!(chat), json!(joined)];
    while !left.is_empty() {
        let change = desk.data().await["viewerEvents"]["change"].clone();
        left.retain(|id| *id != change["removedChatId"]);
    }

    world.admin.done("addRoomMembers", "", members).await;
    while desk.data().await["viewerEvents"]["change"]["__typename"] != "QueueChatAddedEvent" {}
    end(world, second).await;
}
