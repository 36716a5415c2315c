//! Participants' own settings: names for chats, hidden chats, and their list of chats.

use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::socket::Socket;
use crate::harness::world::{Person, World, ids, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    custom_name_is_title_only_for_its_owner,
    hidden_chat_reappears_with_next_message,
    own_settings_require_participation,
    participations_visible_to_self_and_admins,
    participation_list_follows_chat_activity,
    own_settings_are_sent_live_and_on_resume,
    hiding_removes_chat_from_inbox_feed,
    rejoined_participant_sees_hidden_chat,
);

async fn seen(client: &Client, chat: &str, fields: &str) -> Value {
    let query = format!("query($id: ID!) {{ chat(id: $id) {{ {fields} }} }}");
    client.query(&query, json!({ "id": chat })).await["chat"].clone()
}

async fn group(client: &Client, others: &[&Person]) -> String {
    let ids: Vec<_> = others.iter().map(|other| other.id.clone()).collect();
    let input = json!({ "participantIds": ids, "name": "Knees" });
    text(&client.done("createGroupChat", "chat { id }", input).await["chat"]["id"])
}

async fn say(client: &Client, chat: &str, words: &str) {
    client.done("sendMessage", "", json!({ "chatId": chat, "text": words })).await;
}

async fn view(client: &Client, chat: &str, mut changes: Value) -> Value {
    changes["chatId"] = json!(chat);
    let selection = "participation { customName customDescription isHidden } chat { title }";
    client.done("updateParticipation", selection, changes).await
}

async fn inbox(client: &Client, arguments: &str) -> Vec<String> {
    let query = format!("{{ viewer {{ inbox{arguments} {{ totalCount nodes {{ id }} }} }} }}");
    let found = client.query(&query, json!({})).await["viewer"]["inbox"].clone();
    let found_ids = ids(&found["nodes"]);
    assert_eq!(found["totalCount"], found_ids.len());
    found_ids
}

/// The chats in the list of somebody, as another sees it; `None` where it is not for them.
async fn list(viewer: &Client, of: &Person, arguments: &str) -> Option<Vec<String>> {
    let query = format!(
        "query($id: ID!) {{ user(id: $id) {{ participations{arguments} {{ totalCount nodes {{ chat {{ id }} }} }} }} }}"
    );
    let found = viewer.query(&query, json!({ "id": of.id })).await["user"]["participations"].clone();
    let nodes = found["nodes"].as_array()?;
    assert_eq!(found["totalCount"], nodes.len());
    Some(nodes.iter().map(|node| text(&node["chat"]["id"])).collect())
}

async fn custom_name_is_title_only_for_its_owner(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = group(&olga, &[&vera]).await;
    let changed =
        view(&vera, &chat, json!({ "customName": "My knee", "customDescription": "Ask about Friday" })).await;
    let own = json!({ "customName": "My knee", "customDescription": "Ask about Friday", "isHidden": false });
    assert_eq!((&changed["participation"], &changed["chat"]["title"]), (&own, &json!("My knee")));
    let fields = "title name updatedAt participations { nodes { customName customDescription isHidden actor { id } } }";
    let (of_vera, of_olga) = (seen(&vera, &chat, fields).await, seen(&olga, &chat, fields).await);
    assert_eq!((&of_vera["title"], &of_olga["title"]), (&json!("My knee"), &json!("Knees")));
    for (found, sees_it) in [(&of_vera, true), (&of_olga, false)] {
        let nodes = found["participations"]["nodes"].as_array().expect("participations");
        let row = nodes.iter().find(|node| node["actor"]["id"] == vera.id).expect("Vera's");
        assert_eq!(
            row["customName"] == "My knee" && row["customDescription"] == "Ask about Friday",
            sees_it,
            "{row:#}"
        );
        assert_eq!(row["customName"].is_null() && row["customDescription"].is_null(), !sees_it, "{row:#}");
    }
    // Absent fields are unchanged, and null removes a value. The chat itself has not changed.
    view(&vera, &chat, json!({ "customDescription": null })).await;
    let after =
        seen(&vera, &chat, "title updatedAt viewerParticipation { customName customDescription }").await;
    assert_eq!(after["viewerParticipation"], json!({ "customName": "My knee", "customDescription": null }));
    assert_eq!(after["updatedAt"], of_vera["updatedAt"]);
    view(&vera, &chat, json!({ "customName": null })).await;
    assert_eq!(seen(&vera, &chat, "title").await["title"], "Knees");
    world.app.stop().await;
}

async fn hidden_chat_reappears_with_next_message(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = group(&olga, &[&odile]).await;
    say(&odile, &chat, "Good morning").await;
    let unread =
        async || olga.query("{ viewer { unreadCount } }", json!({})).await["viewer"]["unreadCount"].clone();
    assert_eq!(unread().await, 1);
    assert_eq!(view(&olga, &chat, json!({ "isHidden": true })).await["participation"]["isHidden"], true);
    assert_eq!(inbox(&olga, "").await, Vec::<String>::new());
    assert_eq!(inbox(&olga, "(includeHidden: true)").await, [chat.as_str()]);
    assert_eq!(list(&olga, &olga, "").await, Some(Vec::new()));
    assert_eq!(list(&olga, &olga, "(includeHidden: true)").await, Some(vec![chat.clone()]));
    assert_eq!(unread().await, 0);
    // Other lists have it unless they are asked not to, and hers alone leave it out then,
    for (who, of_chats, of_people) in [(&olga, 0, 1), (&odile, 1, 2), (&world.admin, 1, 1)] {
        let query =
            "query($id: ID!) { organization { all: chats { totalCount } shown: chats(includeHidden: false) {
            totalCount } } chat(id: $id) { all: participations { totalCount }
            shown: participations(includeHidden: false) { totalCount nodes { actor { id } } } } }";
        let found = who.query(query, json!({ "id": chat })).await;
        let count = |place: &str| found.pointer(&format!("{place}/totalCount")).cloned();
        assert_eq!(count("/organization/all"), Some(json!(1)));
        assert_eq!(count("/organization/shown"), Some(json!(of_chats)));
        assert_eq!(count("/chat/all"), Some(json!(2)));
        assert_eq!(count("/chat/shown"), Some(json!(of_people)));
        assert_eq!(found["chat"]["shown"]["nodes"].to_string().contains(&olga.id), of_people == 2);
    }
    // It is there still, for her and for the others,
    assert_eq!(seen(&olga, &chat, "title").await["title"], "Knees");
    assert_eq!(inbox(&odile, "").await, [chat.as_str()]);
    // who joins or leaves brings nothing back,
    odile.done("joinChat", "", json!({ "chatId": chat })).await;
    assert_eq!(inbox(&olga, "").await, Vec::<String>::new());
    // a message does.
    say(&odile, &chat, "Are you there?").await;
    assert_eq!(inbox(&olga, "").await, [chat.as_str()]);
    assert_eq!(list(&olga, &olga, "").await, Some(vec![chat.clone()]));
    assert_eq!(unread().await, 2);
    assert_eq!(
        seen(&olga, &chat, "viewerParticipation { isHidden }").await["viewerParticipation"]["isHidden"],
        false
    );
    // She also brings it back herself.
    view(&olga, &chat, json!({ "isHidden": true })).await;
    view(&olga, &chat, json!({ "isHidden": false })).await;
    assert_eq!(inbox(&olga, "").await, [chat.as_str()]);
    world.app.stop().await;
}

async fn own_settings_require_participation(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let (chat, own) = (group(&olga, &[]).await, world.chat(&vera).await);
    let input = |chat: &str| json!({ "chatId": chat, "customName": "Mine" });
    assert_eq!(odile.refused("updateParticipation", input(&chat)).await, ["NOT_FOUND"]);
    assert_eq!(world.admin.refused("updateParticipation", input(&chat)).await, ["NOT_PARTICIPANT"]);
    assert_eq!(odile.refused("updateParticipation", input(&own)).await, ["NOT_PARTICIPANT"]);
    vera.done("updateParticipation", "", input(&own)).await;
    world.app.stop().await;
}

async fn participations_visible_to_self_and_admins(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let chat = group(&olga, &[&odile, &vera]).await;
    for viewer in [&olga, &world.admin] {
        assert_eq!(list(viewer, &olga, "").await, Some(vec![chat.clone()]));
    }
    for viewer in [&odile, &vera] {
        assert_eq!(list(viewer, &olga, "").await, None);
    }
    // Of the admin's colleagues an admin sees who hides what, but not what they call it.
    view(&olga, &chat, json!({ "customName": "Mine", "isHidden": true })).await;
    let query = "query($id: ID!) { user(id: $id) { participations(includeHidden: true) { nodes { customName isHidden } } } }";
    let found = world.admin.query(query, json!({ "id": olga.id })).await;
    assert_eq!(found["user"]["participations"]["nodes"], json!([{ "customName": null, "isHidden": true }]));
    world.app.stop().await;
}

async fn participation_list_follows_chat_activity(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let mut chats = Vec::new();
    for _ in 0..3 {
        world.pass(1);
        chats.push(group(&olga, &[&odile]).await);
    }
    let [first, second, third] = [0, 1, 2].map(|number: usize| chats[number].clone());
    assert_eq!(list(&olga, &olga, "").await, Some(vec![third.clone(), second.clone(), first.clone()]));
    world.pass(1);
    say(&odile, &first, "Good morning").await;
    assert_eq!(list(&olga, &olga, "").await, Some(vec![first.clone(), third.clone(), second.clone()]));
    // Somebody who is added now has it where it belongs,
    let otto = world.operator("Otto").await;
    world.pass(1);
    let late = group(&olga, &[&otto]).await;
    olga.done("addParticipants", "", json!({ "chatId": first, "participantIds": [otto.id] })).await;
    assert_eq!(list(&otto, &otto, "").await, Some(vec![late, first.clone()]));
    // who leaves or whose chat is deleted has it no longer.
    odile.done("removeParticipant", "", json!({ "chatId": third, "participantId": odile.id })).await;
    olga.done("deleteChat", "", json!({ "chatId": first })).await;
    assert_eq!(list(&odile, &odile, "(includeHidden: true)").await, Some(vec![second]));
    world.app.stop().await;
}

const EVENTS: &str = "subscription($chat: ID!) { chatEvents(chatId: $chat) { cursor change { __typename
    ... on ParticipationChangedEvent { participation { customName isHidden actor { id } } } } } }";

async fn own_settings_are_sent_live_and_on_resume(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = group(&olga, &[&odile]).await;
    let mut socket = Socket::connect(&world.app.url, &olga.token).await;
    socket.subscribe("s", EVENTS, json!({ "chat": chat }), None).await;
    let reset = socket.data().await["chatEvents"].clone();
    assert_eq!(reset["change"]["__typename"], "ChatResetEvent");
    view(&olga, &chat, json!({ "customName": "Mine" })).await;
    let told = socket.data().await["chatEvents"]["change"].clone();
    let own = json!({ "customName": "Mine", "isHidden": false, "actor": { "id": olga.id } });
    assert_eq!(told, json!({ "__typename": "ParticipationChangedEvent", "participation": own }));
    drop(socket);
    view(&olga, &chat, json!({ "isHidden": true })).await;
    let mut socket = Socket::connect(&world.app.url, &olga.token).await;
    let cursor = text(&reset["cursor"]);
    socket.subscribe("s", EVENTS, json!({ "chat": chat }), Some(&cursor)).await;
    loop {
        let change = socket.data().await["chatEvents"]["change"].clone();
        if change["participation"]["actor"]["id"] == olga.id {
            let own = json!({ "customName": "Mine", "isHidden": true, "actor": { "id": olga.id } });
            assert_eq!(change["participation"], own);
            break;
        }
    }
    world.app.stop().await;
}

const VIEWER: &str = "subscription { viewerEvents { cursor change { __typename
    ... on ChatChangedEvent { chat { id title } } ... on InboxChatAddedEvent { chatEdge { node { id } } }
    ... on InboxChatRemovedEvent { removedChatId } } } }";

async fn hiding_removes_chat_from_inbox_feed(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = group(&olga, &[&odile]).await;
    let mut own = Socket::connect(&world.app.url, &olga.token).await;
    own.subscribe("s", VIEWER, json!({}), None).await;
    let reset = own.data().await["viewerEvents"].clone();
    assert_eq!(reset["change"]["__typename"], "ViewerResetEvent");
    let next = async |socket: &mut Socket| socket.data().await["viewerEvents"]["change"].clone();
    view(&olga, &chat, json!({ "customName": "Mine" })).await;
    let expected = json!({ "__typename": "ChatChangedEvent", "chat": { "id": chat, "title": "Mine" } });
    assert_eq!(next(&mut own).await, expected);
    view(&olga, &chat, json!({ "isHidden": true })).await;
    let removed = json!({ "__typename": "InboxChatRemovedEvent", "removedChatId": chat });
    assert_eq!(next(&mut own).await, removed);
    // After a reconnect, she receives the removal again. Then a message adds the chat once.
    let mut away = Socket::connect(&world.app.url, &olga.token).await;
    away.subscribe("s", VIEWER, json!({}), Some(&text(&reset["cursor"]))).await;
    while next(&mut away).await != removed {}
    say(&odile, &chat, "Are you there?").await;
    let added = json!({ "__typename": "InboxChatAddedEvent", "chatEdge": { "node": { "id": chat } } });
    assert_eq!(next(&mut own).await, added);
    while next(&mut away).await != added {}
    say(&odile, &chat, "Hello?").await;
    assert_eq!(next(&mut own).await["__typename"], "ChatChangedEvent");
    view(&olga, &chat, json!({ "isHidden": true })).await;
    assert_eq!(next(&mut own).await, removed);
    view(&olga, &chat, json!({ "isHidden": false })).await;
    assert_eq!(next(&mut own).await, added);
    world.app.stop().await;
}

async fn rejoined_participant_sees_hidden_chat(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = group(&olga, &[&odile]).await;
    view(&odile, &chat, json!({ "customName": "Mine", "isHidden": true })).await;
    olga.done("removeParticipant", "", json!({ "chatId": chat, "participantId": odile.id })).await;
    olga.done("addParticipants", "", json!({ "chatId": chat, "participantIds": [odile.id] })).await;
    assert_eq!(inbox(&odile, "").await, [chat.as_str()]);
    assert_eq!(seen(&odile, &chat, "title").await["title"], "Mine");
    world.app.stop().await;
}
