//! Facts of VoIPbin's chats.

use crate::harness::Engine;
use crate::harness::sdl;
use crate::harness::world::{World, creation, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    a_body_that_does_not_say_that_it_is_json_is_refused,
    a_sent_message_is_answered_whole_with_nothing_attached,
    a_pair_is_direct_and_more_are_a_group,
);

async fn a_body_that_does_not_say_that_it_is_json_is_refused(engine: Engine) {
    let world = World::new(engine).await;
    let http = reqwest::Client::new();
    let body = json!({ "query": "{ viewer { role } }" }).to_string();
    let post = async |media_type: Option<&str>| {
        let mut request = http.post(format!("{}/graphql", world.app.url)).bearer_auth(&world.admin.token);
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let answer = request.body(body.clone()).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    let expected = json!({ "data": { "viewer": { "role": "ADMIN" } } });
    for media_type in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(post(Some(media_type)).await, (200, expected.clone()), "{media_type}");
    }
    // A page of another site may send plain text without being asked whether it may: it is never read.
    for media_type in [
        None,
        Some("text/plain"),
        Some("text/plain;charset=UTF-8"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let (status, answer) = post(media_type).await;
        assert_eq!(status, 415, "{media_type:?}");
        let message = text(&answer["errors"][0]["message"]);
        assert!(message.contains("application/json"), "the message names the expected type: {message}");
    }
    world.app.stop().await;
}

async fn a_sent_message_is_answered_whole_with_nothing_attached(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let input = json!({ "participantId": odile.id });
    let chat = olga.done("createDirectChat", "chat { id organization { id } }", input).await["chat"].clone();
    let selection = "messageEdge { node { id type text isInternal createdAt editedAt deletedAt
        attachments { id } reactions { emoji } chat { id organization { id } }
        sender { __typename id displayName ... on User { name publicName externalId } }
        receiver { __typename id displayName } } }";
    let sent = olga.done("sendMessage", selection, json!({ "chatId": chat["id"], "text": "Hello" })).await;
    let mut node = sent["messageEdge"]["node"].clone();
    let id = node.as_object_mut().and_then(|node| node.remove("id")).expect("an id");
    assert!(id.is_string());
    let expected = json!({
        "type": "MESSAGE", "text": "Hello", "isInternal": false, "createdAt": "2026-11-20T12:00:00.000Z",
        "editedAt": null, "deletedAt": null, "attachments": [], "reactions": [],
        "chat": { "id": chat["id"], "organization": chat["organization"] },
        "sender": { "__typename": "User", "id": olga.id, "displayName": "Olga", "name": "Olga",
            "publicName": "Olga in public", "externalId": null },
        "receiver": { "__typename": "User", "id": odile.id, "displayName": "Odile" },
    });
    assert_eq!(node, expected);
    world.app.stop().await;
}

async fn a_pair_is_direct_and_more_are_a_group(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let otto = world.operator("Otto").await;
    assert_eq!(olga.refused("createDirectChat", json!({ "participantId": olga.id })).await, ["INVALID"]);
    let selection = "chat { id type participationCount }";
    for (kind, others, count) in [
        ("DIRECT", vec![odile.id.as_str()], 2),
        ("GROUP", vec![odile.id.as_str()], 2),
        ("GROUP", vec![odile.id.as_str(), &otto.id], 3),
    ] {
        let (name, input) = creation(kind, &others);
        let made = olga.done(name, selection, input).await["chat"].clone();
        assert_eq!((&made["type"], &made["participationCount"]), (&json!(kind), &json!(count)));
        // Messages of people have the type MESSAGE; system messages have another type, and no text.
        olga.done("joinChat", "", json!({ "chatId": made["id"] })).await;
        olga.done("sendMessage", "", json!({ "chatId": made["id"], "text": "Hello" })).await;
        let query = "query($id: ID!) { chat(id: $id) { messages { nodes { type text } } } }";
        let found = odile.query(query, json!({ "id": made["id"] })).await;
        let expected = json!([{ "type": "JOIN", "text": null }, { "type": "MESSAGE", "text": "Hello" }]);
        assert_eq!(found["chat"]["messages"]["nodes"], expected);
    }
    world.app.stop().await;
}

#[test]
fn clients_cannot_set_times() {
    for input in ["CreateDirectChatInput", "CreateGroupChatInput", "SendMessageInput"] {
        let times: Vec<_> =
            sdl::fields(input).into_iter().filter(|(_, text)| text.contains("DateTime")).collect();
        assert!(times.is_empty(), "{input}: {times:?}");
    }
}
