//! Somebody who follows all chats that they see, while it changes what they see.

use super::questions::Tally;
use super::rules::{Actor, Id, Ids, Rules};
use crate::harness::client::Client;
use crate::harness::socket::Socket;
use crate::harness::world::text;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

const CHAT: &str = "subscription($id: ID!) { chatEvents(chatId: $id) { chatId change { __typename } } }";
const VIEWER: &str = "subscription($rooms: [ID!]) { viewerEvents(roomIds: $rooms) { change { __typename \
                      ... on ChatGoneEvent { removedChatId } \
                      ... on QueueChatAddedEvent { chatEdge { node { id } } } \
                      ... on QueueChatRemovedEvent { removedChatId } \
                      ... on InboxChatAddedEvent { chatEdge { node { id } } } \
                      ... on InboxChatRemovedEvent { removedChatId } } } }";
/// How long a stream may take to follow a change.
const SOON: Duration = Duration::from_secs(45);

/// One who follows, with open streams.
pub struct Follower {
    pub who: Actor,
    client: Client,
    socket: Socket,
    rooms: Ids,
    /// Chats whose stream is open.
    open: Ids,
    queue: Ids,
    inbox: Ids,
}

impl Follower {
    pub async fn start(who: Actor, client: Client, rules: &Rules) -> Self {
        let mut socket = Socket::connect(&client.url, &client.token).await;
        let rooms: Ids = rules.rooms.keys().filter(|room| rules.sees_room(&who, room)).cloned().collect();
        socket.subscribe("viewer", VIEWER, json!({ "rooms": rooms }), None).await;
        let mut follower =
            Self { who, client, socket, rooms, open: Ids::new(), queue: Ids::new(), inbox: Ids::new() };
        follower.open_all(rules).await;
        follower
    }

    /// Opens a stream for each chat that came into sight.
    async fn open_all(&mut self, rules: &Rules) {
        for chat in &rules.seen(&self.who, |_| true) - &self.open {
            self.socket.subscribe(&chat, CHAT, json!({ "id": chat }), None).await;
            self.open.insert(chat);
        }
    }

    /// Waits until the streams show what the rules say, and compares each chat once.
    pub async fn settle(&mut self, rules: &Rules, tally: &mut Tally) {
        let until = Instant::now() + SOON;
        let seen = rules.seen(&self.who, |_| true);
        let in_rooms =
            |id: &Id| rules.chats[id].visit.as_ref().is_some_and(|(room, _)| self.rooms.contains(room));
        let queue: Ids = rules.queue(&self.who).into_iter().filter(in_rooms).collect();
        let inbox = rules.inbox(&self.who);
        loop {
            let is_right = self.open.is_subset(&seen) && self.queue == queue && self.inbox == inbox;
            if is_right {
                break;
            }
            match timeout_at(until, self.socket.try_receive()).await {
                Ok(message) => self.take(&message.expect("a socket that stays open")).await,
                Err(_) => break,
            }
        }
        for (list, expected, found) in [("queue", &queue, &self.queue), ("inbox", &inbox, &self.inbox)] {
            let what = format!("{list} of {:?} {}", self.who.role, self.who.id);
            tally.compare(rules.chats.keys(), expected, found, &what);
        }
        let lost = &self.open - &seen;
        let what = format!("open streams of {:?} {}", self.who.role, self.who.id);
        tally.compare(&self.open, &(&self.open & &seen), &self.open, &what);
        self.open = &self.open - &lost;
        self.open_all(rules).await;
    }

    async fn take(&mut self, message: &Value) {
        let id = text(&message["id"]);
        if message["type"] == "complete" {
            self.open.remove(&id);
            return;
        }
        assert_eq!(message["type"], "next", "{message:#}");
        let payload = &message["payload"];
        assert_eq!(payload.get("errors"), None, "{payload:#}");
        if id != "viewer" {
            return;
        }
        let change = &payload["data"]["viewerEvents"]["change"];
        let (added, removed) = (&change["chatEdge"]["node"]["id"], &change["removedChatId"]);
        match change["__typename"].as_str().expect("a kind") {
            "ViewerResetEvent" => self.fetch().await,
            "QueueChatAddedEvent" => drop(self.queue.insert(text(added))),
            "QueueChatRemovedEvent" => drop(self.queue.remove(&text(removed))),
            "InboxChatAddedEvent" => drop(self.inbox.insert(text(added))),
            "InboxChatRemovedEvent" => drop(self.inbox.remove(&text(removed))),
            "ChatGoneEvent" => {
                self.queue.remove(&text(removed));
                self.inbox.remove(&text(removed));
            }
            _ => {}
        }
    }

    /// What a front end fetches after a reset.
    async fn fetch(&mut self) {
        let document = "query($filter: ChatFilter) { viewer { inbox(first: 100) { nodes { id } } }
            organization { chats(first: 100, filter: $filter) { nodes { id } } } }";
        let filter = json!({ "roomIds": self.rooms, "isWaiting": true });
        let found = self.client.query(document, json!({ "filter": filter })).await;
        let ids = |list: &Value| {
            list["nodes"].as_array().expect("a list").iter().map(|node| text(&node["id"])).collect::<Ids>()
        };
        self.inbox = ids(&found["viewer"]["inbox"]);
        self.queue = ids(&found["organization"]["chats"]);
    }
}
