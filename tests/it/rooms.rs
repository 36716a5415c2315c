//! Rooms with members: who sees which room and which chats, also while that changes.

mod closing;
mod live;
mod staffing;
mod supervisors;

use crate::harness::Engine;
use crate::harness::calls::outcome;
use crate::harness::client::error_code;
use crate::harness::socket::Socket;
use crate::harness::stored::twin;
use crate::harness::world::{Person, World, ids, text};
use crate::on_both;
use anteroom::domain::limits;
use serde_json::{Value, json};

on_both!(
    operator_finds_nothing_of_a_room_for_members,
    member_and_admin_see_the_room_and_its_chats,
    guest_sees_the_chat_and_not_the_room,
    members_are_listed_for_staff_who_see_the_room,
    only_admins_change_members_and_access,
);

/// A room for members only, of which these are members.
async fn members_room(world: &World, name: &str, members: &[&Person]) -> String {
    let input = json!({ "name": name, "access": "MEMBERS" });
    let created = world.admin.done("createRoom", "room { id access }", input).await;
    assert_eq!(created["room"]["access"], "MEMBERS");
    let room = text(&created["room"]["id"]);
    if !members.is_empty() {
        add(world, &room, members).await;
    }
    room
}

async fn add(world: &World, room: &str, users: &[&Person]) {
    let users: Vec<_> = users.iter().map(|user| &user.id).collect();
    world.admin.done("addRoomMembers", "", json!({ "roomId": room, "userIds": users })).await;
}

async fn remove(world: &World, room: &str, user: &Person) {
    world.admin.done("removeRoomMembers", "", json!({ "roomId": room, "userIds": [user.id] })).await;
}

async fn set_access(world: &World, room: &str, access: &str) {
    let updated =
        world.admin.done("updateRoom", "room { access }", json!({ "roomId": room, "access": access })).await;
    assert_eq!(updated["room"]["access"], access);
}

/// A chat that the visitor started in the room, and that waits for an answer.
async fn waiting_chat(visitor: &Person, room: &str) -> String {
    let input = json!({ "roomId": room, "message": "My salary" });
    text(&visitor.done("startChat", "chat { id }", input).await["chat"]["id"])
}

async fn sees(who: &Person, chat: &str) -> bool {
    let found = who.query("query($id: ID!) { chat(id: $id) { id } }", json!({ "id": chat })).await;
    found["chat"]["id"] == chat
}

/// Waits until somebody sees the chat, or sees it no longer.
async fn comes_to_see(who: &Person, chat: &str, is_seen: bool) {
    for _ in 0..200 {
        if sees(who, chat).await == is_seen {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it stays as it was");
}

/// What is in a chat of a room for members.
struct Closed {
    room: String,
    chat: String,
    /// Ids of a message, a participation, a presence and a session of it.
    parts: Vec<String>,
    session: String,
    message: String,
}

/// A chat of a room for members that has something of everything in it.
async fn closed(world: &World, member: &Person, vera: &Person) -> Closed {
    let room = members_room(world, "Salaries", &[member]).await;
    let chat = waiting_chat(vera, &room).await;
    let joined = member.done("joinChat", "presence { id }", json!({ "chatId": chat })).await;
    let input = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } } });
    let session = member.done("createChatSession", "chatSession { id }", input).await;
    let found = member
        .query(
            "query($id: ID!) { chat(id: $id) { messages(first: 1) { nodes { id } } viewerParticipation { id } } }",
            json!({ "id": chat }),
        )
        .await;
    let message = text(&found["chat"]["messages"]["nodes"][0]["id"]);
    let session = text(&session["chatSession"]["id"]);
    let parts = vec![
        message.clone(),
        text(&found["chat"]["viewerParticipation"]["id"]),
        text(&joined["presence"]["id"]),
        session.clone(),
        room.clone(),
        chat.clone(),
    ];
    Closed { room, chat, parts, session, message }
}

async fn operator_finds_nothing_of_a_room_for_members(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let closed = closed(&world, &olga, &vera).await;
    let open = world.chat(&vera).await;
    vera.done("sendMessage", "", json!({ "chatId": open, "text": "My salary" })).await;

    // Lists, counts and searches are as if only the open chat were there.
    let lists = "query($vera: ID!, $olga: ID!, $room: ID!) {
        organization { rooms { totalCount nodes { id } } chats { totalCount nodes { id } }
            inRoom: chats(filter: { roomIds: [$room] }) { totalCount nodes { id } }
            waiting: chats(filter: { isWaiting: true }) { totalCount }
            chatSessions { totalCount } searchMessages(query: \"salary\") { totalCount nodes { chat { id } } } }
        visitor(by: { id: $vera }) { chats { totalCount } }
        user(id: $olga) { chats { totalCount } currentChats { totalCount } rooms { totalCount nodes { id } } } }";
    let variables = json!({ "vera": vera.id, "olga": olga.id, "room": closed.room });
    let found = otto.query(lists, variables).await;
    let one_chat = json!({ "totalCount": 1, "nodes": [{ "id": open }] });
    let none = json!({ "totalCount": 0, "nodes": [] });
    let organization = &found["organization"];
    assert_eq!(organization["rooms"], json!({ "totalCount": 1, "nodes": [{ "id": world.room }] }));
    assert_eq!(organization["chats"], one_chat);
    assert_eq!(organization["inRoom"], none);
    assert_eq!(organization["waiting"]["totalCount"], 1);
    assert_eq!(organization["chatSessions"]["totalCount"], 0);
    assert_eq!(organization["searchMessages"]["totalCount"], 1);
    assert_eq!(found["visitor"]["chats"]["totalCount"], 1);
    assert_eq!(found["user"]["chats"]["totalCount"], 0);
    assert_eq!(found["user"]["currentChats"]["totalCount"], 0);
    assert_eq!(found["user"]["rooms"], none);

    // By its id, each thing answers as one that does not exist.
    for id in &closed.parts {
        let node = "query($id: ID!) { node(id: $id) { id } }";
        let (found, missing) =
            (otto.ask(node, json!({ "id": id })).await, otto.ask(node, json!({ "id": twin(id) })).await);
        assert_eq!(found.to_string(), missing.to_string());
    }
    let roots = [
        ("query($id: ID!) { room(id: $id) { name } }", &closed.room),
        ("query($id: ID!) { chat(id: $id) { title } }", &closed.chat),
        ("query($id: ID!) { chatSession(id: $id) { state } }", &closed.session),
    ];
    for (document, id) in roots {
        let found = otto.ask(document, json!({ "id": id })).await;
        let missing = otto.ask(document, json!({ "id": twin(id) })).await;
        assert_eq!(found.to_string(), missing.to_string(), "{document}");
    }
    // So does whatever is tried with it.
    let calls = [
        ("joinChat", "chatId", &closed.chat, json!({})),
        ("sendMessage", "chatId", &closed.chat, json!({ "text": "Hello" })),
        ("markRead", "chatId", &closed.chat, json!({ "throughSequence": 1 })),
        ("setTyping", "chatId", &closed.chat, json!({ "isTyping": true })),
        (
            "createUpload",
            "chatId",
            &closed.chat,
            json!({ "name": "a.txt", "mediaType": "text/plain", "size": 1 }),
        ),
        ("tagChat", "chatId", &closed.chat, json!({ "tags": ["a"] })),
        ("addParticipants", "chatId", &closed.chat, json!({ "participantIds": [otto.id] })),
        ("addReaction", "messageId", &closed.message, json!({ "emoji": "👍" })),
        ("acceptChatSession", "chatSessionId", &closed.session, json!({})),
        ("startChat", "roomId", &closed.room, json!({ "visitorId": vera.id })),
    ];
    for (name, field, id, more) in calls {
        let input = |id: &str| {
            let mut input = more.clone();
            input[field] = json!(id);
            input
        };
        let found = otto.mutate(name, "", input(id)).await;
        let missing = otto.mutate(name, "", input(&twin(id))).await;
        assert_eq!(found.to_string(), missing.to_string(), "{name}");
        assert_eq!(found["userErrors"][0]["code"], "NOT_FOUND", "{name}");
    }
    // And no subscription starts.
    let mut socket = Socket::connect(&otto.url, &otto.token).await;
    let subscriptions = [
        ("subscription($id: ID!) { chatEvents(chatId: $id) { at } }", &closed.chat),
        ("subscription($id: ID!) { messageAdded(chatId: $id) { cursor } }", &closed.chat),
        ("subscription($id: ID!) { presenceChanged(chatId: $id) { at } }", &closed.chat),
        ("subscription($id: ID!) { chatSessionChanged(chatSessionId: $id) { at } }", &closed.session),
        ("subscription($id: ID!) { chatChanged(in: { roomId: $id }) { at } }", &closed.room),
        ("subscription($id: ID!) { viewerEvents(roomIds: [$id]) { at } }", &closed.room),
        ("subscription($id: ID!) { roomChanged(roomId: $id) { at } }", &closed.room),
    ];
    for (document, id) in subscriptions {
        let mut answers = Vec::new();
        for id in [id.clone(), twin(id)] {
            socket.subscribe("s", document, json!({ "id": id }), None).await;
            answers.push(socket.receive().await);
        }
        assert_eq!(answers[0]["payload"][0]["extensions"]["code"], "NOT_FOUND", "{document}");
        assert_eq!(answers[0].to_string(), answers[1].to_string(), "{document}");
    }
    world.app.stop().await;
}

async fn member_and_admin_see_the_room_and_its_chats(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let chat = waiting_chat(&vera, &room).await;
    let query = "query($room: ID!, $chat: ID!) { room(id: $room) { name access waitingChatCount chats { nodes { id } } }
        chat(id: $chat) { viewerActions room { id } }
        organization { rooms { nodes { id } } chats { nodes { id } } searchMessages(query: \"salary\") { totalCount } } }";
    for who in [&olga, &world.admin] {
        let found = who.query(query, json!({ "room": room, "chat": chat })).await;
        assert_eq!(found["room"]["waitingChatCount"], 1);
        assert_eq!(ids(&found["room"]["chats"]["nodes"]), [chat.as_str()]);
        assert_eq!(found["chat"]["room"]["id"], json!(room));
        assert!(found["chat"]["viewerActions"].as_array().expect("actions").contains(&json!("SEND")));
        assert_eq!(ids(&found["organization"]["rooms"]["nodes"]), [world.room.as_str(), room.as_str()]);
        assert_eq!(ids(&found["organization"]["chats"]["nodes"]), [chat.as_str()]);
        assert_eq!(found["organization"]["searchMessages"]["totalCount"], 1);
    }
    olga.done("sendMessage", "", json!({ "chatId": chat, "text": "It is paid on Friday" })).await;
    world.app.stop().await;
}

async fn guest_sees_the_chat_and_not_the_room(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let room = members_room(&world, "Salaries", &[&olga]).await;
    let (chat, other) = (waiting_chat(&vera, &room).await, waiting_chat(&vera, &room).await);
    olga.done("addParticipants", "", json!({ "chatId": chat, "participantIds": [otto.id] })).await;
    let query = "query($room: ID!, $chat: ID!) { node(id: $room) { id } room(id: $room) { id }
        chat(id: $chat) { room { name waitingChatCount members { totalCount } chats { nodes { id } } } }
        organization { chats { nodes { id } } rooms { totalCount } } viewer { inbox { nodes { id } } } }";
    let found = otto.query(query, json!({ "room": room, "chat": chat })).await;
    assert_eq!((&found["node"], &found["room"]), (&Value::Null, &Value::Null));
    let expected = json!({
        "name": "Salaries", "waitingChatCount": 1, "members": null, "chats": { "nodes": [{ "id": chat }] }
    });
    assert_eq!(found["chat"]["room"], expected);
    assert_eq!(ids(&found["organization"]["chats"]["nodes"]), [chat.as_str()]);
    assert_eq!(found["organization"]["rooms"]["totalCount"], 1);
    assert_eq!(ids(&found["viewer"]["inbox"]["nodes"]), [chat.as_str()]);
    assert!(!sees(&otto, &other).await);
    otto.done("sendMessage", "", json!({ "chatId": chat, "text": "I help out" })).await;

    olga.done("removeParticipant", "", json!({ "chatId": chat, "participantId": otto.id })).await;
    assert!(!sees(&otto, &chat).await);
    world.app.stop().await;
}

async fn members_are_listed_for_staff_who_see_the_room(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let room = members_room(&world, "Salaries", &[&olga, &otto]).await;
    add(&world, &world.room.clone(), &[&otto]).await;
    let members =
        "query($room: ID!, $n: Int, $after: String) { room(id: $room) { members(first: $n, after: $after) {
        totalCount nodes { id } pageInfo { hasNextPage endCursor } } } }";
    let first = olga.query(members, json!({ "room": room, "n": 1 })).await["room"]["members"].clone();
    assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(2), &json!(true)));
    let after = &first["pageInfo"]["endCursor"];
    let second = olga.query(members, json!({ "room": room, "n": 1, "after": after })).await;
    let mut found = ids(&first["nodes"]);
    found.extend(ids(&second["room"]["members"]["nodes"]));
    found.sort();
    let mut expected = [olga.id.clone(), otto.id.clone()];
    expected.sort();
    assert_eq!(found, expected);

    let rooms = "query($user: ID!) { user(id: $user) { rooms { totalCount nodes { id } } } }";
    let found = olga.query(rooms, json!({ "user": otto.id })).await;
    let mut found = ids(&found["user"]["rooms"]["nodes"]);
    found.sort();
    let mut expected = [room.clone(), world.room.clone()];
    expected.sort();
    assert_eq!(found, expected);
    remove(&world, &room, &olga).await;
    let found = olga.query(rooms, json!({ "user": otto.id })).await;
    assert_eq!(found["user"]["rooms"], json!({ "totalCount": 1, "nodes": [{ "id": world.room }] }));

    // A visitor reads the room that they write to, and not who works there.
    let found = vera.query(members, json!({ "room": room })).await;
    assert_eq!(found["room"]["members"], Value::Null);
    assert_eq!(vera.query(rooms, json!({ "user": otto.id })).await["user"]["rooms"], Value::Null);
    world.app.stop().await;
}

async fn only_admins_change_members_and_access(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let room = members_room(&world, "Salaries", &[&olga]).await;
    for who in [&olga, &vera] {
        for name in ["addRoomMembers", "removeRoomMembers"] {
            let input = json!({ "roomId": room, "userIds": [olga.id] });
            assert_eq!(outcome(who, name, &input).await, "FORBIDDEN", "{name}");
        }
        let input = json!({ "roomId": room, "access": "OPEN" });
        let answer = who
            .ask(
                "mutation($input: UpdateRoomInput!) { updateRoom(input: $input) { room { id } } }",
                json!({ "input": input }),
            )
            .await;
        assert_eq!(error_code(&answer), "FORBIDDEN");
    }
    let many: Vec<_> = (0..=limits::MEMBERS).map(|_| twin(&olga.id)).collect();
    for name in ["addRoomMembers", "removeRoomMembers"] {
        let outcome = async |input: Value| outcome(&world.admin, name, &input).await;
        assert_eq!(outcome(json!({ "roomId": room, "userIds": [] })).await, "INVALID userIds");
        assert_eq!(outcome(json!({ "roomId": room, "userIds": many })).await, "TOO_MANY userIds");
        assert_eq!(outcome(json!({ "roomId": room, "userIds": [vera.id] })).await, "NOT_FOUND userIds");
        assert_eq!(
            outcome(json!({ "roomId": room, "userIds": [twin(&olga.id)] })).await,
            "NOT_FOUND userIds"
        );
        assert_eq!(outcome(json!({ "roomId": twin(&room), "userIds": [olga.id] })).await, "NOT_FOUND roomId");
        // Twice is once.
        for _ in 0..2 {
            assert_eq!(outcome(json!({ "roomId": room, "userIds": [olga.id, olga.id] })).await, "done");
        }
    }
    world.app.stop().await;
}
