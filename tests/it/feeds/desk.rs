//! A desk through a thousand changes, cuts and restarts: its state always equals the result of a new query.

use super::picture::{Desk, Picture};
use crate::harness::seed::seed;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

on_both!(feed_state_is_correct_after_changes_and_disconnects, feed_state_is_correct_for_lagging_client,);

const CHANGES: usize = 1_000;
/// Changes that are made at the same time.
const AT_ONCE: usize = 4;

/// Everybody who changes something, and where.
struct Office {
    world: World,
    rooms: Vec<String>,
    users: Vec<Person>,
    visitors: Vec<Person>,
    chats: Vec<String>,
    sessions: Vec<String>,
    random: StdRng,
    seed: u64,
}

async fn feed_state_is_correct_after_changes_and_disconnects(engine: Engine) {
    let office = Office::open(TestApp::start(engine).await).await;
    Box::pin(office.through(CHANGES, 3)).await;
}

/// With a ring of a few hints the desk reads its place again all the time.
async fn feed_state_is_correct_for_lagging_client(engine: Engine) {
    let app = TestApp::start_with(engine, Clock::system(), |config| config.hub_capacity = 2).await;
    Box::pin(Office::open(app).await.through(CHANGES / 4, 1)).await;
}

/// Without a bus, what is done on the other node is known by the sweep alone.
#[tokio::test(flavor = "multi_thread")]
async fn feed_state_is_correct_on_another_node() {
    let app = TestApp::start_with(Engine::Postgres, Clock::system(), |config| {
        config.sweep = Duration::from_millis(100);
    })
    .await;
    let second = app.second_node().await;
    let mut office = Office::open(app).await;
    let mut desk = office.desk();
    desk.operator = World::at(&desk.operator, &second.url);
    for _ in 0..CHANGES / 4 / AT_ONCE {
        office.change().await;
        desk.apply_pending().await;
    }
    office.check(&mut desk).await;
    second.stop().await;
    office.world.app.stop().await;
}

impl Office {
    async fn open(app: TestApp) -> Self {
        let world = World::on(app).await;
        let second = world.admin.done("createRoom", "room { id }", json!({ "name": "Billing" })).await;
        let rooms = vec![world.room.clone(), text(&second["room"]["id"])];
        let mut users = Vec::new();
        for name in ["Olga", "Odile", "Otto"] {
            users.push(world.operator(name).await);
        }
        let mut visitors = Vec::new();
        for name in ["vera", "victor", "vito", "viola"] {
            visitors.push(world.visitor(name).await);
        }
        // Somebody waits and somebody calls the desk from the start, whatever chance brings later.
        let chat = world.chat(&visitors[0]).await;
        let input = json!({ "in": { "chat": { "id": chat, "participantIds": [users[0].id] } } });
        users[1].done("createChatSession", "", input).await;
        visitors[0].done("sendMessage", "", json!({ "chatId": chat, "text": "Hello?" })).await;
        let seed = seed();
        let random = StdRng::seed_from_u64(seed);
        Self { world, rooms, users, visitors, chats: Vec::new(), sessions: Vec::new(), random, seed }
    }

    /// The first user's.
    fn desk(&self) -> Desk {
        Desk::of(self.users[0].clone(), self.rooms.clone())
    }

    async fn through(mut self, changes: usize, restarts: usize) {
        let mut desk = self.desk();
        desk.connect().await;
        let rounds = changes / AT_ONCE;
        let mut shown = Picture::default();
        for round in 1..=rounds {
            self.change().await;
            match self.random.random_range(0..10) {
                0 => desk.cut(),
                1..4 => {
                    desk.connect().await;
                    desk.apply_pending().await;
                }
                _ => desk.apply_pending().await,
            }
            shown.extend(&desk.picture);
            if round % (rounds / 10) == 0 {
                self.check(&mut desk).await;
            }
            if round % (rounds / (restarts + 1)) == 0 && round < rounds {
                self = Box::pin(self.restarted(&mut desk)).await;
            }
        }
        self.check(&mut desk).await;
        let sizes = [&shown.inbox, &shown.queues, &shown.sessions, &shown.board].map(BTreeMap::len);
        assert!(sizes.iter().all(|size| *size > 0), "a shelf stayed empty: {sizes:?}, seed {}", self.seed);
        self.world.app.stop().await;
    }

    /// The picture is right, once what is under way has come; and is no empty one.
    async fn check(&self, desk: &mut Desk) {
        if let Err(difference) = desk.settle().await {
            panic!("a wrong picture, seed {}:\n{difference}", self.seed);
        }
    }

    /// The server stops and starts again, at another address.
    async fn restarted(mut self, desk: &mut Desk) -> Self {
        desk.cut();
        let World { app, admin, room } = self.world;
        let app = app.restarted_after(|| {}).await;
        let moved = |person: &Person| World::at(person, &app.url);
        self.users = self.users.iter().map(moved).collect();
        self.visitors = self.visitors.iter().map(moved).collect();
        desk.operator = moved(&desk.operator);
        let admin = moved(&admin);
        self.world = World { app, admin, room };
        self
    }

    /// A few changes at the same time; some of them are refused, as in life.
    async fn change(&mut self) {
        let calls: Vec<_> = (0..AT_ONCE).map(|_| self.call()).collect();
        let made =
            join_all(calls.into_iter().map(|(who, name, selection, input)| async move {
                who.mutate(name, selection, input).await
            }));
        for payload in made.await {
            if let Some(id) = payload["chat"]["id"].as_str() {
                self.chats.push(id.to_owned());
            }
            if let Some(id) = payload["chatSession"]["id"].as_str() {
                self.sessions.push(id.to_owned());
            }
        }
        self.chats.sort();
        self.chats.dedup();
        self.sessions.sort();
        self.sessions.dedup();
    }

    fn one_of(&mut self, people: &[Person]) -> Person {
        people.choose(&mut self.random).expect("somebody").clone()
    }

    /// The next action of a random person.
    fn call(&mut self) -> (Person, &'static str, &'static str, Value) {
        const CHAT: &str = "chat { id }";
        let (users, visitors) = (self.users.clone(), self.visitors.clone());
        let (user, visitor) = (self.one_of(&users), self.one_of(&visitors));
        let room = self.rooms.choose(&mut self.random).expect("a room").clone();
        let chat = self.chats.choose(&mut self.random).cloned();
        let session = self.sessions.choose(&mut self.random).cloned();
        let Some(chat) = chat else {
            return (visitor, "startChat", CHAT, json!({ "roomId": room, "message": "Hello" }));
        };
        match self.random.random_range(0..118) {
            0..4 => (visitor, "startChat", CHAT, json!({ "roomId": room, "message": "Hello" })),
            4..6 => {
                let input = json!({ "roomId": room, "visitorId": visitor.id, "isPrivate": true });
                (user, "startChat", CHAT, input)
            }
            6..8 => {
                let other = self.one_of(&users);
                let input = json!({ "participantIds": [other.id, visitor.id] });
                (user, "createGroupChat", CHAT, input)
            }
            8..28 => {
                let admin = self.world.admin.clone();
                let input = json!({ "chatId": chat, "senderId": visitor.id, "text": "And then?" });
                (admin, "sendMessage", "", input)
            }
            28..45 => (user, "sendMessage", "", json!({ "chatId": chat, "text": "One moment" })),
            45..58 => (user, "joinChat", "", json!({ "chatId": chat })),
            58..66 => (user, "leaveChat", "", json!({ "chatId": chat })),
            66..72 => {
                let is_private = self.random.random_bool(0.5);
                (user, "updateChat", "", json!({ "chatId": chat, "isPrivate": is_private }))
            }
            72..76 => {
                let name = format!("Case {}", self.random.random_range(0..100));
                (user, "updateChat", "", json!({ "chatId": chat, "name": name }))
            }
            76..79 => (user, "endChat", "", json!({ "chatId": chat })),
            79..85 => {
                let called = self.one_of(&users);
                let start = self.random.random_bool(0.5);
                let input = json!({
                    "in": { "chat": { "id": chat, "participantIds": [called.id] } },
                    "start": start
                });
                (user, "createChatSession", "chatSession { id }", input)
            }
            100..104 => {
                let is_hidden = self.random.random_bool(0.5);
                (user, "updateParticipation", "", json!({ "chatId": chat, "isHidden": is_hidden }))
            }
            104..109 => {
                (user, "sendMessage", "", json!({ "chatId": chat, "text": "Among us", "isInternal": true }))
            }
            109..112 => (user, "tagChat", "", json!({ "chatId": chat, "tags": ["vip"] })),
            112..114 => (user, "untagChat", "", json!({ "chatId": chat, "tags": ["vip"] })),
            114..117 => {
                let other = self.one_of(&users);
                (user, "removeParticipant", "", json!({ "chatId": chat, "participantId": other.id }))
            }
            117 => (self.world.admin.clone(), "deleteChat", "", json!({ "chatId": chat })),
            number => {
                let Some(session) = session else {
                    return (user, "keepPresence", "", json!({ "chatId": chat }));
                };
                let name = match number {
                    85..89 => "startChatSession",
                    89..93 => "acceptChatSession",
                    93..96 => "rejectChatSession",
                    _ => "finishChatSession",
                };
                (user, name, "", json!({ "chatSessionId": session }))
            }
        }
    }
}
