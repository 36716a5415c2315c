//! The audiences of each event in a visitor's chat, as a table. The audiences are those of the reference: the
//! visitor, the users who participate or are present, everyone who watches the room, the present user, and
//! callers who must receive nothing.

use crate::harness::Engine;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    each_audience_receives_its_events,
    resuming_sends_same_events_as_joining,
    each_audience_receives_each_entry,
    viewer_events_include_queue_and_inbox,
);

/// The effect of a change on lists of chats.
const LISTS: &str = "subscription($in: ChatScope!) { chatChanged(in: $in) { action chatId chat { name \
                     presentUserCount messageCount userMessageCount isWaiting participationCount \
                     userParticipationCount isPrivate endedAt } } }";
const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename \
                      ... on ChatChangedEvent { chat { name } } } } }";
const DESK: &str = "subscription($rooms: [ID!]) { viewerEvents(roomIds: $rooms) { change { __typename \
                    ... on ChatChangedEvent { chat { id name } } } } }";

/// A room with two operators who may talk, one who watches, and two visitors.
struct Scene {
    world: World,
    olga: Person,
    odile: Person,
    otto: Person,
    vera: Person,
    victor: Person,
    /// A chat of Vera's in which Olga is present. A change of it marks the end of the events to receive.
    beacon: String,
    /// The same for Victor.
    other_beacon: String,
    beacons: usize,
}

/// An event: its name, the person who causes it with a mutation, and the events that are received.
type Step<'a, Heard> = (&'a str, &'a Person, &'a str, &'a Value, Heard);

/// A list that somebody follows.
struct Subscriber {
    name: &'static str,
    socket: Socket,
}

impl Scene {
    async fn new(engine: Engine) -> Self {
        let world = World::frozen(engine).await;
        let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
        let otto = world.operator("Otto").await;
        let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
        let (beacon, other_beacon) = (world.chat(&vera).await, world.chat(&victor).await);
        for user in [&olga, &odile] {
            user.done("joinChat", "", json!({ "chatId": beacon })).await;
        }
        Self { world, olga, odile, otto, vera, victor, beacon, other_beacon, beacons: 0 }
    }

    async fn subscribers(&self) -> Vec<Subscriber> {
        let room = &self.world.room;
        let mut subscribers = Vec::new();
        for (name, who, place) in [
            ("A: the visitor's chats", &self.vera, json!({ "visitorId": self.vera.id })),
            ("B: Olga's chats", &self.olga, json!({ "userId": self.olga.id })),
            ("B: Odile's chats", &self.odile, json!({ "userId": self.odile.id })),
            ("C: the room's chats", &self.otto, json!({ "roomId": room })),
            ("D: where Olga is", &self.olga, json!({ "presentUserId": self.olga.id })),
            ("D: where Odile is", &self.otto, json!({ "presentUserId": self.odile.id })),
            ("another visitor's chats", &self.victor, json!({ "visitorId": self.victor.id })),
        ] {
            let mut socket = Socket::connect(&who.url, &who.token).await;
            socket.subscribe("list", LISTS, json!({ "in": place }), None).await;
            socket.wait_until_subscribed().await;
            subscribers.push(Subscriber { name, socket });
        }
        subscribers
    }

    /// The changes that each list received since the last call, without those of the beacons.
    async fn received(&mut self, subscribers: &mut [Subscriber]) -> Vec<(&'static str, Vec<Value>)> {
        self.beacons += 1;
        let name = format!("beacon {}", self.beacons);
        for beacon in [&self.beacon, &self.other_beacon] {
            self.world.admin.done("updateChat", "", json!({ "chatId": beacon, "name": name })).await;
        }
        let mut received = Vec::new();
        for subscriber in subscribers {
            let mut changes = Vec::new();
            loop {
                let change = subscriber.socket.data().await["chatChanged"].clone();
                let id = text(&change["chatId"]);
                if id != self.beacon && id != self.other_beacon {
                    changes.push(change);
                } else if change["chat"]["name"] == json!(name) {
                    break;
                }
            }
            received.push((subscriber.name, changes));
        }
        received
    }

    /// Asserts the action that each audience receives, and that the others receive none, and the changed fields that
    /// everybody who sees the chat receives.
    async fn expect_changes(
        &mut self,
        subscribers: &mut [Subscriber],
        what: &str,
        expected: &[(&str, &str)],
        shows: Value,
    ) {
        for (name, changes) in self.received(subscribers).await {
            let actions: Vec<_> = changes.iter().map(|change| text(&change["action"])).collect();
            let wanted: Vec<_> = expected
                .iter()
                .filter(|(subscriber, _)| *subscriber == name)
                .map(|(_, action)| *action)
                .collect();
            assert_eq!(actions, wanted, "{what}: {name}");
            for chat in changes.iter().map(|change| &change["chat"]).filter(|chat| !chat.is_null()) {
                for (field, value) in shows.as_object().expect("fields") {
                    assert_eq!(&chat[field], value, "{what}: {name}: {field}");
                }
            }
        }
    }

    async fn until_nobody_is_in(&self, chat: &str) {
        let document = "query($id: ID!) { chat(id: $id) { presentUserCount } }";
        loop {
            let found = self.world.admin.query(document, json!({ "id": chat })).await;
            if found["chat"]["presentUserCount"] == json!(0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

const VISITOR: &str = "A: the visitor's chats";
const OLGA: &str = "B: Olga's chats";
const ODILE: &str = "B: Odile's chats";
const ROOM: &str = "C: the room's chats";
const OLGA_IS: &str = "D: where Olga is";
const ODILE_IS: &str = "D: where Odile is";

async fn each_audience_receives_its_events(engine: Engine) {
    let mut scene = Scene::new(engine).await;
    let subscribers = &mut scene.subscribers().await;
    let chat = scene.world.chat(&scene.vera).await;
    let shows = json!({ "presentUserCount": 0, "participationCount": 1, "isWaiting": false });
    scene
        .expect_changes(subscribers, "a visitor starts", &[(VISITOR, "ADDED"), (ROOM, "ADDED")], shows)
        .await;

    let input = json!({ "chatId": chat, "text": "Is anybody there?" });
    scene.vera.done("sendMessage", "", input).await;
    let shows = json!({ "messageCount": 1, "userMessageCount": 0, "isWaiting": true });
    scene
        .expect_changes(subscribers, "a visitor writes", &[(VISITOR, "CHANGED"), (ROOM, "CHANGED")], shows)
        .await;

    let join = json!({ "chatId": chat });
    scene.olga.done("joinChat", "", join.clone()).await;
    let expected = [(VISITOR, "CHANGED"), (OLGA, "ADDED"), (ROOM, "CHANGED"), (OLGA_IS, "ADDED")];
    let shows = json!({ "presentUserCount": 1, "isWaiting": true, "userParticipationCount": 0 });
    scene.expect_changes(subscribers, "an operator joins", &expected, shows).await;

    scene.olga.done("joinChat", "", join.clone()).await;
    scene.expect_changes(subscribers, "an operator joins again", &[], json!({})).await;

    let input = json!({ "chatId": chat, "text": "Good morning" });
    scene.olga.done("sendMessage", "", input.clone()).await;
    let expected = [(VISITOR, "CHANGED"), (OLGA, "CHANGED"), (ROOM, "CHANGED"), (OLGA_IS, "CHANGED")];
    let shows = json!({
        "messageCount": 2, "userMessageCount": 1, "isWaiting": false, "participationCount": 2,
        "userParticipationCount": 1
    });
    scene.expect_changes(subscribers, "an operator writes for the first time", &expected, shows).await;
    scene.olga.done("sendMessage", "", input.clone()).await;
    let shows = json!({ "messageCount": 3, "userMessageCount": 2, "participationCount": 2 });
    scene.expect_changes(subscribers, "an operator writes again", &expected, shows).await;

    scene.odile.done("sendMessage", "", input).await;
    let expected =
        [(VISITOR, "CHANGED"), (OLGA, "CHANGED"), (ODILE, "ADDED"), (ROOM, "CHANGED"), (OLGA_IS, "CHANGED")];
    let shows = json!({ "userMessageCount": 3, "userParticipationCount": 2, "presentUserCount": 1 });
    scene.expect_changes(subscribers, "an operator who is not there writes", &expected, shows).await;

    let all = [(VISITOR, "CHANGED"), (OLGA, "CHANGED"), (ODILE, "CHANGED"), (ROOM, "CHANGED")];
    scene.odile.done("joinChat", "", join.clone()).await;
    let expected = [&all[..], &[(OLGA_IS, "CHANGED"), (ODILE_IS, "ADDED")]].concat();
    scene
        .expect_changes(subscribers, "a second operator joins", &expected, json!({ "presentUserCount": 2 }))
        .await;

    scene.olga.done("leaveChat", "", join.clone()).await;
    let expected = [&all[..], &[(OLGA_IS, "REMOVED"), (ODILE_IS, "CHANGED")]].concat();
    scene
        .expect_changes(subscribers, "an operator leaves", &expected, json!({ "presentUserCount": 1 }))
        .await;

    scene.world.pass(50);
    for user in [&scene.olga, &scene.odile] {
        user.done("keepPresence", "", json!({ "chatId": scene.beacon })).await;
    }
    scene.expect_changes(subscribers, "leases are renewed", &[], json!({})).await;
    scene.world.pass(50);
    let shows = json!({ "presentUserCount": 0 });
    let expected = [&all[..], &[(ODILE_IS, "REMOVED")]].concat();
    scene.until_nobody_is_in(&chat).await;
    scene.expect_changes(subscribers, "an operator is not heard from", &expected, shows).await;

    hidden_and_over(&mut scene, subscribers, &chat).await;
    scene.world.app.stop().await;
}

async fn hidden_and_over(scene: &mut Scene, subscribers: &mut [Subscriber], chat: &str) {
    let all = [(VISITOR, "CHANGED"), (OLGA, "CHANGED"), (ODILE, "CHANGED")];
    let hide = |is_private: bool| json!({ "chatId": chat, "isPrivate": is_private });
    scene.olga.done("updateChat", "", hide(true)).await;
    let expected = [&all[..], &[(ROOM, "REMOVED")]].concat();
    scene
        .expect_changes(subscribers, "a chat becomes private", &expected, json!({ "isPrivate": true }))
        .await;
    let input = json!({ "chatId": chat, "text": "Just between us" });
    scene.vera.done("sendMessage", "", input).await;
    scene
        .expect_changes(subscribers, "a visitor writes in private", &all, json!({ "isWaiting": true }))
        .await;
    scene.olga.done("updateChat", "", hide(false)).await;
    let expected = [&all[..], &[(ROOM, "ADDED")]].concat();
    scene
        .expect_changes(subscribers, "a chat is private no more", &expected, json!({ "isPrivate": false }))
        .await;

    scene.olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let expected = [&all[..], &[(ROOM, "CHANGED"), (OLGA_IS, "ADDED")]].concat();
    scene
        .expect_changes(subscribers, "an operator comes back", &expected, json!({ "presentUserCount": 1 }))
        .await;
    scene.olga.done("endChat", "", json!({ "chatId": chat })).await;
    let expected = [&all[..], &[(ROOM, "CHANGED"), (OLGA_IS, "REMOVED")]].concat();
    scene.expect_changes(subscribers, "a chat ends", &expected, json!({ "presentUserCount": 0 })).await;

    let input = json!({ "roomId": scene.world.room, "visitorId": scene.vera.id, "isPrivate": true });
    scene.odile.done("startChat", "", input).await;
    let expected = [(VISITOR, "ADDED"), (ODILE, "ADDED")];
    scene
        .expect_changes(subscribers, "an operator starts in private", &expected, json!({ "isPrivate": true }))
        .await;
}

async fn resuming_sends_same_events_as_joining(engine: Engine) {
    let mut scene = Scene::new(engine).await;
    let subscribers = &mut scene.subscribers().await;
    scene.world.pass(30);
    // Of Vera's chats in the room the one that was active last is resumed.
    let chat = scene.world.chat(&scene.vera).await;
    scene.received(subscribers).await;
    let input = json!({
        "roomId": scene.world.room, "visitorId": scene.vera.id, "autoResumeUserId": scene.odile.id
    });
    let resumed = async |scene: &Scene| {
        let started = scene.odile.done("startChat", "isResumed chat { id }", input.clone()).await;
        assert_eq!((&started["isResumed"], &started["chat"]["id"]), (&json!(true), &json!(chat)));
    };
    resumed(&scene).await;
    let expected = [(VISITOR, "CHANGED"), (ODILE, "ADDED"), (ROOM, "CHANGED"), (ODILE_IS, "ADDED")];
    scene
        .expect_changes(subscribers, "an operator resumes", &expected, json!({ "presentUserCount": 1 }))
        .await;
    resumed(&scene).await;
    scene.expect_changes(subscribers, "an operator resumes again", &[], json!({})).await;
    scene.world.app.stop().await;
}

async fn each_audience_receives_each_entry(engine: Engine) {
    let scene = Scene::new(engine).await;
    let chat = scene.world.chat(&scene.vera).await;
    let mut sockets = Vec::new();
    for who in [&scene.vera, &scene.olga, &scene.odile, &scene.otto] {
        let mut socket = Socket::connect(&who.url, &who.token).await;
        socket.subscribe("chat", EVENTS, json!({ "chat": chat }), None).await;
        assert_eq!(socket.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
        sockets.push(socket);
    }
    let (olga, odile, vera) = (&scene.olga, &scene.odile, &scene.vera);
    let here = json!({ "chatId": chat });
    let says = json!({ "chatId": chat, "text": "Hello" });
    let steps: [Step<'_, &[&str]>; 9] = [
        ("a visitor writes", vera, "sendMessage", &says, &["MessageAddedEvent"]),
        (
            "an operator joins",
            olga,
            "joinChat",
            &here,
            &["ParticipationAddedEvent", "PresenceAddedEvent", "MessageAddedEvent"],
        ),
        ("an operator joins again", olga, "joinChat", &here, &[]),
        (
            "an operator writes for the first time",
            olga,
            "sendMessage",
            &says,
            &["ParticipationChangedEvent", "MessageAddedEvent"],
        ),
        ("an operator writes again", olga, "sendMessage", &says, &["MessageAddedEvent"]),
        (
            "an operator who is not there writes",
            odile,
            "sendMessage",
            &says,
            &["ParticipationAddedEvent", "MessageAddedEvent"],
        ),
        ("an operator leaves", olga, "leaveChat", &here, &["PresenceEndedEvent", "MessageAddedEvent"]),
        ("an operator has left already", olga, "leaveChat", &here, &[]),
        ("a chat ends", olga, "endChat", &here, &["ChatChangedEvent"]),
    ];
    for (number, (what, who, name, input, expected)) in steps.into_iter().enumerate() {
        who.mutate(name, "", input.clone()).await;
        // Once the visitor has received the last event, they have received all earlier ones.
        let mark = format!("after {number}");
        scene.world.admin.done("updateChat", "", json!({ "chatId": chat, "name": mark })).await;
        for socket in &mut sockets {
            let mut kinds = Vec::new();
            loop {
                let change = socket.data().await["chatEvents"]["change"].clone();
                if change["chat"]["name"] == json!(mark) {
                    break;
                }
                kinds.push(text(&change["__typename"]));
            }
            assert_eq!(kinds, expected, "{what}");
        }
    }
    scene.world.app.stop().await;
}

async fn viewer_events_include_queue_and_inbox(engine: Engine) {
    let scene = Scene::new(engine).await;
    let mut desks = Vec::new();
    for who in [&scene.olga, &scene.odile] {
        let mut socket = Socket::connect(&who.url, &who.token).await;
        socket.subscribe("desk", DESK, json!({ "rooms": [scene.world.room] }), None).await;
        assert_eq!(socket.data().await["viewerEvents"]["change"]["__typename"], "ViewerResetEvent");
        desks.push(socket);
    }
    let chat = scene.world.chat(&scene.vera).await;
    let here = json!({ "chatId": chat });
    let says = json!({ "chatId": chat, "text": "Hello" });
    let (olga, vera) = (&scene.olga, &scene.vera);
    let steps: [Step<'_, [&[&str]; 2]>; 7] = [
        ("nobody waits yet", vera, "setTyping", &here, [&[], &[]]),
        ("a visitor waits", vera, "sendMessage", &says, [&["QueueChatAddedEvent"], &["QueueChatAddedEvent"]]),
        ("they wait on", vera, "sendMessage", &says, [&["ChatChangedEvent"], &["ChatChangedEvent"]]),
        ("one takes the chat", olga, "joinChat", &here, [&["InboxChatAddedEvent"], &["ChatChangedEvent"]]),
        (
            "and answers",
            olga,
            "sendMessage",
            &says,
            [&["QueueChatRemovedEvent", "ChatChangedEvent"], &["QueueChatRemovedEvent"]],
        ),
        ("it goes on", vera, "sendMessage", &says, [&["QueueChatAddedEvent"], &["QueueChatAddedEvent"]]),
        (
            "it ends",
            olga,
            "endChat",
            &here,
            [&["QueueChatRemovedEvent", "ChatChangedEvent"], &["QueueChatRemovedEvent"]],
        ),
    ];
    for (number, (what, who, name, input, expected)) in steps.into_iter().enumerate() {
        let input = match name {
            "setTyping" => json!({ "chatId": chat, "isTyping": true }),
            _ => input.clone(),
        };
        who.done(name, "", input).await;
        let mark = format!("beacon {number}");
        scene.world.admin.done("updateChat", "", json!({ "chatId": scene.beacon, "name": mark })).await;
        for (desk, expected) in desks.iter_mut().zip(expected) {
            let mut kinds = Vec::new();
            loop {
                let change = desk.data().await["viewerEvents"]["change"].clone();
                if change["chat"]["name"] == json!(mark) {
                    break;
                }
                kinds.push(text(&change["__typename"]));
            }
            assert_eq!(kinds, expected, "{what}");
        }
    }
    scene.world.app.stop().await;
}
