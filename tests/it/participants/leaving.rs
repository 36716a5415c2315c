//! Former participants see nothing new in queries and open subscriptions, and the others continue.

use super::{add, direct, group, inbox, participant_ids, remove, seen};
use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    removed_participant_cannot_see_chat,
    removal_reaches_all_open_streams,
    leave_returns_null_chat,
    leaving_a_group_ends_participation_and_presence,
    leaving_transfers_ownership_and_works_after_end,
    an_admin_who_left_a_group_still_sees_it,
    leaving_a_direct_chat_lasts_until_it_is_created_again,
    leaving_visitor_chat_ends_only_presence,
    longest_standing_participant_inherits_group,
    a_presence_ends_with_the_participation,
    open_sessions_continue_without_removed_participant,
    removal_ends_typing,
);

async fn removed_participant_cannot_see_chat(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = group(&olga, &[&odile]).await;
    let input = json!({ "chatId": chat, "text": "Between us" });
    let sent = odile.done("sendMessage", "messageEdge { node { id } }", input).await;
    let session = json!({ "in": { "chat": { "id": chat } } });
    let session =
        odile.done("createChatSession", "chatSession { id }", session).await["chatSession"]["id"].clone();
    let own = seen(&odile, &chat, "viewerParticipation { id }").await["viewerParticipation"]["id"].clone();
    assert_eq!(remove(&olga, &chat, &odile).await, None);
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } viewer { unreadCount openChatSessions { id }
        inbox { totalCount } } organization { chats { totalCount } chatSessions { totalCount }
        searchMessages(query: \"between\") { totalCount } } }";
    let ids = json!([chat, sent["messageEdge"]["node"]["id"], session, own]);
    let found = odile.query(query, json!({ "ids": ids })).await;
    let nothing = json!({ "totalCount": 0 });
    assert_eq!(found["nodes"], json!([null, null, null, null]));
    let viewer = json!({ "unreadCount": 0, "openChatSessions": [], "inbox": nothing });
    assert_eq!(found["viewer"], viewer);
    let organization = json!({ "chats": nothing, "chatSessions": nothing, "searchMessages": nothing });
    assert_eq!(found["organization"], organization);
    for (name, input) in [
        ("sendMessage", json!({ "chatId": chat, "text": "Still here" })),
        ("markRead", json!({ "chatId": chat, "throughSequence": i32::MAX })),
        ("finishChatSession", json!({ "chatSessionId": session })),
        ("removeParticipant", json!({ "chatId": chat, "participantId": odile.id })),
    ] {
        assert_eq!(odile.refused(name, input).await, ["NOT_FOUND"], "{name}");
    }
    world.app.stop().await;
}

/// A stream that stands: what it starts with has come.
async fn follow(url: &str, client: &Client, query: &str, chat: &str) -> Socket {
    let mut socket = Socket::connect(url, &client.token).await;
    let variables = if query.contains("$chat") { json!({ "chat": chat }) } else { json!({}) };
    socket.subscribe("s", query, variables, None).await;
    if query.contains("change") {
        assert!(socket.data().await.to_string().contains("Reset"));
    } else {
        socket.subscribe("q", "{ viewer { role } }", json!({}), None).await;
        socket.data().await;
        assert_eq!(socket.receive().await["id"], "q");
    }
    socket
}

const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { cursor chat { id } change { __typename
    ... on ChatGoneEvent { removedChatId } ... on ParticipationEndedEvent { endedParticipationId participation { actor { id } } }
    ... on ParticipationAddedEvent { participation { actor { id } } } } } }";
const VIEWER: &str = "subscription { viewerEvents { change { __typename
    ... on InboxChatRemovedEvent { removedChatId } ... on ChatGoneEvent { removedChatId }
    ... on InboxChatAddedEvent { chatEdge { node { id } } } } } }";

async fn removal_reaches_all_open_streams(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let chat = group(&olga, &[&odile, &vera]).await;
    let own = seen(&odile, &chat, "viewerParticipation { id }").await["viewerParticipation"]["id"].clone();
    let added = "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text } } }";
    let mut events = follow(&world.app.url, &odile, EVENTS, &chat).await;
    let mut messages = follow(&world.app.url, &odile, added, &chat).await;
    let mut viewer = follow(&world.app.url, &odile, VIEWER, &chat).await;
    let mut others = follow(&world.app.url, &vera, EVENTS, &chat).await;
    assert_eq!(remove(&olga, &chat, &odile).await, None);
    olga.done("sendMessage", "", json!({ "chatId": chat, "text": "Among us now" })).await;
    // She hears that it is gone, and nothing after,
    let gone = json!({
        "cursor": null, "chat": null, "change": { "__typename": "ChatGoneEvent", "removedChatId": chat }
    });
    // There is nothing to resume, neither by the payload nor by the extensions.
    assert_eq!(events.next().await, json!({ "data": { "chatEvents": gone } }));
    assert_eq!(events.receive().await["type"], "complete");
    assert_eq!(messages.receive().await, json!({ "type": "complete", "id": "s" }));
    for change in ["InboxChatRemovedEvent", "ChatGoneEvent"] {
        let expected = json!({ "__typename": change, "removedChatId": chat });
        assert_eq!(viewer.data().await["viewerEvents"]["change"], expected);
    }
    assert!(viewer.is_quiet(Duration::from_millis(300)).await);
    // the others that she is no longer a participant,
    let ended = json!({
        "__typename": "ParticipationEndedEvent", "endedParticipationId": own,
        "participation": { "actor": { "id": odile.id } }
    });
    assert_eq!(others.data().await["chatEvents"]["change"], ended);
    // and everybody when she is back.
    assert_eq!(add(&olga, &chat, &[&odile]).await, None);
    loop {
        let change = viewer.data().await["viewerEvents"]["change"].clone();
        if change["__typename"] == "InboxChatAddedEvent" {
            assert_eq!(change["chatEdge"]["node"]["id"], chat);
            break;
        }
    }
    assert_eq!(inbox(&odile).await, [chat.as_str()]);
    world.app.stop().await;
}

async fn leave_returns_null_chat(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = group(&olga, &[&vera]).await;
    let own = seen(&vera, &chat, "viewerParticipation { id }").await["viewerParticipation"]["id"].clone();
    let input = json!({ "chatId": chat, "participantId": vera.id });
    let selection = "endedParticipationId participation { endedAt chat { id } } chat { id }";
    let left = vera.done("removeParticipant", selection, input).await;
    assert_eq!(left["endedParticipationId"], own);
    assert_eq!((&left["participation"], &left["chat"]), (&Value::Null, &Value::Null));
    // In a chat that every user sees, who leaves sees it still.
    let chat = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let input = json!({ "chatId": chat, "participantId": olga.id });
    let left = olga.done("removeParticipant", selection, input).await;
    assert_eq!((&left["participation"]["chat"]["id"], &left["chat"]["id"]), (&json!(chat), &json!(chat)));
    assert!(!inbox(&olga).await.contains(&chat));
    world.app.stop().await;
}

/// The actions that a person can take in a chat that they see.
async fn actions(client: &Person, chat: &str) -> Vec<String> {
    let found = seen(client, chat, "viewerActions").await["viewerActions"].clone();
    found.as_array().expect("actions").iter().map(text).collect()
}

const LEFT: &str = "endedParticipationId participation { id endedAt } presence { id endReason } chat { id }";

async fn leaving_a_group_ends_participation_and_presence(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let chat = group(&olga, &[&odile, &vera]).await;
    odile.done("joinChat", "", json!({ "chatId": chat })).await;
    let own = seen(&odile, &chat, "viewerParticipation { id }").await["viewerParticipation"]["id"].clone();
    let offered = actions(&odile, &chat).await;
    assert!(["SEND", "LEAVE"].iter().all(|action| offered.contains(&(*action).to_owned())), "{offered:?}");
    let mut events = follow(&world.app.url, &odile, EVENTS, &chat).await;
    let mut others = follow(&world.app.url, &vera, EVENTS, &chat).await;
    // She no longer sees the chat, so the payload has her participation's id alone. A retry returns the same.
    let left = json!({ "endedParticipationId": own, "participation": null, "presence": null, "chat": null, "userErrors": [] });
    for _ in 0..2 {
        assert_eq!(odile.done("leaveChat", LEFT, json!({ "chatId": chat })).await, left);
    }
    assert_eq!(seen(&odile, &chat, "id").await, Value::Null);
    assert_eq!(inbox(&odile).await, [""; 0]);
    assert_eq!(odile.refused("sendMessage", json!({ "chatId": chat, "text": "x" })).await, ["NOT_FOUND"]);
    assert_eq!(events.data().await["chatEvents"]["change"]["__typename"], "ChatGoneEvent");
    // The others are told once.
    olga.done("sendMessage", "", json!({ "chatId": chat, "text": "Among us now" })).await;
    let mut kinds = Vec::new();
    for _ in 0..4 {
        kinds.push(text(&others.data().await["chatEvents"]["change"]["__typename"]));
    }
    let expected =
        ["ParticipationEndedEvent", "PresenceEndedEvent", "MessageAddedEvent", "MessageAddedEvent"];
    assert_eq!(kinds, expected);
    let fields = "presentUserCount participationCount presences(includeEnded: true) { nodes { endReason } }
        messages(types: [LEAVE]) { nodes { sender { id } } }";
    let found = json!({
        "presentUserCount": 0, "participationCount": 2, "presences": { "nodes": [{ "endReason": "LEFT" }] },
        "messages": { "nodes": [{ "sender": { "id": odile.id } }] }
    });
    assert_eq!(seen(&olga, &chat, fields).await, found);
    // Visitors can leave groups too, but only groups in which they participated.
    vera.done("leaveChat", "", json!({ "chatId": chat })).await;
    let stranger = world.visitor("victor").await;
    assert_eq!(stranger.refused("leaveChat", json!({ "chatId": chat })).await, ["NOT_FOUND"]);
    assert_eq!(participant_ids(&olga, &chat).await, [olga.id.as_str()]);
    world.app.stop().await;
}

async fn leaving_transfers_ownership_and_works_after_end(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = group(&olga, &[&odile]).await;
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    assert_eq!(seen(&odile, &chat, "owner { id }").await["owner"]["id"], odile.id);
    odile.done("endChat", "", json!({ "chatId": chat })).await;
    assert!(actions(&odile, &chat).await.contains(&"LEAVE".to_owned()));
    odile.done("leaveChat", "", json!({ "chatId": chat })).await;
    assert_eq!(inbox(&odile).await, [""; 0]);
    // A deleted chat is not there for somebody who left it either.
    world.admin.done("deleteChat", "", json!({ "chatId": chat })).await;
    assert_eq!(odile.refused("leaveChat", json!({ "chatId": chat })).await, ["NOT_FOUND"]);
    world.app.stop().await;
}

async fn an_admin_who_left_a_group_still_sees_it(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, admin) = (world.operator("Olga").await, world.admin.clone());
    let chat = group(&olga, &[]).await;
    assert_eq!(admin.refused("leaveChat", json!({ "chatId": chat })).await, ["NOT_PARTICIPANT"]);
    assert!(!actions(&admin, &chat).await.contains(&"LEAVE".to_owned()));
    add(&olga, &chat, &[&admin]).await;
    admin.done("joinChat", "", json!({ "chatId": chat })).await;
    assert!(actions(&admin, &chat).await.contains(&"LEAVE".to_owned()));
    let left = admin.done("leaveChat", LEFT, json!({ "chatId": chat })).await;
    assert_eq!((&left["chat"]["id"], &left["presence"]["endReason"]), (&json!(chat), &json!("LEFT")));
    assert_eq!(left["participation"]["id"], left["endedParticipationId"]);
    assert!(left["participation"]["endedAt"].is_string());
    assert_eq!(admin.done("leaveChat", LEFT, json!({ "chatId": chat })).await, left);
    let offered = actions(&admin, &chat).await;
    let is_over = |action: &str| !offered.contains(&action.to_owned());
    assert!(is_over("SEND") && is_over("LEAVE") && is_over("JOIN"), "{offered:?}");
    world.app.stop().await;
}

async fn leaving_a_direct_chat_lasts_until_it_is_created_again(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = direct(&olga, &odile).await;
    let owner = async |client: &Person| seen(client, &chat, "owner { id }").await["owner"]["id"].clone();
    assert!(actions(&olga, &chat).await.contains(&"LEAVE".to_owned()));
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    assert_eq!(inbox(&olga).await, [""; 0]);
    assert_eq!(participant_ids(&odile, &chat).await, [odile.id.as_str()]);
    assert_eq!(owner(&odile).await, odile.id);
    odile.done("sendMessage", "", json!({ "chatId": chat, "text": "Are you there?" })).await;
    // Either of the two brings both back.
    assert_eq!(direct(&odile, &olga).await, chat);
    assert_eq!(inbox(&olga).await, [chat.as_str()]);
    for person in [&olga, &odile] {
        person.done("leaveChat", "", json!({ "chatId": chat })).await;
    }
    assert_eq!(direct(&olga, &odile).await, chat);
    assert_eq!(participant_ids(&odile, &chat).await.len(), 2);
    assert_eq!(owner(&odile).await, olga.id);
    world.app.stop().await;
}

async fn leaving_visitor_chat_ends_only_presence(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let leaves = async |client: &Person| actions(client, &chat).await.contains(&"LEAVE".to_owned());
    add(&olga, &chat, &[&olga]).await;
    // She is a participant without being present, so there is no presence to end.
    assert!(!leaves(&olga).await && !leaves(&vera).await);
    let left = olga.done("leaveChat", LEFT, json!({ "chatId": chat })).await;
    assert_eq!((&left["presence"], &left["chat"]["id"]), (&Value::Null, &json!(chat)));
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    assert!(leaves(&olga).await && !leaves(&vera).await);
    let left = olga.done("leaveChat", LEFT, json!({ "chatId": chat })).await;
    assert_eq!((&left["presence"]["endReason"], &left["participation"]), (&json!("LEFT"), &Value::Null));
    assert_eq!(participant_ids(&vera, &chat).await, [vera.id.as_str(), &olga.id]);
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    vera.done("endChat", "", json!({ "chatId": chat })).await;
    assert!(!leaves(&olga).await);
    world.app.stop().await;
}

async fn longest_standing_participant_inherits_group(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let (odile, otto) = (world.operator("Odile").await, world.operator("Otto").await);
    let chat = group(&olga, &[&vera]).await;
    for person in [&otto, &odile] {
        world.pass(1);
        add(&olga, &chat, &[person]).await;
    }
    let owner = async |client: &Person| seen(client, &chat, "owner { id }").await["owner"].clone();
    assert_eq!(remove(&olga, &chat, &olga).await, None);
    // A user before a visitor.
    assert_eq!(owner(&vera).await["id"], otto.id);
    assert_eq!(remove(&otto, &chat, &odile).await, None);
    assert_eq!(remove(&otto, &chat, &otto).await, None);
    assert_eq!(owner(&vera).await["id"], vera.id);
    assert_eq!(remove(&vera, &chat, &vera).await, None);
    assert_eq!(owner(&world.admin).await, Value::Null);
    assert_eq!(participant_ids(&world.admin, &chat).await, Vec::<String>::new());
    world.app.stop().await;
}

async fn a_presence_ends_with_the_participation(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = group(&olga, &[&odile]).await;
    for person in [&olga, &odile] {
        person.done("joinChat", "", json!({ "chatId": chat })).await;
    }
    assert_eq!(remove(&olga, &chat, &odile).await, None);
    let fields = "presentUserCount presences(includeEnded: true) { nodes { user { id } endReason } }
        messages(types: [JOIN, LEAVE]) { nodes { type sender { id } } }";
    let found = seen(&olga, &chat, fields).await;
    assert_eq!(found["presentUserCount"], 1);
    let presences = json!([
        { "user": { "id": olga.id }, "endReason": null }, { "user": { "id": odile.id }, "endReason": "LEFT" }
    ]);
    assert_eq!(found["presences"]["nodes"], presences);
    assert_eq!(found["messages"]["nodes"][2], json!({ "type": "LEAVE", "sender": { "id": odile.id } }));
    assert_eq!(odile.refused("keepPresence", json!({ "chatId": chat })).await, ["NOT_FOUND"]);
    world.app.stop().await;
}

async fn open_sessions_continue_without_removed_participant(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let (otto, vera) = (world.operator("Otto").await, world.visitor("vera").await);
    let chat = group(&olga, &[&odile, &otto, &vera]).await;
    let create = json!({ "in": { "chat": { "id": chat } }, "start": true });
    let session =
        odile.done("createChatSession", "chatSession { id }", create).await["chatSession"]["id"].clone();
    let called = async || {
        let query = "query($id: ID!) { chatSession(id: $id) { state participants { actor { id } status } } }";
        let found = olga.query(query, json!({ "id": session })).await["chatSession"].clone();
        let participants = found["participants"].as_array().expect("participants").clone();
        let ids: Vec<_> = participants.iter().map(|called| text(&called["actor"]["id"])).collect();
        (text(&found["state"]), ids)
    };
    assert_eq!(called().await.1.len(), 4);
    // Otto was only called; Odile made it ring and stays named.
    remove(&olga, &chat, &otto).await;
    remove(&olga, &chat, &odile).await;
    let mut expected = [odile.id.clone(), olga.id.clone(), vera.id.clone()];
    let (state, mut ids) = called().await;
    expected.sort();
    ids.sort();
    assert_eq!((state.as_str(), &ids[..]), ("STARTED", &expected[..]));
    for gone in [&otto, &odile] {
        let found = gone.query("{ viewer { openChatSessions { id } } }", json!({})).await;
        assert_eq!(found["viewer"]["openChatSessions"], json!([]));
        let refused = gone.refused("acceptChatSession", json!({ "chatSessionId": session })).await;
        assert_eq!(refused, ["NOT_FOUND"]);
    }
    vera.done("acceptChatSession", "", json!({ "chatSessionId": session })).await;
    assert_eq!(called().await.0, "ACCEPTED");
    world.app.stop().await;
}

async fn removal_ends_typing(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = group(&olga, &[&odile]).await;
    odile.done("setTyping", "", json!({ "chatId": chat, "isTyping": true })).await;
    let typing = async || seen(&olga, &chat, "typing { actor { id } }").await["typing"].clone();
    assert_eq!(typing().await, json!([{ "actor": { "id": odile.id } }]));
    remove(&olga, &chat, &odile).await;
    assert_eq!(typing().await, json!([]));
    world.app.stop().await;
}
