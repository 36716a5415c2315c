//! A desk: the state that an operator's front end keeps, updated as the documentation says.

use crate::harness::socket::Socket;
use crate::harness::world::{Person, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

const CHAT: &str = "id updatedAt endedAt name isPrivate isWaiting messageCount userMessageCount \
                    visitorMessageCount participationCount presentUserCount tags \
                    lastMessage { id text isInternal }";
const SESSION: &str = "id state outcome title participants { actor { id } } chat { id }";

/// How long a wrong picture may go without news before something was missed.
const SOON: Duration = Duration::from_secs(30);
/// News that follow each other this closely are one burst.
const BURST: Duration = Duration::from_millis(50);

/// Chats or sessions by their ids.
type Shelf = BTreeMap<String, Value>;

/// The content of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    pub inbox: Shelf,
    pub queues: Shelf,
    pub sessions: Shelf,
    /// The chats of the first room that are not over.
    pub board: Shelf,
}

/// An operator's desk over one socket that is cut now and then.
pub struct Desk {
    pub operator: Person,
    rooms: Vec<String>,
    pub picture: Picture,
    socket: Option<Socket>,
    viewer_cursor: Option<String>,
    board_cursor: Option<String>,
    /// The events that the desk received, to explain a wrong picture.
    story: Vec<String>,
}

impl Picture {
    /// Adds what another shows.
    pub fn extend(&mut self, other: &Self) {
        self.inbox.extend(other.inbox.clone());
        self.queues.extend(other.queues.clone());
        self.sessions.extend(other.sessions.clone());
        self.board.extend(other.board.clone());
    }
}

impl Desk {
    /// A desk that follows these rooms, and has not begun.
    pub fn of(operator: Person, rooms: Vec<String>) -> Self {
        let picture = Picture::default();
        Self {
            operator,
            rooms,
            picture,
            socket: None,
            viewer_cursor: None,
            board_cursor: None,
            story: Vec::new(),
        }
    }

    /// Cuts the connection without a word.
    pub fn cut(&mut self) {
        self.socket = None;
        self.story.push("cut".to_owned());
    }

    /// Connects, where it is cut, and goes on from where it stood.
    pub async fn connect(&mut self) {
        if self.socket.is_some() {
            return;
        }
        let mut socket = Socket::connect(&self.operator.url, &self.operator.token).await;
        let viewer = format!(
            "subscription($rooms: [ID!]) {{ viewerEvents(roomIds: $rooms) {{ change {{ __typename \
             ... on ChatChangedEvent {{ chat {{ {CHAT} }} }} ... on ChatGoneEvent {{ removedChatId }} \
             ... on QueueChatAddedEvent {{ chatEdge {{ node {{ {CHAT} }} }} }} \
             ... on QueueChatRemovedEvent {{ removedChatId }} \
             ... on InboxChatAddedEvent {{ chatEdge {{ node {{ {CHAT} }} }} }} \
             ... on InboxChatRemovedEvent {{ removedChatId }} \
             ... on ChatSessionAddedEvent {{ chatSession {{ {SESSION} }} }} \
             ... on ChatSessionChangedEvent {{ chatSession {{ {SESSION} }} }} }} }} }}"
        );
        let variables = json!({ "rooms": self.rooms });
        socket.subscribe("viewer", &viewer, variables, self.viewer_cursor.as_deref()).await;
        let board = format!(
            "subscription($in: ChatScope!, $filter: ChatFilter) {{ chatChanged(in: $in, filter: $filter) {{ \
             action chatId chat {{ {CHAT} }} }} }}"
        );
        let variables = json!({ "in": { "roomId": self.rooms[0] }, "filter": { "isEnded": false } });
        socket.subscribe("board", &board, variables, self.board_cursor.as_deref()).await;
        self.socket = Some(socket);
        if self.board_cursor.is_none() {
            // A list is fetched once its subscription stands.
            self.until_answered().await;
            self.picture.board = self.fetched().await.board;
        }
    }

    /// Applies what has come so far, without waiting for more.
    pub async fn apply_pending(&mut self) {
        let until = Instant::now() + Duration::from_millis(20);
        while self.socket.is_some() && self.hear(until).await {}
    }

    /// Waits until the picture is what a fresh query shows.
    pub async fn settle(&mut self) -> Result<(), String> {
        loop {
            self.connect().await;
            while self.socket.is_some() && self.hear(Instant::now() + BURST).await {}
            self.connect().await;
            let fresh = self.fetched().await;
            if self.picture == fresh {
                return Ok(());
            }
            if !self.hear(Instant::now() + SOON).await {
                return Err(difference(&self.picture, &fresh, &self.story));
            }
        }
    }

    /// Applies the next message, if one comes in time.
    async fn hear(&mut self, until: Instant) -> bool {
        let Some(socket) = &mut self.socket else { return false };
        match timeout_at(until, socket.try_receive()).await {
            Ok(Ok(message)) => self.take(message).await,
            Ok(Err(_)) => self.socket = None,
            Err(_) => return false,
        }
        true
    }

    async fn take(&mut self, message: Value) {
        if message["type"] == "complete" && message["id"] == "asked" {
            return;
        }
        assert_eq!(message["type"], "next", "{message:#}");
        let payload = &message["payload"];
        assert_eq!(payload.get("errors"), None, "{payload:#}");
        self.story.push(payload["data"].to_string());
        let cursor = payload["extensions"]["cursor"].as_str().map(str::to_owned);
        match message["id"].as_str() {
            Some("viewer") => {
                self.viewer_cursor = cursor;
                self.take_viewer(&payload["data"]["viewerEvents"]["change"]).await;
            }
            Some("board") => {
                self.board_cursor = cursor;
                self.take_board(&payload["data"]["chatChanged"]);
            }
            _ => {}
        }
    }

    async fn take_viewer(&mut self, change: &Value) {
        let removed = || text(&change["removedChatId"]);
        match change["__typename"].as_str().expect("a kind") {
            "ViewerResetEvent" => {
                let fresh = self.fetched().await;
                self.picture = Picture { board: std::mem::take(&mut self.picture.board), ..fresh };
            }
            "ChatChangedEvent" => self.show(&change["chat"]),
            "InboxChatAddedEvent" => {
                let chat = &change["chatEdge"]["node"];
                put(&mut self.picture.inbox, chat);
                self.show(chat);
            }
            "QueueChatAddedEvent" => {
                let chat = &change["chatEdge"]["node"];
                put(&mut self.picture.queues, chat);
                self.show(chat);
            }
            "InboxChatRemovedEvent" => drop(self.picture.inbox.remove(&removed())),
            "QueueChatRemovedEvent" => drop(self.picture.queues.remove(&removed())),
            "ChatGoneEvent" => {
                self.picture.inbox.remove(&removed());
                self.picture.queues.remove(&removed());
                // What rings there may have gone with it.
                self.picture.sessions = self.fetched().await.sessions;
            }
            "ChatSessionAddedEvent" | "ChatSessionChangedEvent" => {
                let session = &change["chatSession"];
                let is_called = session["participants"]
                    .as_array()
                    .is_some_and(|called| called.iter().any(|one| one["actor"]["id"] == self.operator.id));
                if is_called && session["outcome"].is_null() {
                    put(&mut self.picture.sessions, session);
                } else {
                    self.picture.sessions.remove(&text(&session["id"]));
                }
            }
            other => panic!("unknown event {other}"),
        }
    }

    /// Updates a chat in all lists, as a cache by ids does.
    fn show(&mut self, chat: &Value) {
        let id = text(&chat["id"]);
        for shelf in [&mut self.picture.inbox, &mut self.picture.queues] {
            if let Some(shown) = shelf.get_mut(&id) {
                *shown = chat.clone();
            }
        }
    }

    fn take_board(&mut self, change: &Value) {
        match change["action"].as_str() {
            Some("REMOVED") => drop(self.picture.board.remove(&text(&change["chatId"]))),
            _ => put(&mut self.picture.board, &change["chat"]),
        }
    }

    /// Waits until an operation that was sent after the subscriptions is answered.
    async fn until_answered(&mut self) {
        let socket = self.socket.as_mut().expect("it is connected");
        socket.subscribe("asked", "{ viewer { role } }", json!({}), None).await;
        loop {
            let message = self.socket.as_mut().expect("it stays").receive().await;
            if message["type"] == "complete" {
                return;
            }
            self.take(message).await;
        }
    }

    /// The picture that a new fetch returns.
    async fn fetched(&self) -> Picture {
        let mut picture = Picture::default();
        let viewer = format!(
            "query($after: String) {{ viewer {{ inbox(first: 100, after: $after) {{ nodes {{ {CHAT} }} \
             pageInfo {{ endCursor hasNextPage }} }} openChatSessions {{ {SESSION} }} }} }}"
        );
        let mut after = Value::Null;
        loop {
            let found = self.operator.query(&viewer, json!({ "after": after })).await;
            let inbox = &found["viewer"]["inbox"];
            put_all(&mut picture.inbox, &inbox["nodes"]);
            if inbox["pageInfo"]["hasNextPage"] == json!(false) {
                put_all(&mut picture.sessions, &found["viewer"]["openChatSessions"]);
                break;
            }
            after = inbox["pageInfo"]["endCursor"].clone();
        }
        for (number, room) in self.rooms.iter().enumerate() {
            self.fetch_room(room, "WAITING_SINCE", json!({ "isWaiting": true }), &mut picture.queues).await;
            if number == 0 {
                self.fetch_room(room, "STARTED_AT", json!({ "isEnded": false }), &mut picture.board).await;
            }
        }
        picture
    }

    async fn fetch_room(&self, room: &str, field: &str, filter: Value, shelf: &mut Shelf) {
        let document = format!(
            "query($room: ID!, $filter: ChatFilter, $after: String) {{ room(id: $room) {{ \
             chats(first: 100, after: $after, filter: $filter, orderBy: {{ field: {field}, direction: ASC }}) {{ \
             nodes {{ {CHAT} }} pageInfo {{ endCursor hasNextPage }} }} }} }}"
        );
        let mut after = Value::Null;
        loop {
            let variables = json!({ "room": room, "filter": filter, "after": after });
            let chats = self.operator.query(&document, variables).await["room"]["chats"].clone();
            put_all(shelf, &chats["nodes"]);
            if chats["pageInfo"]["hasNextPage"] == json!(false) {
                return;
            }
            after = chats["pageInfo"]["endCursor"].clone();
        }
    }
}

fn put(shelf: &mut Shelf, node: &Value) {
    shelf.insert(text(&node["id"]), node.clone());
}

fn put_all(shelf: &mut Shelf, nodes: &Value) {
    for node in nodes.as_array().expect("a list") {
        put(shelf, node);
    }
}

fn difference(shown: &Picture, there: &Picture, story: &[String]) -> String {
    let mut found = String::new();
    let shelves = [
        ("inbox", &shown.inbox, &there.inbox),
        ("queues", &shown.queues, &there.queues),
        ("sessions", &shown.sessions, &there.sessions),
        ("board", &shown.board, &there.board),
    ];
    for (name, shown, there) in shelves {
        for id in shown.keys().chain(there.keys()) {
            let (shown, there) = (shown.get(id), there.get(id));
            if shown != there {
                found += &format!("{name} {id}:\n  shows    {shown:?}\n  there is {there:?}\n");
                let chat = shown.or(there).and_then(|node| node["chat"]["id"].as_str());
                let concerns = |told: &str| told.contains(id) || chat.is_some_and(|chat| told.contains(chat));
                let told = story
                    .iter()
                    .filter(|told| *told == "cut" || told.contains("ViewerResetEvent") || concerns(told))
                    .cloned();
                found += &format!("  was told:\n    {}\n", told.collect::<Vec<_>>().join("\n    "));
            }
        }
    }
    found
}
