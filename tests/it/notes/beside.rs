//! A visitor in a chat full of notes: everything that they can query and follow, in two worlds that differ
//! only in the notes. Sequences, cursors and ids are compared by their order.

use crate::harness::Engine;
use crate::harness::sdl;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

on_both!(notes_are_invisible_to_visitors,);

/// All that shows of a chat.
const CHAT: &str = "
    fragment chat on Chat {
        id type title name description publicId isPrivate isRealConversation isWaiting startedAt endedAt updatedAt
        waitingSince messageCount userMessageCount visitorMessageCount participationCount userParticipationCount
        visitorParticipationCount presentUserCount viewerActions lastMessage { ...message }
        presences(includeEnded: true, first: 5) { totalCount nodes { id createdAt lastSeenAt expiresAt endedAt } }
        participations(first: 5) { totalCount nodes { id messageCount firstMessageAt lastReadSequence lastReadAt
            unreadCount endedAt actor { id displayName } } }
        viewerParticipation { unreadCount lastReadSequence } openChatSession { id } typing { actor { id } }
        isAutosuggested autosuggestPage { url } firstVisitorMessagePage { url } chatSessions(first: 2) { totalCount } tags
        shoppingCarts(first: 1) { totalCount }
    }
    fragment message on Message {
        id type sequence cursor text isInternal externalId createdAt editedAt deletedAt archivedAt senderName
        sender { id } receiver { id } revisions { text } attachments { id name } viewerActions chatSessionState replyTo { id text }
        reactions { emoji count viewerHasReacted }
    }";

const ASKED: &str = "query($chat: ID!, $olga: ID!, $vera: ID!, $hidden: [ID!]!, $around: ID!) {
    viewer { unreadCount openChatSessions { id } inbox(first: 3) { totalCount eventCursor edges { cursor node { ...chat } }
        pageInfo { hasNextPage endCursor } } }
    organization { chats(first: 3) { totalCount nodes { id updatedAt } } chatSessions(first: 3) { totalCount } }
    user(id: $olga) { isOnline chats(first: 3) { totalCount } currentChats(first: 3) { totalCount } }
    visitor(by: { id: $vera }) { chats(first: 3) { totalCount } }
    nodes(ids: $hidden) { id }
    chat(id: $chat) {
        ...chat
        all: messages(first: 30, includeArchived: true) { totalCount eventCursor edges { cursor node { ...message } }
            pageInfo { hasPreviousPage hasNextPage startCursor endCursor } }
        last: messages(last: 2) { totalCount pageInfo { hasPreviousPage hasNextPage } nodes { text } }
        some: messages(first: 1, types: [MESSAGE]) { totalCount pageInfo { hasPreviousPage hasNextPage } nodes { text } }
        around: messages(around: $around, last: 3) { totalCount nodes { text } }
        searchMessages(query: \"knee\", includeArchived: true, first: 10) { totalCount
            edges { cursor snippet { text } node { id } } pageInfo { hasNextPage hasPreviousPage } }
    } }";

const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { cursor at chatId chat { ...chat } change {
    __typename ... on MessageAddedEvent { messageEdge { cursor node { ...message } } }
    ... on MessageChangedEvent { message { ...message } } ... on HistoryChangedEvent { throughSequence }
    ... on PresenceChangedEvent { presence { expiresAt } } ... on ParticipationChangedEvent { participation { unreadCount } } } } }";
const ADDED: &str = "subscription($chat: ID!) { messageAdded(chatId: $chat) { cursor node { ...message } } }";
const VIEWER: &str = "subscription { viewerEvents { cursor at viewer { unreadCount } change { __typename
    ... on ChatChangedEvent { chat { ...chat } } ... on InboxChatAddedEvent { chatEdge { cursor node { ...chat } } } } } }";
const CHANGES: &str =
    "subscription($vera: ID!) { chatChanged(in: { visitorId: $vera }) { cursor at action chatId
    chat { ...chat } } }";
const PRESENCES: &str =
    "subscription($chat: ID!) { presenceChanged(chatId: $chat) { cursor action presence { id } } }";

/// Which of the two worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notes {
    With,
    Without,
}

/// A world with its visitor's streams.
struct Stage {
    world: World,
    olga: Person,
    odile: Person,
    vera: Person,
    chat: String,
    notes: Notes,
    /// The newest notes.
    hidden: Vec<String>,
    /// The events and data that Vera received, in order.
    seen: Vec<Value>,
    streams: HashMap<&'static str, Socket>,
    start: String,
}

impl Stage {
    async fn set(engine: Engine, notes: Notes) -> Self {
        let world = World::frozen(engine).await;
        let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
        let vera = world.visitor("vera").await;
        let chat = world.chat(&vera).await;
        let hidden = Vec::new();
        let (seen, streams, start) = (Vec::new(), HashMap::new(), String::new());
        let mut stage = Self { world, olga, odile, vera, chat, notes, hidden, seen, streams, start };
        stage.olga.done("joinChat", "", json!({ "chatId": stage.chat })).await;
        let query = "query($id: ID!) { chat(id: $id) { messages(last: 1) { eventCursor } } }";
        let found = stage.vera.query(query, json!({ "id": stage.chat })).await;
        stage.start = text(&found["chat"]["messages"]["eventCursor"]);
        for (name, query) in [("e", EVENTS), ("a", ADDED), ("v", VIEWER), ("c", CHANGES), ("p", PRESENCES)] {
            let mut socket = Socket::connect(&stage.vera.url, &stage.vera.token).await;
            stage.follow(&mut socket, query, None).await;
            stage.streams.insert(name, socket);
        }
        // Those that begin with a reset have begun; the others are asked on the same connection as it.
        for name in ["e", "v"] {
            stage.streams.get_mut(name).expect("a stream").data().await;
        }
        stage
    }

    async fn follow(&self, socket: &mut Socket, query: &str, after: Option<&str>) {
        let variables = json!({ "chat": self.chat, "vera": self.vera.id });
        let fragments = CHAT
            .split("fragment ")
            .filter(|fragment| {
                let name = fragment.split_whitespace().next().unwrap_or_default();
                let is_used = query.contains(&format!("...{name}")) || query.contains("...chat");
                !name.is_empty() && is_used
            })
            .collect::<Vec<_>>();
        let query = [&[query], &*fragments].concat().join(" fragment ");
        let used: Map<_, _> = variables
            .as_object()
            .expect("variables")
            .iter()
            .filter(|(name, _)| query.contains(&format!("${name}:")))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let id = if after.is_some() { "again" } else { "first" };
        socket.subscribe(id, &query, Value::Object(used), after).await;
    }

    /// Colleagues talk among themselves; Vera tries what she may have guessed.
    async fn whisper(&mut self) {
        if self.notes == Notes::Without {
            return;
        }
        for (sender, words) in [(&self.olga, "The knee again"), (&self.odile, "Which knee?")] {
            let input = json!({ "chatId": self.chat, "text": words, "isInternal": true });
            let sent = sender.done("sendMessage", "messageEdge { node { id } }", input).await;
            self.hidden.push(text(&sent["messageEdge"]["node"]["id"]));
        }
        let answer = json!({ "chatId": self.chat, "text": "Ask her", "isInternal": true, "replyToId": self.hidden[0] });
        self.odile.done("sendMessage", "", answer).await;
        let reaction = json!({ "messageId": self.hidden[0], "emoji": "🤫" });
        self.odile.done("addReaction", "", reaction).await;
        let (kept, dropped) = (&self.hidden[self.hidden.len() - 2], &self.hidden[self.hidden.len() - 1]);
        let input = json!({ "messageId": kept, "text": "Her knee, again" });
        self.olga.done("editMessage", "", input.clone()).await;
        self.odile.done("deleteMessage", "", json!({ "messageId": dropped })).await;
        for mutation in ["editMessage", "deleteMessage"] {
            let input = if mutation == "editMessage" { input.clone() } else { json!({ "messageId": kept }) };
            let refused = self.vera.mutate(mutation, "message { id }", input).await;
            assert_eq!(
                (&refused["userErrors"][0]["code"], &refused["message"]),
                (&json!("NOT_FOUND"), &Value::Null)
            );
        }
    }

    /// Runs a mutation between notes, and records the events and data that Vera receives.
    async fn step(&mut self, by: &Person, mutation: &str, selection: &str, mut input: Value) -> Value {
        self.whisper().await;
        self.world.pass(1);
        self.look().await;
        if mutation.ends_with("Messages") || mutation == "sendMessage" {
            input["chatId"] = json!(self.chat);
        }
        let done = by.done(mutation, selection, input).await;
        // One change of the chat is one item in each of the feeds.
        for name in ["v", "c"] {
            let told = self.streams.get_mut(name).expect("a stream").data().await;
            self.seen.push(told);
        }
        self.whisper().await;
        self.look().await;
        done
    }

    async fn look(&mut self) {
        let nothing = crate::harness::stored::twin(&self.first_message().await);
        let mut hidden: Vec<_> = self.hidden.iter().rev().take(2).cloned().collect();
        hidden.resize(2, nothing.clone());
        let variables = json!({
            "chat": self.chat, "olga": self.olga.id, "vera": self.vera.id, "around": hidden[0], "hidden": hidden
        });
        let found = self.vera.query(&format!("{ASKED}{CHAT}"), variables).await;
        self.seen.push(found);
    }

    /// The id of some message, to make one of that names nothing.
    async fn first_message(&self) -> String {
        let query = "query($id: ID!) { chat(id: $id) { messages(first: 1, includeArchived: true) { nodes { id } } } }";
        let found = self.vera.query(query, json!({ "id": self.chat })).await;
        text(&found["chat"]["messages"]["nodes"][0]["id"])
    }

    /// All that a stream tells until the last message.
    async fn until_the_end(socket: &mut Socket) -> Vec<Value> {
        let mut told = Vec::new();
        loop {
            let data = socket.data().await;
            let is_last = data
                .pointer("/messageAdded/node/text")
                .or_else(|| data.pointer("/chatEvents/change/messageEdge/node/text"))
                == Some(&json!("The end"));
            told.push(data);
            if is_last {
                return told;
            }
        }
    }

    async fn play(mut self) -> Vec<Value> {
        let (olga, vera) = (self.olga.clone(), self.vera.clone());
        let node = "messageEdge { node { id } }";
        let id = |sent: &Value| sent["messageEdge"]["node"]["id"].clone();
        let asked = self.step(&vera, "sendMessage", node, json!({ "text": "My knee hurts" })).await;
        let answered = self.step(&olga, "sendMessage", node, json!({ "text": "Since when?" })).await;
        let input = json!({ "messageId": id(&asked), "text": "My left knee hurts" });
        self.step(&vera, "editMessage", "", input).await;
        let answer = json!({ "text": "Since May", "replyToId": id(&answered) });
        self.step(&vera, "sendMessage", node, answer).await;
        self.step(&olga, "addReaction", "", json!({ "messageId": id(&asked), "emoji": "🙏" })).await;
        self.step(&olga, "deleteMessage", "", json!({ "messageId": id(&answered) })).await;
        let before = json!({ "before": "2026-11-20T12:00:02.500Z" });
        self.step(&olga, "archiveMessages", "", before.clone()).await;
        // What is archived beyond that are notes alone.
        let later = json!({ "before": "2026-11-20T12:00:03.500Z", "chatId": self.chat });
        olga.done("archiveMessages", "", later).await;
        self.step(&olga, "restoreMessages", "", json!({})).await;
        self.step(&olga, "sendMessage", node, json!({ "text": "The end" })).await;
        for (name, query) in [("e", EVENTS), ("a", ADDED)] {
            let mut socket = self.streams.remove(name).expect("a stream");
            self.seen.append(&mut Self::until_the_end(&mut socket).await);
            self.follow(&mut socket, query, Some(&self.start)).await;
            self.seen.append(&mut Self::until_the_end(&mut socket).await);
        }
        // Whoever leaves is the next thing that followers of presences hear.
        olga.done("leaveChat", "", json!({ "chatId": self.chat })).await;
        let told = self.streams.get_mut("p").expect("a stream").data().await;
        self.seen.push(told);
        self.world.app.stop().await;
        let mut names = Names::default();
        self.seen.iter().map(|seen| names.without_names(seen)).collect()
    }
}

/// The values that differ between worlds, numbered in the order in which they first appear.
#[derive(Default)]
struct Names(HashMap<String, usize>);

impl Names {
    fn without_names(&mut self, seen: &Value) -> Value {
        match seen {
            Value::Object(fields) => {
                let named = fields.iter().map(|(name, value)| (name.clone(), self.field(name, value)));
                Value::Object(named.collect())
            }
            Value::Array(items) => items.iter().map(|item| self.without_names(item)).collect(),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other.clone(),
        }
    }

    fn field(&mut self, name: &str, value: &Value) -> Value {
        if value.is_null() || value.is_object() || value.is_array() {
            return self.without_names(value);
        }
        match name {
            "eventCursor" | "cursor" | "startCursor" | "endCursor" => json!("a cursor"),
            "throughSequence" | "lastReadSequence" => json!("a sequence"),
            "id" | "chatId" | "publicId" | "externalId" | "sequence" => {
                let next = self.0.len();
                json!(self.0.entry(value.to_string()).or_insert(next))
            }
            _ => value.clone(),
        }
    }
}

async fn notes_are_invisible_to_visitors(engine: Engine) {
    // Given all that a visitor can ask of a chat and of a message, but for what has its own tests,
    for (of, kept_out) in [
        ("Chat", &["organization", "room", "visitor", "owner", "messages", "openPage", "page"][..]),
        ("Message", &["chat", "chatSession"]),
    ] {
        for field in sdl::fields(of).keys().filter(|field| !kept_out.contains(&field.as_str())) {
            let is_asked = format!("{ASKED}{CHAT}").contains(&**field);
            assert!(is_asked, "{of}.{field} is never asked for");
        }
    }
    let elsewhere = ["chatSessionChanged", "roomChanged"];
    for stream in sdl::fields("Subscription").keys().filter(|name| !elsewhere.contains(&name.as_str())) {
        let streams = [EVENTS, ADDED, VIEWER, CHANGES, PRESENCES];
        assert!(streams.iter().any(|query| query.contains(&format!("{stream}("))|| query.contains(&format!("{stream} {{"))), "{stream}");
    }
    let with = Stage::set(engine, Notes::With).await.play().await;
    let without = Stage::set(engine, Notes::Without).await.play().await;
    assert_eq!(with.len(), without.len());
    for (number, (with, without)) in with.iter().zip(&without).enumerate() {
        assert_eq!(with, without, "{number}");
    }
}
