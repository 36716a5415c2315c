//! The rules of the queue as tables: the effect of each kind of message, join, leave, note and end on a chat.

use crate::harness::Engine;
use crate::harness::receiver::until;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, creation, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    each_event_changes_expected_counters,
    room_queue_lists_waiting_chats,
    direct_and_group_chats_never_wait,
    room_is_staffed_by_online_users_who_answer_there,
);

/// Steps, and the expected fields of the chat after each: whether the visitor waits, since which minute, whether it is
/// a real conversation, whether a message was suggested, messages (all, users', visitor's), participations (all,
/// users', visitors'), and the present users. Each step is a minute after the previous one. Everybody who is called to
/// a session becomes a participant.
const STEPS: &str = "
    step              waits  since  real   suggested  messages  participations  present
    start             no     -      no     no         0,0,0     1,0,1           0
    suggest           no     -      no     yes        0,0,0     1,0,1           0
    olga-joins        no     -      no     yes        0,0,0     1,0,1           1
    vera-writes       yes    4      no     yes        1,0,1     1,0,1           1
    vera-writes       yes    4      no     yes        2,0,2     1,0,1           1
    suggest           yes    4      no     yes        2,0,2     1,0,1           1
    olga-notes        yes    4      no     yes        2,0,2     1,0,1           1
    otto-joins        yes    4      no     yes        2,0,2     1,0,1           2
    otto-leaves       yes    4      no     yes        2,0,2     1,0,1           1
    olga-calls        yes    4      no     yes        2,0,2     3,2,1           1
    olga-reads        yes    4      no     yes        2,0,2     3,2,1           1
    olga-tags         yes    4      no     yes        2,0,2     3,2,1           1
    olga-writes       no     -      no     yes        3,1,2     3,2,1           1
    olga-writes       no     -      yes    yes        4,2,2     3,2,1           1
    vera-writes       yes    15     yes    yes        5,2,3     3,2,1           1
    otto-writes       no     -      yes    yes        6,3,3     3,2,1           1
    for-vera          yes    17     yes    yes        7,3,4     3,2,1           1
    for-olga          no     -      yes    yes        8,4,4     3,2,1           1
    olga-leaves       no     -      yes    yes        8,4,4     3,2,1           0
    vera-writes       yes    20     yes    yes        9,4,5     3,2,1           0
    end               no     -      yes    yes        9,4,5     3,2,1           0";

struct Cast {
    vera: Person,
    olga: Person,
    otto: Person,
}

impl Cast {
    async fn of(world: &World) -> Self {
        Self {
            vera: world.visitor("vera").await,
            olga: world.operator("Olga").await,
            otto: world.operator("Otto").await,
        }
    }

    async fn play(&self, world: &World, chat: &str, step: &str) {
        let message = |more: Value| {
            let mut input = json!({ "chatId": chat, "text": "Hello" });
            for (name, value) in more.as_object().unwrap() {
                input[name] = value.clone();
            }
            input
        };
        let plain = json!({ "chatId": chat });
        let (by, name, input) = match step {
            "suggest" => (&self.olga, "suggestMessage", message(json!({}))),
            "vera-writes" => (&self.vera, "sendMessage", message(json!({}))),
            "olga-writes" => (&self.olga, "sendMessage", message(json!({}))),
            "otto-writes" => (&self.otto, "sendMessage", message(json!({}))),
            "olga-notes" => (&self.olga, "sendMessage", message(json!({ "isInternal": true }))),
            "for-vera" => (&world.admin, "sendMessage", message(json!({ "senderId": self.vera.id }))),
            "for-olga" => (&world.admin, "sendMessage", message(json!({ "senderId": self.olga.id }))),
            "olga-joins" => (&self.olga, "joinChat", plain),
            "otto-joins" => (&self.otto, "joinChat", plain),
            "olga-leaves" => (&self.olga, "leaveChat", plain),
            "otto-leaves" => (&self.otto, "leaveChat", plain),
            "olga-calls" => {
                (&self.olga, "createChatSession", json!({ "in": { "chat": { "id": chat } }, "start": true }))
            }
            "olga-reads" => (&self.olga, "markRead", json!({ "chatId": chat, "throughSequence": i32::MAX })),
            "olga-tags" => (&self.olga, "tagChat", json!({ "chatId": chat, "tags": ["vip"] })),
            "end" => (&self.vera, "endChat", plain),
            other => panic!("unknown step {other}"),
        };
        by.done(name, "", input).await;
    }
}

const FIELDS: &str = "query($id: ID!) { chat(id: $id) { isWaiting waitingSince isRealConversation
    isAutosuggested messageCount userMessageCount visitorMessageCount participationCount userParticipationCount
    visitorParticipationCount presentUserCount } }";

/// The chat as a row of the table tells it, without the step.
async fn row(world: &World, chat: &str) -> Vec<String> {
    let seen = world.admin.query(FIELDS, json!({ "id": chat })).await["chat"].clone();
    let yes = |field: &str| if seen[field] == true { "yes" } else { "no" }.to_owned();
    let counts = |fields: [&str; 3]| fields.map(|field| seen[field].to_string()).join(",");
    let since = match seen["waitingSince"].as_str() {
        // 2026-11-20T12:MM:00.000Z
        Some(at) => at[14..16].trim_start_matches('0').to_owned(),
        None => "-".to_owned(),
    };
    vec![
        yes("isWaiting"),
        since,
        yes("isRealConversation"),
        yes("isAutosuggested"),
        counts(["messageCount", "userMessageCount", "visitorMessageCount"]),
        counts(["participationCount", "userParticipationCount", "visitorParticipationCount"]),
        seen["presentUserCount"].to_string(),
    ]
}

async fn each_event_changes_expected_counters(engine: Engine) {
    // By its own clock the server would end Olga's presence.
    let world = World::frozen_with(engine, |config| {
        config.tick = std::time::Duration::from_hours(1);
    })
    .await;
    let cast = Cast::of(&world).await;
    let rows = STEPS.lines().map(str::split_whitespace).map(Iterator::collect::<Vec<_>>);
    let mut chat = String::new();
    for (place, expected) in rows.filter(|row| !row.is_empty()).skip(1).enumerate() {
        world.pass(60);
        match expected[0] {
            "start" => chat = world.chat(&cast.vera).await,
            step => cast.play(&world, &chat, step).await,
        }
        // Present users remain present.
        for person in [&cast.olga, &cast.otto] {
            person.mutate("keepPresence", "", json!({ "chatId": chat })).await;
        }
        assert_eq!(row(&world, &chat).await, expected[1..], "{}, row {}", expected[0], place + 1);
    }
    world.app.stop().await;
}

async fn room_queue_lists_waiting_chats(engine: Engine) {
    let world = World::frozen(engine).await;
    let cast = Cast::of(&world).await;
    let other = world.admin.done("createRoom", "room { id }", json!({ "name": "Billing" })).await;
    let other = text(&other["room"]["id"]);
    let mut chats = Vec::new();
    for room in [&world.room, &world.room, &other, &world.room] {
        world.pass(1);
        let started = cast.vera.done("startChat", "chat { id }", json!({ "roomId": room })).await;
        chats.push(text(&started["chat"]["id"]));
    }
    let query = "query($room: ID!) { room(id: $room) { isStaffed waitingChatCount
        chats(filter: { isWaiting: true, isEnded: false }, orderBy: { field: WAITING_SINCE, direction: ASC })
        { nodes { id } } } }";
    let queue = async |room: &str| {
        let room = cast.olga.query(query, json!({ "room": room })).await["room"].clone();
        let nodes = room["chats"]["nodes"].as_array().unwrap().clone();
        assert_eq!(room["waitingChatCount"], nodes.len(), "the count is that of the list");
        nodes.iter().map(|node| text(&node["id"])).collect::<Vec<_>>()
    };
    assert!(queue(&world.room).await.is_empty(), "a chat without a message is in no queue");
    for place in [3, 2, 0, 1] {
        world.pass(1);
        cast.play(&world, &chats[place], "vera-writes").await;
    }
    let of = |places: &[usize]| places.iter().map(|place| chats[*place].clone()).collect::<Vec<_>>();
    assert_eq!(queue(&world.room).await, of(&[3, 0, 1]));
    assert_eq!(queue(&other).await, of(&[2]));
    // Joining answers nobody; an answer takes a chat out, another question puts it behind the others.
    cast.play(&world, &chats[3], "olga-joins").await;
    assert_eq!(queue(&world.room).await, of(&[3, 0, 1]));
    cast.play(&world, &chats[3], "olga-writes").await;
    assert_eq!(queue(&world.room).await, of(&[0, 1]));
    world.pass(1);
    cast.play(&world, &chats[3], "vera-writes").await;
    assert_eq!(queue(&world.room).await, of(&[0, 1, 3]));
    cast.play(&world, &chats[0], "end").await;
    assert_eq!(queue(&world.room).await, of(&[1, 3]));
    world.app.stop().await;
}

async fn direct_and_group_chats_never_wait(engine: Engine) {
    let world = World::frozen(engine).await;
    let cast = Cast::of(&world).await;
    for kind in ["GROUP", "DIRECT"] {
        let (name, input) = creation(kind, &[&cast.vera.id]);
        let chat = text(&cast.olga.done(name, "chat { id }", input).await["chat"]["id"]);
        for step in ["vera-writes", "olga-writes", "vera-writes"] {
            cast.play(&world, &chat, step).await;
            assert_eq!(row(&world, &chat).await[..2], ["no", "-"], "{kind}: {step}");
        }
    }
    world.app.stop().await;
}

async fn room_is_staffed_by_online_users_who_answer_there(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let mut rooms = vec![world.room.clone()];
    for name in ["Pharmacy", "Billing"] {
        let made = world.admin.done("createRoom", "room { id }", json!({ "name": name })).await;
        rooms.push(text(&made["room"]["id"]));
    }
    // Vera asks: asking makes nobody but her online.
    let staffed = async || {
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Room { isStaffed } } }";
        let found = vera.query(query, json!({ "ids": rooms })).await["nodes"].clone();
        let nodes = found.as_array().expect("rooms");
        nodes.iter().map(|room| room["isStaffed"].as_bool().expect("a boolean")).collect::<Vec<_>>()
    };
    let start = async |room: usize| {
        let started = vera.done("startChat", "chat { id }", json!({ "roomId": rooms[room] })).await;
        text(&started["chat"]["id"])
    };
    let (first, second) = (start(0).await, start(1).await);
    // A user with an open subscription counts as active until their socket closes.
    let come = async |user: &Person| {
        let mut socket = Socket::connect(&world.app.url, &user.token).await;
        socket.subscribe("1", "subscription { viewerEvents { at } }", json!({}), None).await;
        let query = "query($id: ID!) { user(id: $id) { isOnline } }";
        until("user who is online", async || {
            let found = world.admin.query(query, json!({ "id": user.id })).await;
            (found["user"]["isOnline"] == true).then_some(())
        })
        .await;
        socket
    };
    assert_eq!(staffed().await, [false, false, false], "nobody is online");
    // Olga has not answered in any room yet.
    let socket = come(&olga).await;
    assert_eq!(staffed().await, [true, true, true]);
    // Once she has answered in a room, she answers there.
    olga.done("joinChat", "", json!({ "chatId": first })).await;
    assert_eq!(staffed().await, [true, false, false]);
    olga.done("leaveChat", "", json!({ "chatId": first })).await;
    vera.done("endChat", "", json!({ "chatId": first })).await;
    assert_eq!(staffed().await, [true, false, false], "also when that chat is over");
    olga.done("sendMessage", "", json!({ "chatId": second, "text": "Yes?" })).await;
    assert_eq!(staffed().await, [true, true, false]);
    drop(socket);
    world.pass(120);
    assert_eq!(staffed().await, [false, false, false], "she is gone");
    // A user who only talks to colleagues has not answered in any room.
    let input = json!({ "participantId": olga.id });
    otto.done("createDirectChat", "", input).await;
    let socket = come(&otto).await;
    assert_eq!(staffed().await, [true, true, true]);
    drop(socket);
    world.pass(120);
    let _socket = come(&olga).await;
    assert_eq!(staffed().await, [true, true, false]);
    world.admin.done("updateUser", "", json!({ "userId": olga.id, "isActive": false })).await;
    assert_eq!(staffed().await, [false, false, false], "deactivated users do not count");
    world.app.stop().await;
}
