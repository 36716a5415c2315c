//! A deleted chat: gone for everybody, wherever they look and whatever they had open, and still in the database.

use crate::harness::calls::outcome;
use crate::harness::client::Client;
use crate::harness::hooks::{hook, ledger};
use crate::harness::scene::{Place, Scene};
use crate::harness::socket::Socket;
use crate::harness::stored::Stored;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    a_group_is_deleted_by_its_owner_or_an_admin_and_any_other_chat_by_an_admin,
    a_deleted_chat_is_in_no_list_count_or_search,
    nothing_can_be_done_with_a_deleted_chat,
    subscribers_of_deleted_chat_receive_gone,
    resumed_subscribers_of_deleted_chat_receive_gone,
    a_pair_whose_chat_was_deleted_has_a_new_one,
    deleted_chats_remain_in_database,
    deletion_sends_only_chat_ended_webhooks,
    a_group_is_changed_by_its_owner_or_an_admin,
);

async fn delete(client: &Client, chat: &str) -> String {
    outcome(client, "deleteChat", &json!({ "chatId": chat })).await
}

async fn a_group_is_deleted_by_its_owner_or_an_admin_and_any_other_chat_by_an_admin(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let Scene { admin, olga, odile, vera, .. } = &scene;
    assert_eq!(delete(vera, &scene.group.chat).await, "FORBIDDEN");
    assert_eq!(delete(odile, &scene.group.chat).await, "INVALID chatId");
    for place in [&scene.public, &scene.private, &scene.direct] {
        assert_eq!(delete(olga, &place.chat).await, "INVALID chatId");
    }
    let refused =
        olga.mutate("deleteChat", "deletedChatId chat { id }", json!({ "chatId": scene.direct.chat }));
    let refused = refused.await;
    assert_eq!(
        (&refused["deletedChatId"], &refused["chat"]["id"]),
        (&Value::Null, &json!(scene.direct.chat))
    );
    let done =
        olga.done("deleteChat", "deletedChatId chat { id }", json!({ "chatId": scene.group.chat })).await;
    assert_eq!((&done["deletedChatId"], &done["chat"]), (&json!(scene.group.chat), &Value::Null));
    for place in [&scene.public, &scene.private, &scene.direct] {
        assert_eq!(delete(admin, &place.chat).await, "done");
    }
    for (_, place) in scene.places() {
        assert_eq!(delete(admin, &place.chat).await, "NOT_FOUND chatId");
    }
    app.stop().await;
}

async fn a_deleted_chat_is_in_no_list_count_or_search(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    for (_, place) in scene.places() {
        assert_eq!(delete(&scene.admin, &place.chat).await, "done");
    }
    let query = "query($ids: [ID!]!, $room: ID!, $olga: ID!, $vera: ID!) {
        nodes(ids: $ids) { id }
        organization { chats { totalCount } chatSessions { totalCount } }
        room(id: $room) { chats { totalCount } waitingChatCount }
        olga: user(id: $olga) { chats { totalCount } currentChats { totalCount } }
        vera: visitor(by: { id: $vera }) { chats { totalCount } }
        viewer { inbox { totalCount } unreadCount openChatSessions { id } } }";
    let ids: Vec<_> = scene.places().into_iter().flat_map(|(_, place)| everything_of(place)).collect();
    let variables = json!({
        "ids": ids, "room": scene.room, "olga": scene.olga.id, "vera": scene.vera.id
    });
    let none = json!({ "totalCount": 0 });
    let search = "{ organization { searchMessages(query: \"morning\") { totalCount } } }";
    for client in [&scene.admin, &scene.olga, &scene.vera] {
        let found = client.query(query, variables.clone()).await;
        assert!(found["nodes"].as_array().expect("nodes").iter().all(Value::is_null), "{found:#}");
        assert_eq!(found["organization"], json!({ "chats": none, "chatSessions": none }));
        assert_eq!(found["room"]["chats"], none);
        assert_eq!(found["olga"], json!({ "chats": none, "currentChats": none }));
        assert_eq!(found["vera"], json!({ "chats": none }));
        assert_eq!(found["viewer"], json!({ "inbox": none, "unreadCount": 0, "openChatSessions": [] }));
        if client.id != scene.vera.id {
            assert_eq!(found["room"]["waitingChatCount"], 0);
            let hits = client.query(search, json!({})).await;
            assert_eq!(hits["organization"]["searchMessages"], none);
        }
    }
    app.stop().await;
}

fn everything_of(place: &Place) -> [String; 5] {
    let Place { chat, session, message, presence, participation } = place.clone();
    [chat, session, message, presence, participation]
}

async fn nothing_can_be_done_with_a_deleted_chat(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let Scene { admin, olga, odile, group, .. } = &scene;
    assert_eq!(delete(admin, &group.chat).await, "done");
    let stored = Stored::of(&app).await;
    let before = stored.tables().await;
    let (chat, session) = (json!({ "chatId": group.chat }), json!({ "chatSessionId": group.session }));
    let with = |name: &str, value: Value| {
        let mut input = chat.clone();
        input[name] = value;
        input
    };
    for (name, input, field) in [
        ("sendMessage", with("text", json!("x")), "chatId"),
        ("joinChat", chat.clone(), "chatId"),
        ("leaveChat", chat.clone(), "chatId"),
        ("keepPresence", chat.clone(), "chatId"),
        ("setTyping", with("isTyping", json!(true)), "chatId"),
        ("markRead", with("throughSequence", json!(1)), "chatId"),
        ("updateChat", with("name", json!("x")), "chatId"),
        ("addParticipants", with("participantIds", json!([odile.id])), "chatId"),
        ("removeParticipant", with("participantId", json!(odile.id)), "chatId"),
        ("archiveMessages", with("before", json!("2030-01-01T00:00:00Z")), "chatId"),
        ("restoreMessages", chat.clone(), "chatId"),
        ("createChatSession", json!({ "in": { "chat": { "id": chat["chatId"] } } }), "in"),
        ("endChat", chat.clone(), "chatId"),
        ("startChatSession", session.clone(), "chatSessionId"),
        ("finishChatSession", session.clone(), "chatSessionId"),
        ("updateChatSession", session.clone(), "chatSessionId"),
    ] {
        assert_eq!(outcome(olga, name, &input).await, format!("NOT_FOUND {field}"), "{name}");
    }
    crate::harness::stored::assert_unchanged(&before, &stored.tables().await, "a deleted chat");
    app.stop().await;
}

/// The types of the events of a stream until it ends, or until the last expected one arrives.
async fn received_until(socket: &mut Socket, last: &str) -> Vec<String> {
    let mut said = Vec::new();
    loop {
        let message = socket.receive().await;
        if message["type"] == "complete" {
            said.push("complete".to_owned());
        } else {
            let change =
                message["payload"]["data"].as_object().expect("data").values().next().expect("a field");
            let name = if change["action"].is_string() {
                &change["action"]
            } else {
                &change["change"]["__typename"]
            };
            said.push(text(name));
        }
        if said.last().is_some_and(|name| name == last) {
            return said;
        }
    }
}

async fn follow(url: &str, client: &Client, query: &str, variables: Value, after: Option<&str>) -> Socket {
    let mut socket = Socket::connect(url, &client.token).await;
    socket.subscribe("s", query, variables, after).await;
    if after.is_none() {
        socket.subscribe("q", "{ viewer { role } }", json!({}), None).await;
        while socket.receive().await["id"] != "q" {}
        assert_eq!(socket.receive().await["type"], "complete");
    }
    socket
}

async fn subscribers_of_deleted_chat_receive_gone(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let input = json!({ "roomId": world.room, "message": "Hello" });
    let chat = text(&vera.done("startChat", "chat { id }", input).await["chat"]["id"]);
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let session = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } } });
    let session =
        olga.done("createChatSession", "chatSession { id }", session).await["chatSession"]["id"].clone();
    let url = &world.app.url;
    let of_chat = json!({ "chat": chat });
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename } } }";
    let messages = "subscription($chat: ID!) { messageAdded(chatId: $chat) { cursor } }";
    let presences = "subscription($chat: ID!) { presenceChanged(chatId: $chat) { action } }";
    let sessions = "subscription($id: ID!) { chatSessionChanged(chatSessionId: $id) { at } }";
    let place = "subscription($in: ChatScope!) { chatChanged(in: $in) { action } }";
    let viewer = "subscription($rooms: [ID!]) { viewerEvents(roomIds: $rooms) { change { __typename } } }";
    let mut streams = Vec::new();
    for client in [&olga.client, &vera.client] {
        streams.push((
            follow(url, client, events, of_chat.clone(), None).await,
            vec!["ChatGoneEvent", "complete"],
        ));
    }
    streams.push((follow(url, &olga, messages, of_chat.clone(), None).await, vec!["complete"]));
    streams.push((follow(url, &olga, presences, of_chat.clone(), None).await, vec!["complete"]));
    streams.push((follow(url, &olga, sessions, json!({ "id": session }), None).await, vec!["complete"]));
    let in_room = json!({ "in": { "roomId": world.room } });
    streams.push((follow(url, &olga, place, in_room, None).await, vec!["REMOVED"]));
    let of_rooms = json!({ "rooms": [world.room] });
    let all = vec!["QueueChatRemovedEvent", "InboxChatRemovedEvent", "ChatGoneEvent"];
    streams.push((follow(url, &olga, viewer, of_rooms, None).await, all));
    let own = vec!["InboxChatRemovedEvent", "ChatGoneEvent"];
    streams.push((follow(url, &vera, viewer, json!({}), None).await, own));
    assert_eq!(delete(&world.admin, &chat).await, "done");
    for (mut socket, expected) in streams {
        assert_eq!(received_until(&mut socket, expected[expected.len() - 1]).await, expected);
    }
    // And nobody begins to follow it.
    let mut socket = Socket::connect(url, &olga.token).await;
    socket.subscribe("s", events, of_chat, None).await;
    assert_eq!(socket.receive().await["payload"][0]["extensions"]["code"], "NOT_FOUND");
    world.app.stop().await;
}

async fn resumed_subscribers_of_deleted_chat_receive_gone(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let input = json!({ "roomId": world.room, "message": "Hello" });
    let chat = text(&vera.done("startChat", "chat { id }", input).await["chat"]["id"]);
    let cursor = async |person: &Person| {
        let found = person.query("{ viewer { inbox { eventCursor } } }", json!({})).await;
        text(&found["viewer"]["inbox"]["eventCursor"])
    };
    // Olga only follows the room's queue; Vera is in the chat.
    let (of_odile, of_vera) = (cursor(&odile).await, cursor(&vera).await);
    assert_eq!(delete(&world.admin, &chat).await, "done");
    let viewer = "subscription($rooms: [ID!]) { viewerEvents(roomIds: $rooms) { change { __typename } } }";
    let place = "subscription($in: ChatScope!) { chatChanged(in: $in) { action } }";
    let (url, rooms) = (&world.app.url, json!({ "rooms": [world.room] }));
    let mut desk = follow(url, &odile, viewer, rooms, Some(&of_odile)).await;
    assert_eq!(received_until(&mut desk, "ChatGoneEvent").await, ["QueueChatRemovedEvent", "ChatGoneEvent"]);
    let in_room = json!({ "in": { "roomId": world.room } });
    let mut room = follow(url, &odile, place, in_room, Some(&of_odile)).await;
    assert_eq!(received_until(&mut room, "REMOVED").await, ["REMOVED"]);
    let mut own = follow(url, &vera, viewer, json!({}), Some(&of_vera)).await;
    assert_eq!(received_until(&mut own, "ChatGoneEvent").await, ["InboxChatRemovedEvent", "ChatGoneEvent"]);
    drop(olga);
    world.app.stop().await;
}

async fn a_pair_whose_chat_was_deleted_has_a_new_one(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let create = async |client: &Client, request_id: &str| {
        let other = if client.token == olga.token { &odile } else { &olga };
        let input = json!({ "participantId": other.id, "requestId": request_id });
        client.mutate("createDirectChat", "chat { id } isExisting", input).await
    };
    let first = create(&olga, "one").await["chat"]["id"].clone();
    assert_eq!(create(&odile, "two").await["chat"]["id"], first);
    assert_eq!(delete(&world.admin, &text(&first)).await, "done");
    // A retry of what made it finds it gone,
    let retried = create(&olga, "one").await;
    assert_eq!(retried["userErrors"][0]["code"], "NOT_FOUND", "{retried:#}");
    assert_eq!(retried["userErrors"][0]["field"], json!(["input", "requestId"]));
    // another call makes a new one, which the two then have.
    let second = create(&olga, "three").await;
    assert_eq!(second["isExisting"], false);
    assert_ne!(second["chat"]["id"], first);
    assert_eq!(create(&odile, "four").await["chat"]["id"], second["chat"]["id"]);
    // Creating a session does not find the deleted chat either.
    assert_eq!(delete(&world.admin, &text(&second["chat"]["id"])).await, "done");
    let called = olga.done(
        "createChatSession",
        "chatSession { chat { id } }",
        json!({ "in": { "participantIds": [odile.id] } }),
    );
    assert_ne!(called.await["chatSession"]["chat"]["id"], second["chat"]["id"]);
    world.app.stop().await;
}

async fn deleted_chats_remain_in_database(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let stored = Stored::of(&app).await;
    let before = stored.tables().await;
    assert_eq!(delete(&scene.admin, &scene.public.chat).await, "done");
    let after = stored.tables().await;
    for (table, rows) in &before {
        assert!(after[table].len() >= rows.len(), "{table}");
    }
    for table in ["message", "message_text", "participation"] {
        assert!(before[table].iter().all(|row| after[table].contains(row)), "{table}");
    }
    let deleted: Vec<_> = after["chat"].iter().filter(|row| row.contains("deleted_at: Some")).collect();
    assert_eq!(deleted.len(), 1);
    assert!(deleted[0].contains("deleted_by: Some"));
    app.stop().await;
}

async fn deletion_sends_only_chat_ended_webhooks(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let (ended, open) = (world.chat(&vera).await, world.chat(&vera).await);
    olga.done("endChat", "", json!({ "chatId": ended })).await;
    let events =
        ["MESSAGE_TO_VISITOR", "MESSAGE_ADDED", "CHAT_STARTED", "CHAT_ENDED", "CHAT_SESSION_CHANGED"];
    let webhook = hook(&world.admin, "https://hooks.example.org/", &events).await;
    for chat in [&ended, &open] {
        assert_eq!(delete(&world.admin, chat).await, "done");
    }
    let told = ledger(&world.admin, &webhook).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["event"], "CHAT_ENDED");
    assert!(text(&told[0]["body"]).contains(&open));
    world.app.stop().await;
}

async fn a_group_is_changed_by_its_owner_or_an_admin(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let rename = async |client: &Client, name: &str| {
        let input = json!({ "chatId": scene.group.chat, "name": name, "description": name });
        outcome(client, "updateChat", &input).await
    };
    assert_eq!(rename(&scene.odile, "Odile's").await, "INVALID chatId");
    assert_eq!(rename(&scene.otto, "Otto's").await, "NOT_FOUND chatId");
    assert_eq!(rename(&scene.olga, "Olga's").await, "done");
    assert_eq!(rename(&scene.admin, "Everybody's").await, "done");
    let query = "query($id: ID!) { chat(id: $id) { name description title } }";
    let found = scene.odile.query(query, json!({ "id": scene.group.chat })).await;
    let expected = json!({ "name": "Everybody's", "description": "Everybody's", "title": "Everybody's" });
    assert_eq!(found["chat"], expected);
    app.stop().await;
}
