//! Sessions that do not call a visitor do not exist for them: no message or counter reveals one.

use crate::harness::Engine;
use crate::harness::event_stream::EventStream;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, ids, text};
use crate::on_both;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    visitor_sees_no_messages_of_other_sessions,
    staff_session_is_invisible_to_visitors,
    visitor_of_group_sees_only_own_sessions,
    visitor_added_later_sees_session_from_its_start,
);

const PAGE: &str = "query($chat: ID!, $first: Int, $after: String) { chat(id: $chat) { updatedAt \
                    messages(first: $first, after: $after) { totalCount nodes { id type } \
                    pageInfo { hasNextPage endCursor } } } }";
const ADDED: &str = "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { type text } } }";
const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { change { __typename \
                      ... on MessageAddedEvent { messageEdge { node { type text } } } } } }";
const INBOX: &str = "subscription { viewerEvents { change { __typename \
                     ... on ChatSessionChangedEvent { chatSession { id state } } } } }";

async fn say(who: &Person, chat: &str, words: &str) -> String {
    let input = json!({ "chatId": chat, "text": words });
    text(&who.done("sendMessage", "messageEdge { cursor }", input).await["messageEdge"]["cursor"])
}

async fn call(who: &Person, chat: &str, called: &[&Person]) -> String {
    let called: Vec<_> = called.iter().map(|person| &person.id).collect();
    let input = json!({ "in": { "chat": { "id": chat, "participantIds": called } }, "start": true });
    text(&who.done("createChatSession", "chatSession { id }", input).await["chatSession"]["id"])
}

async fn direct(who: &Person, verb: &str, session: &str) {
    who.done(verb, "", json!({ "chatSessionId": session })).await;
}

/// The messages of a chat, read in pages of two.
async fn read(who: &Person, chat: &str) -> Vec<Value> {
    let (mut nodes, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = who.query(PAGE, json!({ "chat": chat, "first": 2, "after": after })).await;
        let messages = &page["chat"]["messages"];
        nodes.extend(messages["nodes"].as_array().expect("nodes").iter().cloned());
        if messages["pageInfo"]["hasNextPage"] == json!(false) {
            assert_eq!(messages["totalCount"], json!(nodes.len()));
            return nodes;
        }
        after = messages["pageInfo"]["endCursor"].clone();
    }
}

fn sessions_in(nodes: &[Value]) -> usize {
    nodes.iter().filter(|node| node["type"] == "SESSION").count()
}

async fn updated_at(who: &Person, chat: &str) -> String {
    text(
        &who.query("query($id: ID!) { chat(id: $id) { updatedAt } }", json!({ "id": chat })).await["chat"]["updatedAt"],
    )
}

async fn visitor_sees_no_messages_of_other_sessions(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let start = say(&vera, &chat, "It hurts").await;
    for who in [&olga, &otto] {
        say(who, &chat, "Hello").await;
    }
    let mut phone = Socket::connect(&vera.url, &vera.token).await;
    phone.subscribe("added", ADDED, json!({ "chat": chat }), None).await;
    phone.subscribe("events", EVENTS, json!({ "chat": chat }), None).await;
    assert_eq!(phone.next().await["data"]["chatEvents"]["change"]["__typename"], "ChatResetEvent");
    phone.wait_until_subscribed().await;

    let session = call(&olga, &chat, &[&otto]).await;
    direct(&otto, "rejectChatSession", &session).await;
    let last = say(&olga, &chat, "Where?").await;

    let hidden: Vec<_> =
        read(&olga, &chat).await.into_iter().filter(|node| node["type"] == "SESSION").collect();
    assert_eq!(hidden.len(), 2, "a colleague sees them");
    assert_eq!(sessions_in(&read(&vera, &chat).await), 0);
    for id in ids(&json!(hidden)) {
        let found = vera.query("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(found["node"], Value::Null);
        let around = "query($chat: ID!, $id: ID!) { chat(id: $chat) { messages(first: 5, around: $id) { nodes { id } } } }";
        let found = vera.query(around, json!({ "chat": chat, "id": id })).await;
        assert_eq!(found["chat"]["messages"]["nodes"], json!([]));
    }
    let unread = vera.query(
        "query($id: ID!) { viewer { unreadCount } chat(id: $id) { viewerParticipation { unreadCount } } }",
        json!({ "id": chat }),
    );
    let unread = unread.await;
    assert_eq!(unread["chat"]["viewerParticipation"]["unreadCount"], 3);

    // Live: nothing but what was said.
    let mut heard = 0;
    while heard < 2 {
        let message = phone.receive().await;
        let data = &message["payload"]["data"];
        let node = if message["id"] == "added" {
            &data["messageAdded"]["node"]
        } else {
            assert_eq!(data["chatEvents"]["change"]["__typename"], "MessageAddedEvent", "{message:#}");
            &data["chatEvents"]["change"]["messageEdge"]["node"]
        };
        assert_eq!(node["text"], "Where?", "{message:#}");
        heard += 1;
    }
    // And for who comes back.
    phone.subscribe("again", ADDED, json!({ "chat": chat }), Some(&start)).await;
    let mut stream = EventStream::open(&vera, EVENTS, &json!({ "chat": chat }), Some(&start)).await;
    for words in ["Hello", "Hello", "Where?"] {
        assert_eq!(phone.data().await["messageAdded"]["node"]["text"], words);
    }
    loop {
        let event = stream.next().await.expect("an event");
        let change = &event.data["data"]["chatEvents"]["change"];
        let is_session = change["__typename"].as_str().expect("a name").contains("Session");
        assert!(!is_session && change["messageEdge"]["node"]["type"] != "SESSION", "{change:#}");
        if event.id.as_ref() == Some(&last) {
            break;
        }
    }
    world.app.stop().await;
}

async fn staff_session_is_invisible_to_visitors(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let (older, newer) = (world.chat(&vera).await, {
        world.pass(10);
        world.chat(&vera).await
    });
    for chat in [&older, &newer] {
        world.pass(10);
        for who in [&vera, &olga, &otto] {
            say(who, chat, "Hello").await;
        }
    }
    let mut phone = Socket::connect(&vera.url, &vera.token).await;
    phone.subscribe("inbox", INBOX, json!({}), None).await;
    let reset = phone.next().await;
    let cursor = text(&reset["extensions"]["cursor"]);
    let list = "{ viewer { visitor { chats(first: 10, orderBy: { field: UPDATED_AT, direction: DESC }) { \
                nodes { id updatedAt } } } } }";
    let before = vera.query(list, json!({})).await;
    assert_eq!(ids(&before["viewer"]["visitor"]["chats"]["nodes"]), [newer.clone(), older.clone()]);

    world.pass(60);
    let session = call(&olga, &older, &[&otto]).await;
    direct(&otto, "acceptChatSession", &session).await;
    world.pass(60);
    direct(&otto, "finishChatSession", &session).await;

    assert_eq!(vera.query(list, json!({})).await, before);
    assert!(phone.is_quiet(Duration::from_millis(500)).await, "the visitor received an event");
    phone.subscribe("again", INBOX, json!({}), Some(&cursor)).await;
    // What is found again is from before.
    while let Ok(Ok(message)) = tokio::time::timeout(Duration::from_millis(500), phone.try_receive()).await {
        let kind = &message["payload"]["data"]["viewerEvents"]["change"]["__typename"];
        assert!(!kind.as_str().expect("a name").contains("Session"), "{message:#}");
    }
    // A session that calls the visitor is theirs to hear of.
    let session = call(&olga, &older, &[&vera]).await;
    assert_ne!(
        updated_at(&vera, &older).await,
        before["viewer"]["visitor"]["chats"]["nodes"][1]["updatedAt"]
    );
    assert_eq!(sessions_in(&read(&vera, &older).await), 1);
    direct(&vera, "rejectChatSession", &session).await;
    assert_eq!(sessions_in(&read(&vera, &older).await), 2);
    world.app.stop().await;
}

async fn visitor_of_group_sees_only_own_sessions(engine: Engine) {
    let world = World::frozen(engine).await;
    let olga = world.operator("Olga").await;
    let (vera, victor) = (world.visitor("vera").await, world.visitor("victor").await);
    let input = json!({ "participantIds": [vera.id, victor.id], "name": "Family" });
    let chat = text(&olga.done("createGroupChat", "chat { id }", input).await["chat"]["id"]);
    say(&olga, &chat, "Hello").await;
    // Long enough for the chat to be found by the session alone.
    world.pass(200);
    let mut cursors = Vec::new();
    for who in [&vera, &victor] {
        let mut phone = Socket::connect(&who.url, &who.token).await;
        phone.subscribe("inbox", INBOX, json!({}), None).await;
        cursors.push(text(&phone.next().await["extensions"]["cursor"]));
    }
    let before = updated_at(&victor, &chat).await;

    world.pass(10);
    let session = call(&olga, &chat, &[&vera]).await;
    direct(&vera, "acceptChatSession", &session).await;
    assert_eq!(sessions_in(&read(&vera, &chat).await), 2);
    assert_eq!(sessions_in(&read(&victor, &chat).await), 0);
    assert_eq!(updated_at(&victor, &chat).await, before);

    // After a reconnect, participants of the session receive it, and others do not.
    let mut phone = Socket::connect(&vera.url, &vera.token).await;
    phone.subscribe("inbox", INBOX, json!({}), Some(&cursors[0])).await;
    loop {
        let change = phone.data().await["viewerEvents"]["change"].clone();
        if change["__typename"] == "ChatSessionChangedEvent" {
            assert_eq!(change["chatSession"], json!({ "id": session, "state": "ACCEPTED" }));
            break;
        }
    }
    let mut phone = Socket::connect(&victor.url, &victor.token).await;
    phone.subscribe("inbox", INBOX, json!({}), Some(&cursors[1])).await;
    while let Ok(Ok(message)) = tokio::time::timeout(Duration::from_millis(500), phone.try_receive()).await {
        let kind = &message["payload"]["data"]["viewerEvents"]["change"]["__typename"];
        assert!(!kind.as_str().expect("a name").contains("Session"), "{message:#}");
    }
    world.app.stop().await;
}

async fn visitor_added_later_sees_session_from_its_start(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, otto) = (world.operator("Olga").await, world.operator("Otto").await);
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    say(&otto, &chat, "Hello").await;
    let session = call(&olga, &chat, &[&otto]).await;
    assert_eq!(sessions_in(&read(&vera, &chat).await), 0);
    let called = [&olga, &otto, &vera].map(|person| person.id.clone());
    let input = json!({ "chatSessionId": session, "participantIds": called });
    olga.done("updateChatSession", "", input).await;
    assert_eq!(sessions_in(&read(&vera, &chat).await), 1);
    let called = [&olga, &otto].map(|person| person.id.clone());
    let input = json!({ "chatSessionId": session, "participantIds": called });
    olga.done("updateChatSession", "", input).await;
    assert_eq!(sessions_in(&read(&vera, &chat).await), 0);
    world.app.stop().await;
}
