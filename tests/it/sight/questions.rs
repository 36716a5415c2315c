//! Every way to a chat and to what is in it, asked by everybody and compared with the rules.

use super::rules::{Actor, Chat, Id, Ids, Part, Role, Rules};
use super::town::WORD;
use crate::harness::client::{Client, mutation};
use crate::harness::scene::Place;
use crate::harness::stored::twin;
use crate::isolation::{FOR_USERS, in_chat};
use serde_json::{Value, json};

/// Lists of one document: it may have 30 aliases.
const AT_ONCE: usize = 14;

/// The comparisons that were made, and those that differed.
#[derive(Debug, Default)]
pub struct Tally {
    pub cases: u64,
    pub wrong: Vec<String>,
}

impl Tally {
    fn check(&mut self, expected: bool, found: bool, what: impl FnOnce() -> String) {
        self.cases += 1;
        if expected != found && self.wrong.len() < 20 {
            self.wrong.push(format!("{}: expected {expected}", what()));
        }
    }

    /// Compares a list with the expected ids, one case for each of `all`.
    pub fn compare<'a>(
        &mut self,
        all: impl IntoIterator<Item = &'a Id>,
        expected: &Ids,
        found: &Ids,
        what: &str,
    ) {
        for id in all {
            self.check(expected.contains(id), found.contains(id), || format!("{what}: {id}"));
        }
        self.check(true, found.is_subset(expected), || format!("{what}: {found:?}"));
    }
}

/// A list of chats, sessions or messages, and what the rules say is in it.
struct List {
    /// Where it is, as opened selections: `room(id: "…") {`.
    at: String,
    /// The connection with its arguments, without a selection.
    field: String,
    expected: Ids,
}

/// One who asks.
pub struct Asker<'a> {
    pub rules: &'a Rules,
    pub who: &'a Actor,
    pub client: &'a Client,
}

impl Asker<'_> {
    /// Asks everything once.
    pub async fn ask_all(&self, tally: &mut Tally) {
        self.by_id(tally).await;
        self.roots(tally).await;
        self.lists(tally).await;
        self.within(tally).await;
        self.carts(tally).await;
        self.counts(tally).await;
    }

    fn name(&self, what: &str) -> String {
        format!("{:?} {} {what}", self.who.role, self.who.id)
    }

    /// `nodes` with every id there is.
    async fn by_id(&self, tally: &mut Tally) {
        let Rules { actors, rooms, chats, things } = self.rules;
        let chats = chats.keys().map(|id| (id, self.rules.sees(self.who, id)));
        let things = things.keys().map(|id| (id, self.rules.has(self.who, id)));
        let rooms = rooms.keys().map(|id| (id, self.rules.sees_room(self.who, id)));
        let actors = actors.values().map(|actor| (&actor.id, Rules::sees_actor(self.who, actor)));
        let all: Vec<_> = chats.chain(things).chain(rooms).chain(actors).collect();
        for some in all.chunks(100) {
            let ids: Vec<_> = some.iter().map(|(id, _)| id).collect();
            let found =
                self.client.query("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": ids }));
            let found = found.await;
            for ((id, expected), node) in some.iter().zip(found["nodes"].as_array().expect("nodes")) {
                tally.check(*expected, node["id"] == **id, || self.name(&format!("node {id}")));
            }
        }
    }

    /// Each root field that takes an id.
    async fn roots(&self, tally: &mut Tally) {
        let Rules { actors, rooms, chats, things } = self.rules;
        let mut all = Vec::new();
        all.extend(chats.keys().map(|id| (format!("chat(id: \"{id}\")"), self.rules.sees(self.who, id))));
        all.extend(
            rooms.keys().map(|id| (format!("room(id: \"{id}\")"), self.rules.sees_room(self.who, id))),
        );
        let sessions = things.iter().filter(|(_, thing)| matches!(thing.part, Part::Session(_)));
        all.extend(
            sessions.map(|(id, _)| (format!("chatSession(id: \"{id}\")"), self.rules.has(self.who, id))),
        );
        for actor in actors.values() {
            let id = &actor.id;
            let field = if actor.role.is_user() {
                format!("user(id: \"{id}\")")
            } else {
                format!("visitor(by: {{ id: \"{id}\" }})")
            };
            all.push((field, Rules::sees_actor(self.who, actor)));
        }
        for some in all.chunks(20) {
            let fields =
                some.iter().enumerate().map(|(index, (field, _))| format!("f{index}: {field} {{ id }}"));
            let document = format!("{{ {} }}", fields.collect::<Vec<_>>().join(" "));
            let found = self.client.query(&document, json!({})).await;
            for (index, (field, expected)) in some.iter().enumerate() {
                let is_found = found[format!("f{index}")].is_object();
                tally.check(*expected, is_found, || self.name(field));
            }
        }
    }

    /// Every list of chats, sessions and hits, with each filter and order.
    async fn lists(&self, tally: &mut Tally) {
        let mut all = self.lists_of_chats();
        all.extend(self.lists_of_things());
        for some in all.chunk_by(|one, next| one.at == next.at).flat_map(|same| same.chunks(AT_ONCE)) {
            let at = &some[0].at;
            let fields = some
                .iter()
                .enumerate()
                .map(|(index, list)| format!("l{index}: {} {{ totalCount nodes {{ id }} }}", list.field));
            let document = format!("{{ {at} {} }} }}", fields.collect::<Vec<_>>().join(" "));
            let found = self.client.query(&document, json!({})).await;
            let root = found.as_object().and_then(|roots| roots.values().next()).expect("a root");
            for (index, list) in some.iter().enumerate() {
                let connection = &root[format!("l{index}")];
                let nodes = ids(&connection["nodes"]);
                let what = self.name(&format!("{at} {}", list.field));
                let total = connection["totalCount"].as_u64().unwrap_or_default();
                tally.check(true, total == list.expected.len() as u64, || format!("{what}: {total} in all"));
                let all: Vec<_> =
                    if list.field.starts_with("chatSessions") || list.field.starts_with("search") {
                        self.rules
                            .things
                            .keys()
                            .filter(|id| nodes.contains(*id) || list.expected.contains(*id))
                            .collect()
                    } else {
                        self.rules.chats.keys().collect()
                    };
                tally.compare(all, &list.expected, &nodes, &what);
            }
        }
    }

    fn lists_of_chats(&self) -> Vec<List> {
        let (rules, who) = (self.rules, self.who);
        let mut lists = Vec::new();
        let mut add = |at: &str, field: String, meets: &dyn Fn(&Chat) -> bool| {
            lists.push(List { at: at.to_owned(), field, expected: rules.seen(who, meets) });
        };
        let organization = "organization {";
        let filtered = |filter: &str| format!("chats(first: 100, filter: {{ {filter} }})");
        add(organization, "chats(first: 100)".into(), &|_| true);
        add(organization, filtered("isWaiting: true"), &|chat| chat.is_waiting);
        add(organization, filtered("isEnded: true"), &|chat| chat.has_ended);
        add(organization, filtered("type: VISITOR, isPrivate: true"), &|chat| {
            chat.visit.is_some() && chat.is_private
        });
        for field in ["UPDATED_AT", "ACTIVE_AT", "LAST_MESSAGE_AT"] {
            let field = format!("chats(first: 100, orderBy: {{ field: {field}, direction: DESC }})");
            add(organization, field, &|_| true);
        }
        for room in rules.rooms.keys() {
            let is_of = |chat: &Chat| chat.visit.as_ref().is_some_and(|(of, _)| of == room);
            add(organization, filtered(&format!("roomIds: [\"{room}\"]")), &is_of);
        }
        for actor in rules.actors.values() {
            let id = &actor.id;
            let participates = |chat: &Chat| chat.participants.contains(id);
            let visits = |chat: &Chat| chat.visit.as_ref().is_some_and(|(_, visitor)| visitor == id);
            // Whom the viewer does not see leads to nothing but the viewer's own chats with them.
            if Rules::sees_actor(who, actor) {
                add(organization, filtered(&format!("participantIds: [\"{id}\"]")), &participates);
            }
            if actor.role == Role::Visitor {
                add(organization, filtered(&format!("visitorId: \"{id}\"")), &visits);
            } else {
                add(organization, filtered(&format!("presentUserId: \"{id}\"")), &|chat| {
                    chat.present.contains(id)
                });
            }
        }
        for room in rules.rooms.keys() {
            let is_of = |chat: &Chat| {
                rules.sees_room(who, room) && chat.visit.as_ref().is_some_and(|(of, _)| of == room)
            };
            let at = format!("room(id: \"{room}\") {{");
            add(&at, "chats(first: 100)".into(), &is_of);
            add(&at, filtered("isWaiting: true"), &|chat| is_of(chat) && chat.is_waiting);
        }
        for actor in rules.actors.values() {
            let (id, is_seen) = (&actor.id, Rules::sees_actor(who, actor));
            if actor.role.is_user() {
                let at = format!("user(id: \"{id}\") {{");
                add(&at, "chats(first: 100)".into(), &|chat| is_seen && chat.participants.contains(id));
                add(&at, "currentChats(first: 100)".into(), &|chat| is_seen && chat.present.contains(id));
            } else {
                let at = format!("visitor(by: {{ id: \"{id}\" }}) {{");
                add(&at, "chats(first: 100)".into(), &|chat| {
                    is_seen && chat.visit.as_ref().is_some_and(|(_, visitor)| visitor == id)
                });
            }
        }
        let expected = rules.inbox(who);
        lists.push(List { at: "viewer {".into(), field: "inbox(first: 100)".into(), expected });
        lists
    }

    fn lists_of_things(&self) -> Vec<List> {
        let (rules, who) = (self.rules, self.who);
        let had = |meets: &dyn Fn(&Id, &Part) -> bool| {
            let things = rules.things.iter().filter(|(id, thing)| {
                rules.has(who, id) && rules.sees(who, &thing.chat) && meets(&thing.chat, &thing.part)
            });
            things.map(|(id, _)| id.clone()).collect::<Ids>()
        };
        let mut lists = Vec::new();
        let mut add = |field: String, expected: Ids| {
            lists.push(List { at: "organization {".into(), field, expected });
        };
        add("chatSessions(first: 100)".into(), had(&|_, part| matches!(part, Part::Session(_))));
        for chat in rules.chats.keys() {
            let of_chat = |of: &Id, part: &Part| of == chat && matches!(part, Part::Session(_));
            add(format!("chatSessions(first: 100, filter: {{ chatId: \"{chat}\" }})"), had(&of_chat));
        }
        // Visitors search in their chats.
        let is_staff = who.role != Role::Visitor;
        let is_text = |part: &Part| is_staff && matches!(part, Part::Message | Part::Note);
        add(format!("searchMessages(first: 100, query: \"{WORD}\")"), had(&|_, part| is_text(part)));
        lists
    }

    /// The parts of each visible chat.
    async fn within(&self, tally: &mut Tally) {
        let document = format!(
            "query($id: ID!) {{ chat(id: $id) {{ messages(first: 100) {{ nodes {{ id attachments {{ id }} }} }}
             participations(first: 100) {{ nodes {{ id }} }} presences(first: 100) {{ nodes {{ id }} }}
             chatSessions(first: 100) {{ nodes {{ id chat {{ id }} }} }}
             searchMessages(first: 100, query: \"{WORD}\") {{ nodes {{ id chat {{ id }} }} }} }} }}"
        );
        for chat in self.rules.seen(self.who, |_| true) {
            let found = self.client.query(&document, json!({ "id": chat })).await["chat"].clone();
            let is_of = |id: &&Id| self.rules.things[*id].chat == chat;
            let things: Vec<_> = self.rules.things.keys().filter(is_of).collect();
            for id in things {
                let expected = self.rules.has(self.who, id);
                let (list, is_text) = match &self.rules.things[id].part {
                    Part::Message | Part::Note => ("messages", true),
                    Part::Session(_) => ("chatSessions", false),
                    // The list has those who participate now.
                    Part::Participation(who) if self.rules.chats[&chat].participants.contains(who) => {
                        ("participations", false)
                    }
                    Part::Participation(_) | Part::Presence | Part::File | Part::Cart(_) => continue,
                };
                let is_in = |list: &str| ids(&found[list]["nodes"]).contains(id);
                tally.check(expected, is_in(list), || self.name(&format!("{list} of {chat}: {id}")));
                if is_text {
                    let what = || self.name(&format!("hits in {chat}: {id}"));
                    tally.check(expected, is_in("searchMessages"), what);
                }
            }
        }
    }

    /// The chat of a cart that the viewer sees.
    async fn carts(&self, tally: &mut Tally) {
        let is_cart = |id: &&Id| matches!(self.rules.things[*id].part, Part::Cart(_));
        let carts: Vec<_> = self.rules.things.keys().filter(is_cart).collect();
        let document = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on ShoppingCart { chat { id } } } }";
        let found = self.client.query(document, json!({ "ids": carts })).await;
        for (id, node) in carts.iter().zip(found["nodes"].as_array().expect("nodes")) {
            let chat = &self.rules.things[*id].chat;
            let expected = self.rules.has(self.who, id) && self.rules.sees(self.who, chat);
            tally.check(expected, node["chat"]["id"] == **chat, || self.name(&format!("chat of cart {id}")));
        }
    }

    /// What waits in each room.
    async fn counts(&self, tally: &mut Tally) {
        if self.who.role == Role::Visitor {
            return;
        }
        for room in self.rules.rooms.keys().filter(|room| self.rules.sees_room(self.who, room)) {
            let document = "query($id: ID!) { room(id: $id) { waitingChatCount } }";
            let found = self.client.query(document, json!({ "id": room })).await;
            let waits =
                |chat: &Chat| chat.is_waiting && chat.visit.as_ref().is_some_and(|(of, _)| of == room);
            let expected = self.rules.seen(self.who, waits).len() as u64;
            let found = found["room"]["waitingChatCount"].as_u64();
            tally.check(true, found == Some(expected), || {
                self.name(&format!("waiting in {room}: {found:?} instead of {expected}"))
            });
        }
    }

    /// Every mutation and subscription of a chat that the viewer does not see answers as for an unknown id.
    pub async fn touch(&self, chat: &str, known: &str, tally: &mut Tally) {
        let part = |wanted: fn(&Part) -> bool| {
            let found = self.rules.things.iter().find(|(_, thing)| thing.chat == chat && wanted(&thing.part));
            found.map_or_else(|| twin(chat), |(id, _)| id.clone())
        };
        let place = Place {
            chat: chat.to_owned(),
            session: part(|part| matches!(part, Part::Session(_))),
            message: part(|part| matches!(part, Part::Message)),
            presence: part(|part| matches!(part, Part::Presence)),
            participation: part(|part| matches!(part, Part::Participation(_))),
        };
        for (name, _, input) in in_chat(&place, known) {
            let mut unknown = input.to_string();
            for id in [&place.chat, &place.session, &place.message] {
                unknown = unknown.replace(id, &twin(id));
            }
            let unknown: Value = serde_json::from_str(&unknown).expect("JSON");
            let document = mutation(name, "");
            let found = self.client.ask(&document, json!({ "input": input })).await;
            let missing = self.client.ask(&document, json!({ "input": unknown })).await;
            tally.check(true, found == missing, || {
                self.name(&format!("{name} {input}: {found}, and for an unknown id {missing}"))
            });
            let code = &found["data"][name]["userErrors"][0]["code"];
            let is_program = self.who.role == Role::Program;
            let is_refused = *code == "NOT_FOUND"
                // A program must name the sender, whatever the chat.
                || is_program && name == "sendMessage" && *code == "INVALID"
                || (is_program || FOR_USERS.contains(&name))
                    && found["errors"][0]["extensions"]["code"] == "FORBIDDEN";
            tally.check(true, is_refused, || self.name(&format!("{name} {input}: {found}")));
        }
    }
}

fn ids(nodes: &Value) -> Ids {
    let all = nodes.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter_map(|node| node["id"].as_str()).map(str::to_owned).collect()
}
