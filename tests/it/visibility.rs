//! Visibility: every list shows a viewer exactly the chats that they can read by id, with the names that are
//! meant for this viewer.

use crate::harness::client::{Client, is_null};
use crate::harness::scene::{Place, Scene};
use crate::harness::socket::Socket;
use crate::harness::world::text;
use crate::harness::{Engine, TestApp};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    lists_show_exactly_the_chats_that_exist_for_the_viewer,
    chat_contents_follow_chat_visibility,
    private_chat_is_visible_only_to_participants_and_admins,
    visitors_see_only_public_names_and_own_data,
    visitors_see_public_names_in_events,
);

/// Which chats exist for whom.
fn sees(who: &str, kind: &str) -> bool {
    match who {
        "admin" | "olga" => true,
        "odile" => kind != "private",
        "otto" | "program" => kind == "public",
        "vera" => kind != "direct",
        _ => false,
    }
}

/// Whether a person participates in a kind of chat.
fn is_participant(who: &str, kind: &str) -> bool {
    match who {
        "olga" => true,
        "odile" => kind == "direct" || kind == "group",
        "vera" => kind != "direct",
        _ => false,
    }
}

fn viewers(scene: &Scene) -> [(&'static str, &Client); 7] {
    [
        ("admin", &scene.admin),
        ("olga", &scene.olga),
        ("odile", &scene.odile),
        ("otto", &scene.otto),
        ("vera", &scene.vera),
        ("victor", &scene.victor),
        ("program", &scene.program),
    ]
}

async fn lists_show_exactly_the_chats_that_exist_for_the_viewer(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let query = "query($id: ID!, $room: ID!, $olga: ID!, $vera: ID!) {
        node(id: $id) { id } chat(id: $id) { id }
        organization { chats { totalCount nodes { id } } } room(id: $room) { chats { totalCount nodes { id } } }
        olga: user(id: $olga) { chats { totalCount nodes { id } } currentChats { totalCount nodes { id } } }
        vera: visitor(by: { id: $vera }) { chats { totalCount nodes { id } } }
        viewer { inbox { totalCount nodes { id } } } }";
    for (who, client) in viewers(&scene) {
        for (kind, place) in scene.places() {
            let variables = json!({
                "id": place.chat, "room": scene.room, "olga": scene.olga.id, "vera": scene.vera.id
            });
            let found = client.query(query, variables).await;
            let is_in = |list: &str| {
                let list = found.pointer(list).unwrap_or(&Value::Null);
                let nodes = list["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
                assert_eq!(
                    list["totalCount"].as_u64().unwrap_or_default(),
                    nodes.len() as u64,
                    "{who}: {list}"
                );
                nodes.iter().filter(|node| node["id"] == place.chat).count() == 1
            };
            let sees = sees(who, kind);
            let is_of_vera = kind == "public" || kind == "private";
            let finds_vera = who != "victor";
            let what = format!("{who} and the {kind} chat: {found:#}");
            assert_eq!(found["chat"].is_object(), sees, "{what}");
            assert_eq!(found["node"].is_object(), sees, "{what}");
            assert_eq!(is_in("/organization/chats"), sees, "{what}");
            assert_eq!(is_in("/room/chats"), sees && is_of_vera, "{what}");
            assert_eq!(is_in("/olga/chats"), sees, "{what}");
            assert_eq!(is_in("/olga/currentChats"), sees, "{what}");
            assert_eq!(is_in("/vera/chats"), sees && is_of_vera && finds_vera, "{what}");
            assert_eq!(is_in("/viewer/inbox"), is_participant(who, kind), "{what}");
        }
    }
    app.stop().await;
}

async fn chat_contents_follow_chat_visibility(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let query =
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } organization { chatSessions { nodes { id } } } }";
    for (who, client) in viewers(&scene) {
        for (kind, place) in scene.places() {
            let Place { chat: _, session, message, presence, participation } = place;
            let ids = json!([message, presence, participation, session]);
            let found = client.query(query, json!({ "ids": ids })).await;
            let nodes = found["nodes"].as_array().expect("nodes");
            let what = format!("{who} and what is in the {kind} chat: {found:#}");
            for (node, id) in nodes.iter().zip(ids.as_array().expect("ids")) {
                assert_eq!(node["id"] == *id, sees(who, kind), "{what}");
                assert_eq!(node.is_null(), !sees(who, kind), "{what}");
            }
            let sessions = found["organization"]["chatSessions"]["nodes"].as_array().expect("sessions");
            assert_eq!(sessions.contains(&json!({ "id": session })), sees(who, kind), "{what}");
        }
    }
    app.stop().await;
}

async fn private_chat_is_visible_only_to_participants_and_admins(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let chat = &scene.public.chat;
    let query = "query($id: ID!) { chat(id: $id) { id } organization { chats { nodes { id } } } }";
    let exists = async |client: &Client| {
        let found = client.query(query, json!({ "id": chat })).await;
        let is_listed = found["organization"]["chats"]["nodes"].to_string().contains(chat);
        assert_eq!(is_listed, found["chat"].is_object(), "{found:#}");
        is_listed
    };
    // Given a chat that everybody sees, which Odile has joined and Otto has not,
    scene.odile.done("joinChat", "", json!({ "chatId": chat })).await;
    for client in [&scene.odile.client, &scene.otto.client, &scene.program] {
        assert!(exists(client).await);
    }
    // when Olga makes it private, then only participants, even after they left, and admins still see it;
    scene.olga.done("updateChat", "", json!({ "chatId": chat, "isPrivate": true })).await;
    scene.odile.done("leaveChat", "", json!({ "chatId": chat })).await;
    for client in [&scene.admin.client, &scene.olga.client, &scene.odile.client, &scene.vera.client] {
        assert!(exists(client).await);
    }
    assert!(!exists(&scene.otto).await && !exists(&scene.program).await && !exists(&scene.victor).await);
    // and it comes back for all when it is public again.
    scene.odile.done("updateChat", "", json!({ "chatId": chat, "isPrivate": false })).await;
    assert!(exists(&scene.otto).await && exists(&scene.program).await && !exists(&scene.victor).await);
    app.stop().await;
}

/// The people who appear in a chat, in every field that can show a name.
const NAMES: &str = "query($id: ID!) { chat(id: $id) { title owner { ...who }
    participations { nodes { actor { ...who } } } presences { nodes { user { ...who } } }
    messages { nodes { senderName sender { ...who } } } lastMessage { senderName sender { ...who } }
    chatSessions { nodes { createdBy { ...who } startedBy { ...who } participants { actor { ...who } } } }
    openChatSession { startedBy { ...who } } typing { actor { ...who } } } }
    fragment who on Actor { displayName ... on User { name publicName role externalId }
        ... on Visitor { externalId attributes { name value } } }";

async fn visitors_see_only_public_names_and_own_data(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let Scene { admin, olga, vera, victor, .. } = &scene;
    let known =
        json!({ "externalId": "victor-clinic", "attributes": [{ "name": "ward", "value": "secret" }] });
    admin.done("upsertVisitor", "", known).await;
    let group = json!({ "participantIds": [vera.id, victor.id] });
    let chat = text(&olga.done("createGroupChat", "chat { id }", group).await["chat"]["id"]);
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    for who in [olga, victor] {
        who.done("sendMessage", "", json!({ "chatId": chat, "text": "Good morning" })).await;
    }
    olga.done("createChatSession", "", json!({ "in": { "chat": { "id": chat } }, "start": true })).await;
    olga.done("setTyping", "", json!({ "chatId": chat, "isTyping": true })).await;
    // On a colleague's screen Olga has her name,
    let staff = admin.query(NAMES, json!({ "id": chat })).await.to_string();
    assert!(
        staff.contains("\"senderName\":\"Olga\"") && staff.contains("\"displayName\":\"Olga\""),
        "{staff}"
    );
    assert!(staff.contains("\"role\":\"OPERATOR\"") && staff.contains("secret"), "{staff}");
    // on a visitor's the one that is for visitors, and what else is known stays among colleagues.
    let found = vera.query(NAMES, json!({ "id": chat })).await;
    let shown = found.to_string();
    assert!(shown.contains("\"senderName\":\"Olga in public\""), "{found:#}");
    assert!(!shown.replace("Olga in public", "").contains("Olga"), "{found:#}");
    assert_eq!(found["chat"]["title"], "Olga in public, Visitor victor-clinic");
    for hidden in ["OPERATOR", "secret", "\"externalId\":\"victor-clinic\""] {
        assert!(!shown.contains(hidden), "{hidden}: {found:#}");
    }
    assert!(shown.contains("\"externalId\":\"vera-clinic\""), "{found:#}");
    for list in ["rooms", "users", "visitors"] {
        let query = format!("{{ organization {{ {list} {{ totalCount }} }} }}");
        assert!(is_null(&vera.ask(&query, json!({})).await, &format!("/organization/{list}")));
    }
    app.stop().await;
}

async fn visitors_see_public_names_in_events(engine: Engine) {
    let app = TestApp::start(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let (chat, who) = (&scene.group.chat, "displayName ... on User { name role externalId }");
    let query = format!(
        "subscription($id: ID!) {{ chatEvents(chatId: $id) {{ chat {{ title lastMessage {{ senderName }} }} change {{
            __typename ... on MessageAddedEvent {{ messageEdge {{ node {{ text senderName sender {{ {who} }} }} }} }}
            ... on PresenceEndedEvent {{ presence {{ user {{ {who} }} }} }}
            ... on ChatSessionChangedEvent {{ chatSession {{ startedBy {{ {who} }} participants {{ actor {{ {who} }} }} }} }}
        }} }} }}"
    );
    let mut socket = Socket::connect(&app.url, &scene.vera.token).await;
    socket.subscribe("s", &query, json!({ "id": chat }), None).await;
    assert!(socket.receive().await.to_string().contains("ChatResetEvent"));
    scene.olga.done("startChatSession", "", json!({ "chatSessionId": scene.group.session })).await;
    scene.olga.done("sendMessage", "", json!({ "chatId": chat, "text": "Last one" })).await;
    scene.olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    let mut seen = String::new();
    while !seen.contains("PresenceEndedEvent") {
        seen.push_str(&socket.receive().await.to_string());
    }
    for what in ["MessageAddedEvent", "PresenceEndedEvent", "ChatSessionChangedEvent", "Olga in public"] {
        assert!(seen.contains(what), "{what}: {seen}");
    }
    assert!(!seen.replace("Olga in public", "").contains("Olga") && !seen.contains("OPERATOR"), "{seen}");
    app.stop().await;
}
