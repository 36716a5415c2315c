//! Editing and deleting: who may and for how long, what stays of it, and that nothing else shows the old text.

use crate::harness::Engine;
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::stored::{Stored, assert_unchanged};
use crate::harness::world::{Person, World, text};
use crate::on_both;
use anteroom::domain::limits;
use serde_json::{Value, json};

on_both!(
    only_sender_can_edit,
    the_window_ends_on_the_millisecond,
    admin_sets_edit_window_and_can_always_delete,
    revisions_are_visible_to_sender_and_staff,
    editing_to_same_text_changes_nothing,
    edit_count_is_limited,
    deleted_message_keeps_only_position_and_times,
    deleted_message_leaves_unread_count_and_preview_only,
    retry_returns_edited_or_deleted_message,
    search_finds_current_text,
    subscribers_receive_edits_in_order,
    ended_chat_allows_only_deletions,
);

struct Clinic {
    world: World,
    olga: Person,
    vera: Person,
    chat: String,
}

const MESSAGE: &str = "id sequence text editedAt deletedAt viewerActions revisions { text createdAt }";

impl Clinic {
    async fn new(engine: Engine) -> Self {
        let world = World::frozen(engine).await;
        let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
        let chat = world.chat(&vera).await;
        Self { world, olga, vera, chat }
    }

    async fn say(&self, sender: &Person, text: &str) -> String {
        send(sender, &self.chat, text).await
    }

    async fn edit(&self, by: &Person, id: &str, text: &str) -> Value {
        let input = json!({ "messageId": id, "text": text });
        by.done("editMessage", &format!("message {{ {MESSAGE} }}"), input).await["message"].clone()
    }

    async fn delete(&self, by: &Person, id: &str) -> Value {
        let input = json!({ "messageId": id });
        by.done("deleteMessage", &format!("message {{ {MESSAGE} }}"), input).await["message"].clone()
    }

    async fn stop(self) {
        self.world.app.stop().await;
    }
}

async fn send(sender: &Person, chat: &str, words: &str) -> String {
    let input = json!({ "chatId": chat, "text": words });
    text(&sender.done("sendMessage", "messageEdge { node { id } }", input).await["messageEdge"]["node"]["id"])
}

async fn seen(viewer: &Person, id: &str) -> Value {
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on Message {{ {MESSAGE} }} }} }}");
    viewer.query(&query, json!({ "id": id })).await["node"].clone()
}

async fn refusal(by: &Person, mutation: &str, input: Value) -> (String, Value) {
    let payload = by.mutate(mutation, "message { text viewerActions }", input).await;
    (text(&payload["userErrors"][0]["code"]), payload["message"].clone())
}

async fn only_sender_can_edit(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let id = clinic.say(&clinic.vera, "It hurts").await;
    let program = program(&clinic.world.app, &clinic.world.admin).await;
    for other in [&clinic.olga, &clinic.world.admin] {
        let refused = refusal(other, "editMessage", json!({ "messageId": id, "text": "It is fine" })).await;
        assert_eq!((refused.0.as_str(), &refused.1["text"]), ("INVALID", &json!("It hurts")));
    }
    let input = json!({ "input": { "messageId": id, "text": "It is fine" } });
    let document = "mutation($input: EditMessageInput!) { editMessage(input: $input) { message { id } } }";
    let refused = program.ask(document, input).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    // System messages have no author who could edit them.
    clinic.olga.done("joinChat", "", json!({ "chatId": clinic.chat })).await;
    let query = "query($id: ID!) { chat(id: $id) { messages(types: [JOIN], last: 1) { nodes { id viewerActions } } } }";
    let found = clinic.olga.query(query, json!({ "id": clinic.chat })).await;
    let joined = &found["chat"]["messages"]["nodes"][0];
    assert_eq!(joined["viewerActions"], json!([]));
    let input = json!({ "messageId": joined["id"], "text": "x" });
    assert_eq!(refusal(&clinic.olga, "editMessage", input).await.0, "INVALID");
    let input = json!({ "messageId": joined["id"] });
    assert_eq!(refusal(&clinic.world.admin, "deleteMessage", input).await.0, "INVALID");
    clinic.stop().await;
}

async fn the_window_ends_on_the_millisecond(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let id = clinic.say(&clinic.vera, "0").await;
    clinic.world.pass(15 * 60 - 1);
    clinic.world.app.clock.advance(std::time::Duration::from_millis(999));
    let edited = clinic.edit(&clinic.vera, &id, "1").await;
    assert_eq!(edited["viewerActions"].as_array().expect("actions")[..2], [json!("EDIT"), json!("DELETE")]);
    clinic.world.app.clock.advance(std::time::Duration::from_millis(1));
    for (mutation, input) in [
        ("editMessage", json!({ "messageId": id, "text": "2" })),
        ("deleteMessage", json!({ "messageId": id })),
    ] {
        let (code, message) = refusal(&clinic.vera, mutation, input).await;
        assert_eq!((code.as_str(), &message["text"]), ("TOO_LATE", &json!("1")));
        let actions = message["viewerActions"].to_string();
        assert!(!actions.contains("EDIT") && !actions.contains("DELETE"), "{actions}");
    }
    // Editing to the current text changes nothing, and so is never too late: the first response may have been lost.
    assert_eq!(clinic.edit(&clinic.vera, &id, "1").await["text"], "1");
    clinic.stop().await;
}

async fn admin_sets_edit_window_and_can_always_delete(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let admin = &clinic.world.admin;
    let set = async |minutes: i32| {
        let input = json!({ "editWindowMinutes": minutes });
        let done = admin.done("updateOrganization", "organization { name editWindowMinutes }", input).await;
        assert_eq!(done["organization"], json!({ "name": "clinic", "editWindowMinutes": minutes }));
    };
    let id = clinic.say(&clinic.vera, "0").await;
    set(0).await;
    let input = json!({ "messageId": id, "text": "1" });
    assert_eq!(refusal(&clinic.vera, "editMessage", input.clone()).await.0, "TOO_LATE");
    set(60).await;
    clinic.world.pass(59 * 60);
    clinic.vera.done("editMessage", "", input).await;
    clinic.world.pass(60);
    assert_eq!(refusal(&clinic.vera, "deleteMessage", json!({ "messageId": id })).await.0, "TOO_LATE");
    clinic.world.pass(86_400);
    assert_eq!(seen(admin, &id).await["viewerActions"].to_string().matches("DELETE").count(), 1);
    assert_eq!(refusal(&clinic.olga, "deleteMessage", json!({ "messageId": id })).await.0, "INVALID");
    assert_eq!(clinic.delete(admin, &id).await["text"], Value::Null);
    let query = "{ organization { editWindowMinutes } }";
    assert_eq!(clinic.vera.query(query, json!({})).await["organization"]["editWindowMinutes"], 60);
    clinic.stop().await;
}

async fn revisions_are_visible_to_sender_and_staff(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let victor = clinic.world.visitor("victor").await;
    let input = json!({ "participantIds": [clinic.vera.id, victor.id] });
    let group = text(&clinic.olga.done("createGroupChat", "chat { id }", input).await["chat"]["id"]);
    let id = send(&clinic.vera, &group, "Dr. Duarte is late").await;
    let sent = seen(&clinic.vera, &id).await;
    clinic.world.pass(60);
    let first = clinic.edit(&clinic.vera, &id, "She is late").await;
    clinic.world.pass(60);
    let second = clinic.edit(&clinic.vera, &id, "Am I early?").await;
    assert_eq!(sent["revisions"], json!([]));
    assert_eq!(second["sequence"], sent["sequence"]);
    let revisions = json!([
        { "text": "Dr. Duarte is late", "createdAt": "2026-11-20T12:00:00.000Z" },
        { "text": "She is late", "createdAt": first["editedAt"] },
    ]);
    for viewer in [&clinic.vera, &clinic.olga, &clinic.world.admin] {
        let found = seen(viewer, &id).await;
        assert_eq!((&found["text"], &found["revisions"]), (&json!("Am I early?"), &revisions));
    }
    let found = seen(&victor, &id).await;
    assert_eq!((&found["text"], &found["revisions"]), (&json!("Am I early?"), &Value::Null));
    assert_eq!(found["editedAt"], "2026-11-20T12:02:00.000Z");
    clinic.stop().await;
}

async fn editing_to_same_text_changes_nothing(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let id = clinic.say(&clinic.vera, "0").await;
    clinic.edit(&clinic.vera, &id, "1").await;
    let stored = Stored::of(&clinic.world.app).await;
    let before = stored.tables().await;
    clinic.world.pass(1);
    let again = clinic.edit(&clinic.vera, &id, "1").await;
    assert_eq!(again["editedAt"], "2026-11-20T12:00:00.000Z");
    assert_unchanged(&before, &stored.tables().await, "the same text");
    clinic.stop().await;
}

async fn edit_count_is_limited(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let id = clinic.say(&clinic.vera, "start").await;
    for number in 0..limits::EDITS {
        clinic.edit(&clinic.vera, &id, &number.to_string()).await;
    }
    let input = json!({ "messageId": id, "text": "once more" });
    assert_eq!(refusal(&clinic.vera, "editMessage", input).await.0, "INVALID");
    let found = seen(&clinic.vera, &id).await;
    assert_eq!(found["revisions"].as_array().map(Vec::len), usize::try_from(limits::EDITS).ok());
    assert_eq!(found["revisions"][0]["text"], "start");
    clinic.stop().await;
}

async fn deleted_message_keeps_only_position_and_times(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let id = clinic.say(&clinic.vera, "My aching knee").await;
    let sequence = seen(&clinic.vera, &id).await["sequence"].clone();
    clinic.edit(&clinic.vera, &id, "My aching elbow").await;
    clinic.world.pass(1);
    let tombstone = clinic.delete(&clinic.vera, &id).await;
    let at = "2026-11-20T12:00:01.000Z";
    let expected = json!({
        "id": id, "sequence": sequence, "text": null, "editedAt": "2026-11-20T12:00:00.000Z", "deletedAt": at,
        "viewerActions": [], "revisions": []
    });
    assert_eq!(tombstone, expected);
    // It stands in the history for everybody,
    let query = format!(
        "query($id: ID!) {{ chat(id: $id) {{ messages(types: [MESSAGE]) {{ totalCount
        nodes {{ {MESSAGE} }} }} }} }}"
    );
    for viewer in [&clinic.vera, &clinic.olga, &clinic.world.admin] {
        let found = viewer.query(&query, json!({ "id": clinic.chat })).await;
        assert_eq!(found["chat"]["messages"], json!({ "totalCount": 1, "nodes": [expected] }));
    }
    // again it is no other, also after the window,
    clinic.world.pass(86_400);
    assert_eq!(clinic.delete(&clinic.vera, &id).await, expected);
    let input = json!({ "messageId": id, "text": "Back" });
    assert_eq!(refusal(&clinic.vera, "editMessage", input).await.0, "INVALID");
    // and what it said is nowhere.
    let tables = Stored::of(&clinic.world.app).await.tables().await;
    assert!(!format!("{tables:?}").to_lowercase().contains("aching"), "{tables:#?}");
    clinic.stop().await;
}

const COUNTED: &str =
    "query($id: ID!) { viewer { unreadCount } chat(id: $id) { messageCount visitorMessageCount
    isWaiting lastMessage { text } viewerParticipation { unreadCount } } }";

async fn deleted_message_leaves_unread_count_and_preview_only(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    clinic.olga.done("joinChat", "", json!({ "chatId": clinic.chat })).await;
    let mut ids = Vec::new();
    for text in ["0", "1", "2"] {
        ids.push(clinic.say(&clinic.vera, text).await);
    }
    let counted = async || clinic.olga.query(COUNTED, json!({ "id": clinic.chat })).await;
    let expected = |unread: u32, last: Value| {
        json!({ "viewer": { "unreadCount": unread }, "chat": { "messageCount": 3, "visitorMessageCount": 3,
            "isWaiting": true, "lastMessage": last, "viewerParticipation": { "unreadCount": unread } } })
    };
    assert_eq!(counted().await, expected(3, json!({ "text": "2" })));
    clinic.delete(&clinic.vera, &ids[1]).await;
    assert_eq!(counted().await, expected(2, json!({ "text": "2" })));
    clinic.delete(&clinic.vera, &ids[2]).await;
    assert_eq!(counted().await, expected(1, json!({ "text": "0" })));
    clinic.delete(&clinic.vera, &ids[0]).await;
    assert_eq!(counted().await, expected(0, Value::Null));
    clinic.stop().await;
}

async fn retry_returns_edited_or_deleted_message(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let input = |words: &str| json!({ "chatId": clinic.chat, "text": words, "externalId": "m" });
    let send = async |words: &str| {
        let sent = clinic.vera.done("sendMessage", "messageEdge { node { id text } }", input(words)).await;
        (text(&sent["messageEdge"]["node"]["id"]), sent["messageEdge"]["node"]["text"].clone())
    };
    let (id, _) = send("Hello").await;
    clinic.edit(&clinic.vera, &id, "Good morning").await;
    clinic.edit(&clinic.vera, &id, "Good evening").await;
    assert_eq!(send("Hello").await, (id.clone(), json!("Good evening")));
    for other in ["Good morning", "Good evening"] {
        assert_eq!(clinic.vera.refused("sendMessage", input(other)).await, ["CONFLICT"]);
    }
    clinic.delete(&clinic.vera, &id).await;
    assert_eq!(send("Hello").await, (id.clone(), Value::Null));
    assert_eq!(clinic.vera.refused("sendMessage", input("Good evening")).await, ["CONFLICT"]);
    clinic.stop().await;
}

async fn search_finds_current_text(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let mut ids = Vec::new();
    for text in ["the knee, left", "a shoulder", "the knee, right"] {
        ids.push(clinic.say(&clinic.vera, text).await);
    }
    clinic.edit(&clinic.vera, &ids[1], "a Knee after all").await;
    clinic.edit(&clinic.vera, &ids[2], "an elbow, all in all").await;
    clinic.delete(&clinic.vera, &ids[0]).await;
    let query = "query($chat: ID!, $query: String!) {
        organization { searchMessages(query: $query) { totalCount edges { snippet { text isMatch } node { text } } } }
        chat(id: $chat) { searchMessages(query: $query) { totalCount edges { snippet { text isMatch } node { text } } } } }";
    // Given texts that are walked, and texts that the index leads to,
    for walked in [5_000, 0] {
        clinic.world.app.app.actions().store().set_walked(walked);
        let find = async |words: &str| {
            let found = clinic.olga.query(query, json!({ "chat": clinic.chat, "query": words })).await;
            assert_eq!(found["organization"]["searchMessages"], found["chat"]["searchMessages"]);
            let edges = found["chat"]["searchMessages"]["edges"].as_array().expect("edges").clone();
            edges.iter().map(|edge| text(&edge["node"]["text"])).collect::<Vec<_>>()
        };
        assert_eq!(find("knee").await, ["a Knee after all"], "{walked}");
        assert_eq!(find("an elbow").await, ["an elbow, all in all"], "{walked}");
        assert_eq!(find("after all").await, ["a Knee after all"], "{walked}");
        for former in ["shoulder", "right", "left"] {
            assert_eq!(find(former).await, [""; 0], "{former} {walked}");
        }
        // The order stays that of their places.
        assert_eq!(find("all").await, ["an elbow, all in all", "a Knee after all"], "{walked}");
    }
    clinic.stop().await;
}

const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { cursor change { __typename
    ... on MessageAddedEvent { messageEdge { node { text } } }
    ... on MessageChangedEvent { message { text deletedAt editedAt } } } } }";
const ADDED: &str =
    "subscription($chat: ID!) { messageAdded(chatId: $chat) { cursor node { text deletedAt } } }";

async fn subscribers_receive_edits_in_order(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let query = "query($id: ID!) { chat(id: $id) { messages(last: 1) { eventCursor } } }";
    let start = clinic.olga.query(query, json!({ "id": clinic.chat })).await;
    let start = text(&start["chat"]["messages"]["eventCursor"]);
    let mut sockets = Vec::new();
    for viewer in [&clinic.olga, &clinic.vera] {
        let mut socket = Socket::connect(&viewer.url, &viewer.token).await;
        socket.subscribe("events", EVENTS, json!({ "chat": clinic.chat }), None).await;
        assert_eq!(socket.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
        let mut added = Socket::connect(&viewer.url, &viewer.token).await;
        added.subscribe("added", ADDED, json!({ "chat": clinic.chat }), Some(&start)).await;
        sockets.push((socket, added));
    }
    let id = clinic.say(&clinic.vera, "0").await;
    for (socket, added) in &mut sockets {
        let change = socket.data().await["chatEvents"]["change"].clone();
        assert_eq!(change["messageEdge"]["node"]["text"], "0");
        assert_eq!(added.data().await["messageAdded"]["node"]["text"], "0");
    }
    clinic.edit(&clinic.vera, &id, "1").await;
    clinic.delete(&clinic.vera, &id).await;
    clinic.say(&clinic.vera, "2").await;
    let at = "2026-11-20T12:00:00.000Z";
    for (socket, added) in &mut sockets {
        let changes = [
            json!({ "__typename": "MessageChangedEvent", "message": { "text": "1", "deletedAt": null, "editedAt": at } }),
            json!({ "__typename": "MessageChangedEvent", "message": { "text": null, "deletedAt": at, "editedAt": at } }),
            json!({ "__typename": "MessageAddedEvent", "messageEdge": { "node": { "text": "2" } } }),
        ];
        for expected in changes {
            assert_eq!(socket.data().await["chatEvents"]["change"], expected);
        }
        // The next event is the next new message.
        assert_eq!(added.data().await["messageAdded"]["node"]["text"], "2");
    }
    // A resumed stream replays each change, with the current state of the message.
    let mut socket = Socket::connect(&clinic.olga.url, &clinic.olga.token).await;
    socket.subscribe("again", EVENTS, json!({ "chat": clinic.chat }), Some(&start)).await;
    let mut told = Vec::new();
    while told.len() < 4 {
        let change = socket.data().await["chatEvents"]["change"].clone();
        let kind = text(&change["__typename"]);
        if kind.starts_with("Message") {
            told.push((kind, change));
        }
    }
    let kinds: Vec<_> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["MessageAddedEvent", "MessageChangedEvent", "MessageChangedEvent", "MessageAddedEvent"]
    );
    assert_eq!(told[0].1["messageEdge"]["node"]["text"], Value::Null);
    assert_eq!(told[1].1["message"]["deletedAt"], at);
    clinic.stop().await;
}

async fn ended_chat_allows_only_deletions(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let id = clinic.say(&clinic.vera, "0").await;
    clinic.olga.done("endChat", "", json!({ "chatId": clinic.chat })).await;
    let found = seen(&clinic.vera, &id).await;
    assert_eq!(found["viewerActions"], json!(["DELETE"]));
    let input = json!({ "messageId": id, "text": "1" });
    assert_eq!(refusal(&clinic.vera, "editMessage", input).await.0, "CHAT_ENDED");
    assert_eq!(clinic.delete(&clinic.vera, &id).await["text"], Value::Null);
    clinic.stop().await;
}
