//! Facts of VoIPbin's chats, chatrooms and chatmessages that other tests do not cover.

use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::world::{NOON, World, ids, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    group_is_created_as_given_with_sorted_participants,
    a_pair_has_one_chat_and_a_group_has_many,
    chats_are_listed_by_pages_and_found_by_id,
    each_participant_has_own_settings_from_the_start,
    message_has_its_sender_and_reaches_all_participants,
);

/// All that the reference shows of a chat.
const CHAT: &str = "id type name description startedAt updatedAt endedAt organization { id } owner { id }
    participations { nodes { actor { id } createdAt } }";

async fn created(client: &Client, input: Value) -> Value {
    let name = if input.get("participantId").is_some() { "createDirectChat" } else { "createGroupChat" };
    client.done(name, &format!("chat {{ {CHAT} }} isExisting"), input).await
}

async fn group_is_created_as_given_with_sorted_participants(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let otto = world.operator("Otto").await;
    let people = [&olga, &odile, &otto];
    for order in [[0, 1, 2], [2, 0, 1]] {
        let named: Vec<_> = order.iter().map(|place: &usize| people[*place].id.clone()).collect();
        let input = json!({
            "ownerId": odile.id, "participantIds": named, "name": "test chat normal",
            "description": "test chat with agent 1 and agent2"
        });
        let chat = created(&olga, input).await["chat"].clone();
        assert_eq!((&chat["type"], &chat["name"]), (&json!("GROUP"), &json!("test chat normal")));
        assert_eq!(chat["description"], "test chat with agent 1 and agent2");
        assert_eq!(chat["owner"]["id"], odile.id);
        // A chat that is new was last changed when it was made, and is not over.
        let times = (&chat["startedAt"], &chat["updatedAt"], &chat["endedAt"]);
        assert_eq!(times, (&json!(NOON), &json!(NOON), &Value::Null));
        // In the order of their ids, which is that of the people's making, however they were named.
        let nodes = chat["participations"]["nodes"].as_array().expect("participations");
        let found: Vec<_> = nodes.iter().map(|node| text(&node["actor"]["id"])).collect();
        assert_eq!(found, people.map(|person| person.id.clone()));
    }
    // The owner must be one of the participants.
    let input = json!({ "ownerId": otto.id, "participantIds": [odile.id] });
    assert_eq!(olga.refused("createGroupChat", input).await, ["INVALID"]);
    world.app.stop().await;
}

async fn a_pair_has_one_chat_and_a_group_has_many(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let first = created(&olga, json!({ "participantId": odile.id, "name": "Us" })).await;
    assert_eq!((&first["isExisting"], &first["chat"]["type"]), (&json!(false), &json!("DIRECT")));
    let again = created(&odile, json!({ "participantId": olga.id, "name": "Us" })).await;
    assert_eq!((&again["isExisting"], &again["chat"]), (&json!(true), &first["chat"]));
    let group = json!({ "participantIds": [odile.id] });
    let (one, other) = (created(&olga, group.clone()).await, created(&olga, group).await);
    assert_ne!(one["chat"]["id"], other["chat"]["id"]);
    world.app.stop().await;
}

async fn chats_are_listed_by_pages_and_found_by_id(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let mut made = Vec::new();
    // All of one moment: a page token that is a time would skip or repeat some.
    for _ in 0..3 {
        made.push(created(&olga, json!({ "participantIds": [odile.id] })).await["chat"].clone());
    }
    let query = format!(
        "query($after: String) {{ organization {{ chats(first: 2, after: $after) {{
            pageInfo {{ endCursor hasNextPage }} nodes {{ {CHAT} }} }} }} }}"
    );
    let page = async |after: Value| {
        let found = olga.query(&query, json!({ "after": after })).await;
        found["organization"]["chats"].clone()
    };
    let first = page(Value::Null).await;
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let second = page(first["pageInfo"]["endCursor"].clone()).await;
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    let found: Vec<_> = [&first, &second].iter().flat_map(|page| ids(&page["nodes"])).collect();
    assert_eq!(found, made.iter().map(|chat| text(&chat["id"])).collect::<Vec<_>>());
    let one = format!("query($id: ID!) {{ chat(id: $id) {{ {CHAT} }} }}");
    assert_eq!(odile.query(&one, json!({ "id": made[0]["id"] })).await["chat"], made[0]);
    world.app.stop().await;
}

async fn each_participant_has_own_settings_from_the_start(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let input = json!({ "participantId": odile.id, "name": "Us", "description": "Two" });
    let chat = created(&olga, input).await["chat"].clone();
    let query = format!(
        "query($id: ID!) {{ user(id: $id) {{ participations {{
            nodes {{ id customName customDescription actor {{ id }} chat {{ {CHAT} }} }} }} }} }}"
    );
    let mut rooms = Vec::new();
    for person in [&olga, &odile] {
        let found = person.query(&query, json!({ "id": person.id })).await;
        let nodes = found["user"]["participations"]["nodes"].as_array().expect("participations").clone();
        assert_eq!(nodes.len(), 1);
        // The chat's own type, participants, name and description, under a label that is the participant's to give.
        assert_eq!(nodes[0]["chat"], chat);
        assert_eq!((&nodes[0]["customName"], &nodes[0]["customDescription"]), (&Value::Null, &Value::Null));
        assert_eq!(nodes[0]["actor"]["id"], person.id);
        rooms.push(text(&nodes[0]["id"]));
    }
    assert_ne!(rooms[0], rooms[1]);
    world.app.stop().await;
}

async fn message_has_its_sender_and_reaches_all_participants(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = created(&olga, json!({ "participantId": odile.id })).await["chat"].clone();
    let input = json!({ "chatId": chat["id"], "text": "test message" });
    let selection =
        "messageEdge { node { id type text senderName sender { __typename id } createdAt chat { id } } }";
    let sent = olga.done("sendMessage", selection, input).await["messageEdge"]["node"].clone();
    assert_eq!((&sent["type"], &sent["text"]), (&json!("MESSAGE"), &json!("test message")));
    assert_eq!(sent["sender"], json!({ "__typename": "User", "id": olga.id }));
    assert_eq!((&sent["senderName"], &sent["chat"]["id"]), (&json!("Olga"), &chat["id"]));
    let query = "query($id: ID!) { user(id: $id) { participations { nodes { unreadCount
        chat { lastMessage { id } messages { nodes { id } } } } } } }";
    for (person, unread) in [(&olga, 0), (&odile, 1)] {
        let found = person.query(query, json!({ "id": person.id })).await;
        let node = &found["user"]["participations"]["nodes"][0];
        assert_eq!(node["unreadCount"], unread);
        assert_eq!(node["chat"]["lastMessage"]["id"], sent["id"]);
        assert_eq!(ids(&node["chat"]["messages"]["nodes"]), [text(&sent["id"])]);
    }
    world.app.stop().await;
}
