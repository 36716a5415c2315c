//! Archiving: one mark takes a chat's old messages out of sight, and brings them back, for everybody at once.

use crate::harness::Engine;
use crate::harness::client::error_code;
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::world::{NOON, Person, World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    messages_strictly_before_a_time_are_archived,
    restoring_returns_all_archived_messages,
    archiving_changes_lists_and_unread_counts_but_not_counters,
    archive_mark_never_moves_back,
    future_time_archives_only_existing_messages,
    only_users_can_archive,
    ended_chat_can_be_archived,
    subscribers_receive_archive_changes,
    resumed_stream_replays_archive_changes,
    concurrent_messages_are_archived_by_time,
);

const LATER: &str = "2026-11-21T00:00:00.000Z";

struct Clinic {
    world: World,
    olga: Person,
    vera: Person,
    chat: String,
}

impl Clinic {
    async fn new(engine: Engine) -> Self {
        let world = World::frozen(engine).await;
        let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
        let chat = world.chat(&vera).await;
        Self { world, olga, vera, chat }
    }

    /// A message a second, from noon on: the sequences.
    async fn say(&self, texts: &[&str]) -> Vec<i64> {
        let mut sequences = Vec::new();
        for text in texts {
            let input = json!({ "chatId": self.chat, "text": text });
            let sent = self.vera.done("sendMessage", "messageEdge { node { sequence } }", input).await;
            sequences.push(sent["messageEdge"]["node"]["sequence"].as_i64().expect("a sequence"));
            self.world.pass(1);
        }
        sequences
    }

    async fn archive(&self, before: &str) -> Value {
        let input = json!({ "chatId": self.chat, "before": before });
        let done = self.olga.done("archiveMessages", "archivedThroughSequence", input).await;
        done["archivedThroughSequence"].clone()
    }

    async fn restore(&self) {
        self.olga.done("restoreMessages", "", json!({ "chatId": self.chat })).await;
    }

    async fn texts(&self, viewer: &Person, arguments: &str) -> Vec<String> {
        let query = format!(
            "query($id: ID!) {{ chat(id: $id) {{ messages(types: [MESSAGE], {arguments}) {{ nodes {{ text }} }} }} }}"
        );
        let seen = viewer.query(&query, json!({ "id": self.chat })).await;
        let nodes = seen["chat"]["messages"]["nodes"].as_array().expect("nodes").clone();
        nodes.iter().map(|node| text(&node["text"])).collect()
    }

    async fn stop(self) {
        self.world.app.stop().await;
    }
}

fn at(second: u32) -> String {
    NOON.replace("00:00.000Z", &format!("00:{second:02}.000Z"))
}

async fn messages_strictly_before_a_time_are_archived(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let sequences = clinic.say(&["0", "1", "2", "3"]).await;
    // Given messages at seconds 0 to 3, nothing is before the first,
    assert_eq!(clinic.archive(&at(0)).await, Value::Null);
    assert_eq!(clinic.texts(&clinic.olga, "first: 9").await, ["0", "1", "2", "3"]);
    // and two are before the third, which is sent at the very moment.
    assert_eq!(clinic.archive(&at(2)).await, sequences[1]);
    for viewer in [&clinic.olga, &clinic.vera, &clinic.world.admin] {
        assert_eq!(clinic.texts(viewer, "first: 9").await, ["2", "3"]);
        assert_eq!(clinic.texts(viewer, "last: 1").await, ["3"]);
        let all = clinic.texts(viewer, "first: 9, includeArchived: true").await;
        assert_eq!(all, ["0", "1", "2", "3"]);
    }
    clinic.stop().await;
}

async fn restoring_returns_all_archived_messages(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    clinic.say(&["0", "1", "2"]).await;
    clinic.archive(&at(1)).await;
    clinic.archive(LATER).await;
    assert_eq!(clinic.texts(&clinic.vera, "first: 9").await, [""; 0]);
    clinic.restore().await;
    assert_eq!(clinic.texts(&clinic.vera, "first: 9").await, ["0", "1", "2"]);
    // Again it changes nothing: no event, no later update.
    let query = "query($id: ID!) { chat(id: $id) { updatedAt messages(first: 1) { eventCursor } } }";
    let before = clinic.olga.query(query, json!({ "id": clinic.chat })).await;
    clinic.world.pass(1);
    clinic.restore().await;
    assert_eq!(clinic.olga.query(query, json!({ "id": clinic.chat })).await, before);
    clinic.stop().await;
}

const SEEN: &str = "query($id: ID!) { viewer { unreadCount } chat(id: $id) { messageCount visitorMessageCount
    lastMessage { text } viewerActions viewerParticipation { unreadCount }
    messages(first: 9, types: [MESSAGE]) { totalCount pageInfo { hasPreviousPage hasNextPage } nodes { archivedAt } }
    all: messages(last: 2, types: [MESSAGE], includeArchived: true) {
        totalCount pageInfo { hasPreviousPage hasNextPage } nodes { archivedAt } } } }";

async fn archiving_changes_lists_and_unread_counts_but_not_counters(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    clinic.olga.done("joinChat", "", json!({ "chatId": clinic.chat })).await;
    clinic.say(&["0", "1", "2"]).await;
    let seen = async || clinic.olga.query(SEEN, json!({ "id": clinic.chat })).await;
    let before = seen().await;
    assert_eq!(before["viewer"]["unreadCount"], 3);
    let actions = |seen: &Value| seen["chat"]["viewerActions"].as_array().expect("actions").clone();
    assert!(actions(&before).contains(&json!("ARCHIVE")) && !actions(&before).contains(&json!("RESTORE")));
    clinic.archive(&at(2)).await;
    let after = seen().await;
    assert_eq!(after["viewer"]["unreadCount"], 1);
    assert_eq!(after["chat"]["viewerParticipation"]["unreadCount"], 1);
    assert_eq!(
        (&after["chat"]["messageCount"], &after["chat"]["visitorMessageCount"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(after["chat"]["lastMessage"]["text"], "2");
    let page = &after["chat"]["messages"];
    assert_eq!(page["totalCount"], 1);
    assert_eq!(page["pageInfo"], json!({ "hasPreviousPage": false, "hasNextPage": false }));
    assert_eq!(page["nodes"], json!([{ "archivedAt": null }]));
    let all = &after["chat"]["all"];
    assert_eq!(all["totalCount"], 3);
    assert_eq!(all["pageInfo"], json!({ "hasPreviousPage": true, "hasNextPage": false }));
    assert_eq!(all["nodes"], json!([{ "archivedAt": at(3) }, { "archivedAt": null }]));
    assert!(actions(&after).contains(&json!("RESTORE")));
    clinic.archive(LATER).await;
    let none = seen().await;
    assert_eq!(none["viewer"]["unreadCount"], 0);
    assert_eq!(none["chat"]["lastMessage"], Value::Null);
    // After restoring, read messages are still read, and unread ones are unread again.
    clinic.restore().await;
    assert_eq!(seen().await["viewer"]["unreadCount"], 3);
    clinic.stop().await;
}

async fn archive_mark_never_moves_back(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let sequences = clinic.say(&["0", "1", "2"]).await;
    assert_eq!(clinic.archive(&at(2)).await, sequences[1]);
    assert_eq!(clinic.archive(&at(1)).await, sequences[1]);
    assert_eq!(clinic.archive("1970-01-01T00:00:00Z").await, sequences[1]);
    assert_eq!(clinic.archive(LATER).await, sequences[2]);
    clinic.stop().await;
}

async fn future_time_archives_only_existing_messages(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    assert_eq!(clinic.archive(LATER).await, Value::Null);
    let sequences = clinic.say(&["0"]).await;
    assert_eq!(clinic.archive(LATER).await, sequences[0]);
    clinic.say(&["1"]).await;
    assert_eq!(clinic.texts(&clinic.vera, "first: 9").await, ["1"]);
    clinic.stop().await;
}

async fn only_users_can_archive(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    clinic.say(&["0"]).await;
    let program = program(&clinic.world.app, &clinic.world.admin).await;
    let archive =
        "mutation($chat: ID!) { archiveMessages(input: { chatId: $chat, before: \"2030-01-01T00:00:00Z\" }) {
        userErrors { code } } }";
    let restore =
        "mutation($chat: ID!) { restoreMessages(input: { chatId: $chat }) { userErrors { code } } }";
    for document in [archive, restore] {
        // The reference refuses its API clients; visitors have no say in the record either.
        for client in [&program, &clinic.vera.client] {
            let refused = client.ask(document, json!({ "chat": clinic.chat })).await;
            assert_eq!(error_code(&refused), "FORBIDDEN");
        }
        for client in [&clinic.olga.client, &clinic.world.admin.client] {
            client.query(document, json!({ "chat": clinic.chat })).await;
        }
    }
    // An admin reads what others say among themselves, and leaves it as it is.
    let otto = clinic.world.operator("Otto").await;
    let input = json!({ "participantId": otto.id });
    let made = clinic.olga.done("createDirectChat", "chat { id viewerActions }", input).await;
    assert!(made["chat"]["viewerActions"].as_array().expect("actions").contains(&json!("ARCHIVE")));
    let chat = made["chat"]["id"].clone();
    let input = json!({ "chatId": chat, "before": LATER });
    assert_eq!(clinic.world.admin.refused("archiveMessages", input.clone()).await, ["NOT_PARTICIPANT"]);
    otto.done("archiveMessages", "", input).await;
    clinic.stop().await;
}

async fn ended_chat_can_be_archived(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    clinic.say(&["0"]).await;
    clinic.olga.done("endChat", "", json!({ "chatId": clinic.chat })).await;
    let seen = clinic.olga.query(SEEN, json!({ "id": clinic.chat })).await;
    assert_eq!(seen["chat"]["viewerActions"], json!(["UPDATE", "TAG", "ARCHIVE"]));
    clinic.archive(LATER).await;
    assert_eq!(clinic.texts(&clinic.vera, "first: 9").await, [""; 0]);
    let seen = clinic.olga.query(SEEN, json!({ "id": clinic.chat })).await;
    assert_eq!(seen["chat"]["viewerActions"], json!(["UPDATE", "TAG", "ARCHIVE", "RESTORE"]));
    clinic.stop().await;
}

const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename
    ... on HistoryChangedEvent { throughSequence } ... on MessageAddedEvent { messageEdge { node { text } } } } } }";

fn history(through: i64) -> Value {
    json!({ "__typename": "HistoryChangedEvent", "throughSequence": through })
}

async fn subscribers_receive_archive_changes(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let sequences = clinic.say(&["0", "1"]).await;
    let mut sockets = Vec::new();
    for viewer in [&clinic.olga, &clinic.vera] {
        let mut socket = Socket::connect(&viewer.url, &viewer.token).await;
        socket.subscribe("1", EVENTS, json!({ "chat": clinic.chat }), None).await;
        assert_eq!(socket.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
        sockets.push(socket);
    }
    clinic.archive(&at(1)).await;
    // A call that changes nothing sends no event.
    clinic.archive(&at(1)).await;
    clinic.archive(LATER).await;
    clinic.restore().await;
    clinic.restore().await;
    clinic.say(&["2"]).await;
    for socket in &mut sockets {
        for through in [sequences[0], sequences[1], sequences[1]] {
            assert_eq!(socket.data().await["chatEvents"]["change"], history(through));
        }
        let added = json!({ "node": { "text": "2" } });
        assert_eq!(socket.data().await["chatEvents"]["change"]["messageEdge"], added);
    }
    clinic.stop().await;
}

async fn resumed_stream_replays_archive_changes(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let sequences = clinic.say(&["0", "1", "2"]).await;
    let page = "query($id: ID!) { chat(id: $id) { messages(last: 1) { eventCursor } } }";
    let page = clinic.olga.query(page, json!({ "id": clinic.chat })).await;
    let cursor = text(&page["chat"]["messages"]["eventCursor"]);
    clinic.archive(&at(2)).await;
    clinic.restore().await;
    clinic.archive(&at(1)).await;
    let mut socket = Socket::connect(&clinic.olga.url, &clinic.olga.token).await;
    socket.subscribe("1", EVENTS, json!({ "chat": clinic.chat }), Some(&cursor)).await;
    for through in [sequences[1], sequences[1], sequences[0]] {
        assert_eq!(socket.data().await["chatEvents"]["change"], history(through));
    }
    clinic.stop().await;
}

/// Senders and an archivist at once: whatever the order, what is archived is exactly what was created before the
/// moment and was there.
async fn concurrent_messages_are_archived_by_time(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let senders: Vec<_> = [&olga, &vera]
        .map(|sender| {
            let (sender, chat) = (sender.clone(), chat.clone());
            tokio::spawn(async move {
                for number in 0..60 {
                    let input = json!({ "chatId": chat, "text": number.to_string() });
                    sender.done("sendMessage", "", input).await;
                }
            })
        })
        .into();
    let newest = "query($id: ID!) { chat(id: $id) { messages(last: 1, includeArchived: true) {
        nodes { createdAt } } } }";
    let all = "query($id: ID!, $after: String) { chat(id: $id) { messages(first: 100, after: $after,
        includeArchived: true) { pageInfo { endCursor hasNextPage } nodes { createdAt sequence archivedAt } } } }";
    let mut moments = Vec::new();
    for _ in 0..20 {
        let seen = olga.query(newest, json!({ "id": chat })).await;
        let Some(moment) = seen["chat"]["messages"]["nodes"][0]["createdAt"].as_str() else { continue };
        moments.push(moment.to_owned());
        olga.done("archiveMessages", "", json!({ "chatId": chat, "before": moment })).await;
    }
    for sender in senders {
        sender.await.expect("the sender ends");
    }
    let latest = moments.last().expect("a moment").clone();
    let (mut after, mut archived, mut kept) = (Value::Null, 0, 0);
    loop {
        let seen = olga.query(all, json!({ "id": chat, "after": after })).await;
        for node in seen["chat"]["messages"]["nodes"].as_array().expect("nodes") {
            // Times in one form compare as texts.
            let is_before = text(&node["createdAt"]) < latest;
            assert_eq!(node["archivedAt"].is_string(), is_before, "{node} before {latest}");
            *if is_before { &mut archived } else { &mut kept } += 1;
        }
        after = seen["chat"]["messages"]["pageInfo"]["endCursor"].clone();
        if seen["chat"]["messages"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert!(archived + kept >= 120, "{archived} {kept}");
    world.app.stop().await;
}
