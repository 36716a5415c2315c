//! Two organizations with everything whose visibility is in question, made through the public API, and the changes of
//! who sees it.

use super::rules::{Actor, Change, Chat, Id, Ids, Part, Role, Room, Rules, Thing};
use crate::harness::TestApp;
use crate::harness::client::Client;
use crate::harness::files::upload;
use crate::harness::scene::program;
use crate::harness::world::{Person, operator, organization, text, visitor};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Is in the text of every message and note.
pub const WORD: &str = "needle";
/// How long the server may take to follow a change.
const SOON: Duration = Duration::from_mins(1);

/// What the admin of an organization reads of its chats.
const STATE: &str = "{ organization { chats(first: 40) { nodes { id isWaiting endedAt
    participations(first: 10) { nodes { id endedAt actor { id } } }
    presences(first: 10) { nodes { id user { id } } } chatSessions(first: 4) { nodes { id participants { actor { id } } } }
    } } } }";

/// An organization with its people.
struct Tenant {
    admin: Person,
    rooms: Vec<Id>,
    users: Vec<Person>,
    visitors: Vec<Person>,
    program: Client,
}

/// The organizations, with the rules that hold in them.
pub struct Town {
    tenants: Vec<Tenant>,
    pub rules: Rules,
    pub random: StdRng,
}

impl Town {
    pub async fn build(app: &TestApp, random: StdRng) -> Self {
        let mut town = Self { tenants: Vec::new(), rules: Rules::default(), random };
        for name in ["clinic", "hospital"] {
            town.settle(app, name).await;
        }
        town
    }

    /// Everybody who asks, with their clients.
    pub fn people(&self) -> Vec<(Actor, Client)> {
        let of = |tenant: &Tenant| {
            let people = [&tenant.admin].into_iter().chain(&tenant.users).chain(&tenant.visitors);
            let people = people.map(|person| (self.rules.actors[&person.id].clone(), person.client.clone()));
            people.chain([(self.program_of(tenant), tenant.program.clone())]).collect::<Vec<_>>()
        };
        self.tenants.iter().flat_map(of).collect()
    }

    fn program_of(&self, tenant: &Tenant) -> Actor {
        Actor { id: "program".into(), role: Role::Program, ..self.rules.actors[&tenant.admin.id].clone() }
    }

    async fn settle(&mut self, app: &TestApp, name: &str) {
        let number = self.tenants.len();
        let (admin, first) = organization(app, name).await;
        let mut rooms = vec![(first, "OPEN")];
        for access in ["OPEN", "MEMBERS", "MEMBERS"] {
            let made =
                admin.done("createRoom", "room { id }", json!({ "name": "Room", "access": access })).await;
            rooms.push((text(&made["room"]["id"]), access));
        }
        let (mut users, mut visitors) = (Vec::new(), Vec::new());
        for index in 0..6 {
            users.push(operator(app, &admin, &format!("User {index}")).await);
        }
        for user in &users[..2] {
            admin.done("updateUser", "", json!({ "userId": user.id, "role": "SUPERVISOR" })).await;
        }
        for index in 0..3 {
            visitors.push(visitor(app, &admin, &format!("{name}-{index}")).await);
        }
        let role = |index| if index < 2 { Role::Supervisor } else { Role::Operator };
        let users_by_role = users.iter().enumerate().map(|(index, user)| (user, role(index)));
        let people = [(&admin, Role::Admin)].into_iter().chain(users_by_role);
        for (person, role) in people.chain(visitors.iter().map(|person| (person, Role::Visitor))) {
            let actor = Actor { id: person.id.clone(), tenant: number, role };
            self.rules.actors.insert(actor.id.clone(), actor);
        }
        for (room, access) in &rooms {
            let members = users.iter().filter(|_| self.random.random_bool(0.3)).map(|user| user.id.clone());
            let members: Ids = members.collect();
            if !members.is_empty() {
                admin.done("addRoomMembers", "", json!({ "roomId": room, "userIds": members })).await;
            }
            let room_of = Room { tenant: number, is_open: *access == "OPEN", members };
            self.rules.rooms.insert(room.clone(), room_of);
        }
        let rooms = rooms.into_iter().map(|(room, _)| room).collect();
        let program = program(app, &admin).await;
        self.tenants.push(Tenant { admin, rooms, users, visitors, program });
        self.talk(number).await;
        self.read(number).await;
    }

    /// Fills an organization with chats.
    async fn talk(&mut self, number: usize) {
        let Tenant { admin, rooms, users, visitors, .. } = &self.tenants[number];
        let random = &mut self.random;
        for (index, room) in rooms.iter().flat_map(|room| [room; 4]).enumerate() {
            let visitor = visitors.choose(random).expect("a visitor");
            let is_private = index % 3 == 2;
            let input = json!({ "roomId": room, "visitorId": visitor.id, "isPrivate": is_private });
            let chat = text(&admin.done("startChat", "chat { id }", input).await["chat"]["id"]);
            let user = users.choose(random).expect("a user");
            let added = random.random_bool(0.5);
            if added {
                let input = json!({ "chatId": chat, "participantIds": [user.id] });
                admin.done("addParticipants", "", input).await;
                user.done("joinChat", "", json!({ "chatId": chat })).await;
            }
            let visit = Some((room.clone(), visitor.id.clone()));
            fill(&mut self.rules, admin, &chat, visitor, Some((index, added.then_some(user)))).await;
            insert(&mut self.rules, chat, number, visit, is_private);
        }
        for _ in 0..6 {
            let people: Vec<_> = users.iter().chain(visitors).collect();
            let chosen: Vec<_> = people.sample(random, 3).copied().collect();
            let is_group = random.random_bool(0.5);
            let Some((first, others)) = chosen.split_first() else { continue };
            let Some(owner) = chosen.iter().find(|one| self.rules.actors[&one.id].role.is_user()) else {
                continue;
            };
            let other = if owner.id == first.id { others[0] } else { *first };
            let (name, input) = if is_group {
                let ids: Vec<_> = chosen.iter().map(|one| &one.id).collect();
                ("createGroupChat", json!({ "participantIds": ids }))
            } else {
                ("createDirectChat", json!({ "participantId": other.id }))
            };
            let chat = text(&owner.done(name, "chat { id }", input).await["chat"]["id"]);
            if !self.rules.chats.contains_key(&chat) {
                fill(&mut self.rules, owner, &chat, other, None).await;
                insert(&mut self.rules, chat, number, None, true);
            }
        }
        for (index, visitor) in visitors.iter().enumerate() {
            let theirs = |chat: &Chat| chat.visit.as_ref().is_some_and(|(_, id)| *id == visitor.id);
            let Some((chat, _)) = self.rules.chats.iter().find(|(_, chat)| theirs(chat)) else { continue };
            let input = json!({
                "externalId": format!("cart-{index}"), "visitorId": visitor.id, "chatId": chat, "currency": "EUR",
                "products": []
            });
            let cart = admin.done("upsertShoppingCart", "shoppingCart { id }", input).await;
            let thing = Thing { chat: chat.clone(), part: Part::Cart(visitor.id.clone()) };
            self.rules.things.insert(text(&cart["shoppingCart"]["id"]), thing);
        }
    }

    /// Reads participations, presences and what waits, which the server decides.
    async fn read(&mut self, number: usize) {
        for (chat, node) in state(&self.tenants[number].admin).await {
            let nodes = |list: &str| node[list]["nodes"].as_array().expect("a list").clone();
            let row = self.rules.chats.get_mut(&chat).expect("a chat of the town");
            row.participants = participants(&node);
            row.present = nodes("presences").iter().map(|one| text(&one["user"]["id"])).collect();
            row.is_waiting = node["isWaiting"] == true;
            let things = &mut self.rules.things;
            let mut add = |one: &Value, part| {
                things.entry(text(&one["id"])).or_insert(Thing { chat: chat.clone(), part });
            };
            for one in nodes("participations") {
                add(&one, Part::Participation(text(&one["actor"]["id"])));
            }
            for one in nodes("presences") {
                add(&one, Part::Presence);
            }
            for session in nodes("chatSessions") {
                let called = session["participants"].as_array().expect("a list");
                let called = called.iter().map(|one| text(&one["actor"]["id"])).collect();
                add(&session, Part::Session(called));
            }
        }
    }

    /// Makes a change that the rules tell apart, and waits until the server has followed.
    pub async fn change(&mut self) -> Change {
        loop {
            let number = self.random.random_range(0..self.tenants.len());
            let Some(change) = self.choose(number) else { continue };
            let (name, input) = call(&change);
            self.tenants[number].admin.done(name, "", input).await;
            self.rules.apply(&change);
            self.follow(number, &change).await;
            return change;
        }
    }

    fn choose(&mut self, number: usize) -> Option<Change> {
        let (tenant, random, rules) = (&self.tenants[number], &mut self.random, &self.rules);
        let room = tenant.rooms.choose(random)?.clone();
        let user = tenant.users.choose(random)?.id.clone();
        let is_member = rules.rooms[&room].members.contains(&user);
        let chats: Vec<_> =
            rules.chats.iter().filter(|(_, chat)| chat.tenant == number && chat.visit.is_some()).collect();
        let (chat, row) = *chats.choose(random)?;
        let participates = row.participants.contains(&user);
        let is_usable = !row.is_deleted && !row.has_ended;
        match random.random_range(0..20) {
            0..4 => (!is_member).then_some(Change::AddMember(room, user)),
            4..8 => is_member.then_some(Change::RemoveMember(room, user)),
            8..11 => Some(Change::SetAccess(room.clone(), !rules.rooms[&room].is_open)),
            11..13 => {
                let is_supervisor = rules.actors[&user].role == Role::Supervisor;
                Some(Change::SetRole(user, if is_supervisor { Role::Operator } else { Role::Supervisor }))
            }
            13..15 => is_usable.then(|| Change::SetPrivate(chat.clone(), !row.is_private)),
            15..17 => (is_usable && !participates).then(|| Change::AddParticipant(chat.clone(), user)),
            17 => (is_usable && participates).then(|| Change::RemoveParticipant(chat.clone(), user)),
            18 => is_usable.then(|| Change::End(chat.clone())),
            _ => (!row.is_deleted).then(|| Change::Delete(chat.clone())),
        }
    }

    /// Waits until everybody participates where the rules say, and reads what the server decides.
    async fn follow(&mut self, number: usize, change: &Change) {
        let until = tokio::time::Instant::now() + SOON;
        loop {
            let found = state(&self.tenants[number].admin).await;
            let differs = |(id, node): (&Id, &Value)| participants(node) != self.rules.chats[id].participants;
            match found.iter().find(|(id, node)| differs((id, node))) {
                None => break,
                Some((id, node)) if tokio::time::Instant::now() > until => {
                    panic!("{change:?}: not {:?} but {node:#}", self.rules.chats[id].participants);
                }
                Some(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        self.read(number).await;
    }
}

/// The chats of an organization, as its admin reads them.
async fn state(admin: &Person) -> BTreeMap<Id, Value> {
    let found = admin.query(STATE, json!({})).await;
    let chats = found["organization"]["chats"]["nodes"].as_array().expect("chats").clone();
    assert!(chats.len() < 40, "the admin reads one page");
    chats.into_iter().map(|chat| (text(&chat["id"]), chat)).collect()
}

fn participants(chat: &Value) -> Ids {
    let all = chat["participations"]["nodes"].as_array().expect("a list").iter();
    all.filter(|one| one["endedAt"].is_null()).map(|one| text(&one["actor"]["id"])).collect()
}

/// Writes a message, and in a VISITOR chat a note, sometimes a file, and a call of somebody.
async fn fill(
    rules: &mut Rules,
    by: &Person,
    chat: &str,
    other: &Person,
    visit: Option<(usize, Option<&Person>)>,
) {
    const SENT: &str = "messageEdge { node { id attachments { id } } }";
    let mut input = json!({ "chatId": chat, "text": format!("A {WORD}") });
    let mut sent = Vec::new();
    if let Some((index, called)) = visit {
        input["senderId"] = json!(other.id);
        if index % 2 == 0 {
            let file = upload(by, chat, "card.txt", "text/plain", b"Bring your card".to_vec()).await;
            input["attachmentIds"] = json!([file]);
        }
        let note = json!({ "chatId": chat, "text": format!("No {WORD}"), "isInternal": true });
        sent.push((Part::Note, by.done("sendMessage", SENT, note).await));
        let called = called.unwrap_or(other);
        let input = json!({ "in": { "chat": { "id": chat, "participantIds": [called.id] } } });
        by.done("createChatSession", "", input).await;
    }
    sent.push((Part::Message, by.done("sendMessage", SENT, input).await));
    for (part, payload) in sent {
        let node = &payload["messageEdge"]["node"];
        rules.things.insert(text(&node["id"]), Thing { chat: chat.to_owned(), part });
        for file in node["attachments"].as_array().into_iter().flatten() {
            rules.things.insert(text(&file["id"]), Thing { chat: chat.to_owned(), part: Part::File });
        }
    }
}

fn insert(rules: &mut Rules, chat: Id, tenant: usize, visit: Option<(Id, Id)>, is_private: bool) {
    let row = Chat {
        tenant,
        visit,
        is_private,
        has_ended: false,
        is_deleted: false,
        is_waiting: false,
        participants: Ids::new(),
        present: Ids::new(),
    };
    rules.chats.insert(chat, row);
}

/// The mutation that makes a change.
fn call(change: &Change) -> (&'static str, Value) {
    match change {
        Change::AddMember(room, user) => ("addRoomMembers", json!({ "roomId": room, "userIds": [user] })),
        Change::RemoveMember(room, user) => {
            ("removeRoomMembers", json!({ "roomId": room, "userIds": [user] }))
        }
        Change::SetAccess(room, is_open) => {
            let access = if *is_open { "OPEN" } else { "MEMBERS" };
            ("updateRoom", json!({ "roomId": room, "access": access }))
        }
        Change::SetRole(user, role) => {
            let role = if *role == Role::Supervisor { "SUPERVISOR" } else { "OPERATOR" };
            ("updateUser", json!({ "userId": user, "role": role }))
        }
        Change::SetPrivate(chat, is_private) => {
            ("updateChat", json!({ "chatId": chat, "isPrivate": is_private }))
        }
        Change::AddParticipant(chat, user) => {
            ("addParticipants", json!({ "chatId": chat, "participantIds": [user] }))
        }
        Change::RemoveParticipant(chat, user) => {
            ("removeParticipant", json!({ "chatId": chat, "participantId": user }))
        }
        Change::End(chat) => ("endChat", json!({ "chatId": chat })),
        Change::Delete(chat) => ("deleteChat", json!({ "chatId": chat })),
    }
}
