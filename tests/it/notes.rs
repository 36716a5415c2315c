//! Notes: who can write and read them, and that visitors cannot detect them.

mod beside;

use crate::harness::Engine;
use crate::harness::hooks::{hook, ledger};
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    notes_require_visitor_chat,
    note_changes_only_staff_unread_counts,
    colleagues_find_notes_and_follow_them,
    resumed_colleague_receives_note,
    note_retry_returns_first_note,
    notes_send_no_webhooks,
    a_visitor_resumes_across_hundreds_of_notes,
);

struct Clinic {
    world: World,
    olga: Person,
    odile: Person,
    vera: Person,
    chat: String,
}

impl Clinic {
    /// Vera has asked, and Olga has answered; Odile is a colleague who does not participate.
    async fn new(engine: Engine) -> Self {
        let world = World::frozen(engine).await;
        let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
        let vera = world.visitor("vera").await;
        let chat = world.chat(&vera).await;
        let clinic = Self { world, olga, odile, vera, chat };
        clinic.say(&clinic.vera, "It hurts").await;
        clinic.say(&clinic.olga, "Where?").await;
        clinic
    }

    async fn say(&self, sender: &Person, words: &str) -> String {
        send(sender, json!({ "chatId": self.chat, "text": words })).await
    }

    async fn note(&self, sender: &Person, words: &str) -> String {
        send(sender, json!({ "chatId": self.chat, "text": words, "isInternal": true })).await
    }

    async fn stop(self) {
        self.world.app.stop().await;
    }
}

async fn send(sender: &Person, input: Value) -> String {
    let sent = sender.done("sendMessage", "messageEdge { node { id } }", input).await;
    text(&sent["messageEdge"]["node"]["id"])
}

async fn notes_require_visitor_chat(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, vera, chat } = &clinic;
    let document = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
        messageEdge { node { isInternal receiver { id } sender { id } } } userErrors { code field } } }";
    let note = |chat: &str, sender: Option<&Person>| {
        let sender = sender.map(|sender| sender.id.clone());
        json!({ "input": { "chatId": chat, "text": "x", "isInternal": true, "senderId": sender } })
    };
    let program = program(&world.app, &world.admin).await;
    for (client, sender) in [(&vera.client, None), (&program, Some(olga))] {
        let refused = client.ask(document, note(chat, sender)).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
    }
    let code = async |client: &Person, chat: &str, sender| {
        let answer = client.query(document, note(chat, sender)).await["sendMessage"].clone();
        assert_eq!(answer["messageEdge"].is_null(), answer["userErrors"] != json!([]));
        answer
    };
    let refused = code(&world.admin, chat, Some(vera)).await;
    assert_eq!(refused["userErrors"], json!([{ "code": "INVALID", "field": ["input", "isInternal"] }]));
    let input = json!({ "participantId": odile.id });
    let direct = text(&olga.done("createDirectChat", "chat { id }", input).await["chat"]["id"]);
    assert_eq!(code(olga, &direct, None).await["userErrors"][0]["code"], "INVALID");
    let input = json!({ "participantIds": [vera.id] });
    let group = text(&olga.done("createGroupChat", "chat { id }", input).await["chat"]["id"]);
    for (by, chat, sender) in [(olga, &group, None), (odile, chat, None), (&world.admin, chat, Some(olga))] {
        let sent = code(by, chat, sender).await;
        let sender = sender.unwrap_or(by);
        let expected = json!({ "isInternal": true, "receiver": null, "sender": { "id": sender.id } });
        assert_eq!(sent["messageEdge"]["node"], expected);
    }
    olga.done("endChat", "", json!({ "chatId": chat })).await;
    assert_eq!(code(olga, chat, None).await["userErrors"][0]["code"], "CHAT_ENDED");
    clinic.stop().await;
}

const STANDS: &str = "query($id: ID!) { chat(id: $id) { updatedAt waitingSince messageCount userMessageCount
    participationCount isRealConversation presentUserCount lastMessage { text }
    presences { nodes { lastSeenAt expiresAt } }
    participations { nodes { messageCount firstMessageAt actor { id } } } } }";

async fn note_changes_only_staff_unread_counts(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, vera, chat } = &clinic;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    clinic.say(vera, "Here").await;
    let current_state = async || olga.query(STANDS, json!({ "id": chat })).await;
    let unread = async |viewer: &Person| {
        let query =
            "query($id: ID!) { viewer { unreadCount } chat(id: $id) { viewerParticipation { unreadCount }
            participations { nodes { unreadCount actor { id } } } } }";
        let found = viewer.query(query, json!({ "id": chat })).await;
        let own = found["chat"]["viewerParticipation"]["unreadCount"].clone();
        assert_eq!(found["viewer"]["unreadCount"], own);
        let nodes = found["chat"]["participations"]["nodes"].as_array().expect("nodes").clone();
        let of = |id: &str| {
            nodes.iter().find(|node| node["actor"]["id"] == id).expect("one")["unreadCount"].clone()
        };
        (own, of(&olga.id), of(&vera.id))
    };
    for reader in [olga, vera] {
        reader.done("markRead", "", json!({ "chatId": chat, "throughSequence": i32::MAX })).await;
    }
    let before = current_state().await;
    assert_ne!(before["chat"]["waitingSince"], Value::Null);
    world.pass(5);
    let note = clinic.note(odile, "She was here last week").await;
    clinic.note(olga, "I know").await;
    odile.done("editMessage", "", json!({ "messageId": note, "text": "She was here in May" })).await;
    assert_eq!(current_state().await, before);
    // Olga has one of them to read. Vera has none, and does not see that Olga has.
    assert_eq!(unread(olga).await, (json!(1), json!(1), json!(0)));
    assert_eq!(unread(vera).await, (json!(0), json!(0), json!(0)));
    odile.done("deleteMessage", "", json!({ "messageId": note })).await;
    assert_eq!(unread(olga).await, (json!(0), json!(0), json!(0)));
    assert_eq!(current_state().await, before);
    clinic.stop().await;
}

const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename
    ... on MessageAddedEvent { messageEdge { node { text isInternal } } }
    ... on MessageChangedEvent { message { text isInternal } } } } }";

async fn colleagues_find_notes_and_follow_them(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, chat, .. } = &clinic;
    let mut events = Socket::connect(&odile.url, &odile.token).await;
    events.subscribe("e", EVENTS, json!({ "chat": chat }), None).await;
    assert_eq!(events.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
    let mut inbox = Socket::connect(&olga.url, &olga.token).await;
    let query = "subscription { viewerEvents { at viewer { unreadCount } change { __typename } } }";
    inbox.subscribe("i", query, json!({}), None).await;
    assert_eq!(inbox.data().await["viewerEvents"]["change"]["__typename"], "ViewerResetEvent");
    world.pass(5);
    let id = clinic.note(odile, "Knee, the left one").await;
    let told = inbox.data().await["viewerEvents"].clone();
    assert_eq!(told["viewer"]["unreadCount"], 1);
    assert_eq!(
        (&told["at"], &told["change"]["__typename"]),
        (&json!("2026-11-20T12:00:05.000Z"), &json!("ChatChangedEvent"))
    );
    odile.done("editMessage", "", json!({ "messageId": id, "text": "Knee, the right one" })).await;
    let node = |text: &str| json!({ "text": text, "isInternal": true });
    let added =
        json!({ "__typename": "MessageAddedEvent", "messageEdge": { "node": node("Knee, the left one") } });
    let changed = json!({ "__typename": "MessageChangedEvent", "message": node("Knee, the right one") });
    for expected in [added, changed] {
        assert_eq!(events.data().await["chatEvents"]["change"], expected);
    }
    let query =
        "query($id: ID!) { organization { searchMessages(query: \"right one\") { nodes { isInternal } } }
        chat(id: $id) { searchMessages(query: \"right one\") { nodes { isInternal } }
            messages(last: 1) { totalCount nodes { isInternal } } } }";
    let found = world.admin.query(query, json!({ "id": chat })).await;
    let one = json!([{ "isInternal": true }]);
    assert_eq!(found["organization"]["searchMessages"]["nodes"], one);
    assert_eq!(found["chat"]["searchMessages"]["nodes"], one);
    assert_eq!(found["chat"]["messages"]["nodes"], one);
    clinic.stop().await;
}

async fn resumed_colleague_receives_note(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { world, olga, odile, vera, chat } = &clinic;
    let query = "{ viewer { inbox { eventCursor } } }";
    let cursor =
        async |viewer: &Person| text(&viewer.query(query, json!({})).await["viewer"]["inbox"]["eventCursor"]);
    world.pass(600);
    let cursors = (cursor(olga).await, cursor(vera).await);
    world.pass(600);
    clinic.note(odile, "Call her back").await;
    let query = "subscription { viewerEvents { at change { __typename
        ... on InboxChatAddedEvent { chatEdge { node { id messageCount } } } } } }";
    let mut socket = Socket::connect(&olga.url, &olga.token).await;
    socket.subscribe("s", query, json!({}), Some(&cursors.0)).await;
    let edge = json!({ "node": { "id": chat, "messageCount": 2 } });
    let change = json!({ "__typename": "InboxChatAddedEvent", "chatEdge": edge });
    assert_eq!(
        socket.data().await["viewerEvents"],
        json!({ "at": "2026-11-20T12:20:00.000Z", "change": change })
    );
    // For Vera nothing happened until Olga wrote.
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    socket.subscribe("s", query, json!({}), Some(&cursors.1)).await;
    world.pass(1);
    clinic.say(olga, "I will call you").await;
    assert_eq!(socket.data().await["viewerEvents"]["at"], "2026-11-20T12:20:01.000Z");
    clinic.stop().await;
}

async fn note_retry_returns_first_note(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let input = |is_internal: bool| json!({ "chatId": clinic.chat, "text": "Hm", "externalId": "n", "isInternal": is_internal });
    let first = send(&clinic.olga, input(true)).await;
    assert_eq!(send(&clinic.olga, input(true)).await, first);
    assert_eq!(clinic.olga.refused("sendMessage", input(false)).await, ["CONFLICT"]);
    clinic.olga.done("deleteMessage", "", json!({ "messageId": first })).await;
    assert_eq!(send(&clinic.olga, input(true)).await, first);
    assert_eq!(clinic.olga.refused("sendMessage", input(false)).await, ["CONFLICT"]);
    clinic.stop().await;
}

async fn notes_send_no_webhooks(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let admin = &clinic.world.admin;
    let hook = hook(admin, "https://hooks.example.org/", &["MESSAGE_TO_VISITOR", "MESSAGE_ADDED"]).await;
    let note = clinic.note(&clinic.olga, "Among us").await;
    clinic.olga.done("editMessage", "", json!({ "messageId": note, "text": "Between us" })).await;
    assert_eq!(ledger(admin, &hook).await, [Value::Null; 0]);
    clinic.say(&clinic.olga, "Dear Vera").await;
    assert_eq!(ledger(admin, &hook).await.len(), 2);
    clinic.stop().await;
}

async fn a_visitor_resumes_across_hundreds_of_notes(engine: Engine) {
    let clinic = Clinic::new(engine).await;
    let Clinic { olga, vera, chat, .. } = &clinic;
    let query = "query($id: ID!) { chat(id: $id) { messages(last: 1) { eventCursor } } }";
    let cursor = vera.query(query, json!({ "id": chat })).await;
    let cursor = text(&cursor["chat"]["messages"]["eventCursor"]);
    // More than are read at once.
    for number in 0..205 {
        clinic.note(olga, &number.to_string()).await;
    }
    clinic.say(olga, "Dear Vera").await;
    let added = "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text } } }";
    let events = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename
        ... on MessageAddedEvent { messageEdge { node { text } } } } } }";
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    socket.subscribe("a", added, json!({ "chat": chat }), Some(&cursor)).await;
    assert_eq!(socket.data().await["messageAdded"]["node"]["text"], "Dear Vera");
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    socket.subscribe("e", events, json!({ "chat": chat }), Some(&cursor)).await;
    let change = socket.data().await["chatEvents"]["change"].clone();
    assert_eq!(change["messageEdge"]["node"]["text"], "Dear Vera", "{change}");
    let query = "query($id: ID!) { chat(id: $id) { messages(last: 2) { totalCount nodes { text }
        pageInfo { hasPreviousPage } } } }";
    let found = vera.query(query, json!({ "id": chat })).await["chat"]["messages"].clone();
    let texts = json!([{ "text": "Where?" }, { "text": "Dear Vera" }]);
    assert_eq!(found, json!({ "totalCount": 3, "nodes": texts, "pageInfo": { "hasPreviousPage": true } }));
    clinic.stop().await;
}
