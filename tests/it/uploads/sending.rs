//! Sending uploads, links and contacts.

use super::{ANY, alone};
use crate::harness::Engine;
use crate::harness::client::Client;
use crate::harness::files::{grant, kept, png, upload};
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::world::text;
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    only_own_complete_uploads_of_the_chat_can_be_sent,
    attachments_visible_to_permitted_viewers,
    retry_requires_same_attachments,
    attachments_follow_message_visibility,
);

const ATTACHED: &str = "messageEdge { node { id text attachments { __typename id name
    ... on FileAttachment { mediaType size width height url urlExpiresAt previewUrl }
    ... on LinkAttachment { linkUrl: url }
    ... on ContactAttachment { address actor { id displayName } } } } }";

async fn refusal(client: &Client, input: Value) -> String {
    let refused = client.mutate("sendMessage", "messageEdge { cursor }", input.clone()).await;
    assert_eq!(refused["messageEdge"], Value::Null, "{input}");
    let error = &refused["userErrors"][0];
    format!("{} {}", text(&error["code"]), text(&error["field"][1]))
}

async fn only_own_complete_uploads_of_the_chat_can_be_sent(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let olga = world.operator("Olga").await;
    let other = world.chat(&vera).await;
    let file = async |client: &Client, chat: &str| upload(client, chat, "a.bin", ANY, vec![1]).await;
    let (own, elsewhere) = (file(&vera, &chat).await, file(&vera, &other).await);
    let of_olga = file(&olga, &chat).await;
    let begun = text(&grant(&vera, &chat, "b.bin", ANY, 1).await["attachment"]["id"]);
    let send = |ids: &[&String]| json!({ "chatId": chat, "text": "Look", "attachmentIds": ids });
    let cases = [
        (send(&[&elsewhere]), "NOT_FOUND attachmentIds"),
        (send(&[&of_olga]), "NOT_FOUND attachmentIds"),
        (send(&[&own, &of_olga]), "NOT_FOUND attachmentIds"),
        (send(&[&begun]), "INVALID attachmentIds"),
        (send(&[&own, &begun]), "INVALID attachmentIds"),
        (send(&[&own, &own]), "INVALID attachmentIds"),
    ];
    for (input, expected) in cases {
        assert_eq!(refusal(&vera, input.clone()).await, expected, "{input}");
    }
    // A refusal has sent none of them: the first that is right takes it, and the next finds it taken.
    vera.done("sendMessage", "", send(&[&own])).await;
    assert_eq!(refusal(&vera, send(&[&own])).await, "INVALID attachmentIds");
    // Files that are sent for another actor must be uploaded by the caller.
    let program = program(&world.app, &world.admin).await;
    let report = file(&program, &chat).await;
    let mut input = send(&[&report]);
    input["senderId"] = json!(olga.id);
    program.done("sendMessage", "", input).await;
    let page = "query($id: ID!) { chat(id: $id) { messages { nodes { attachments { id } } } } }";
    let page = vera.query(page, json!({ "id": chat })).await;
    let sent = json!([{ "attachments": [{ "id": own }] }, { "attachments": [{ "id": report }] }]);
    assert_eq!(page["chat"]["messages"]["nodes"], sent);
    world.app.stop().await;
}

async fn attachments_visible_to_permitted_viewers(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let (olga, victor) = (world.operator("Olga").await, world.visitor("victor").await);
    let image = upload(&olga, &chat, "Knie \"links\".png", "image/png", png(640, 480)).await;
    let card = upload(&olga, &chat, "card.txt", "text/plain", b"Bring it".to_vec()).await;
    let mut socket = Socket::connect(&vera.url, &vera.token).await;
    let follow = "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { attachments { name } } } }";
    socket.subscribe("1", follow, json!({ "chat": chat }), None).await;
    let input = json!({
        "chatId": chat, "attachmentIds": [image, card],
        "links": [{ "url": "https://example.org/map?x=1" }, { "url": "http://example.org/", "name": "Map" }],
        "contacts": [{ "actorId": olga.id }, { "actorId": victor.id }, { "card": { "address": "+1 555 0100" } }]
    });
    let sent = olga.done("sendMessage", ATTACHED, input).await;
    let message = &sent["messageEdge"]["node"];
    assert_eq!(message["text"], Value::Null);
    let attached = message["attachments"].as_array().expect("a list");
    let kinds: Vec<_> = attached.iter().map(|one| text(&one["__typename"])).collect();
    let expected = ["FileAttachment", "FileAttachment", "LinkAttachment", "LinkAttachment"];
    assert_eq!(kinds[..4], expected);
    assert!(kinds[4..].iter().all(|kind| kind == "ContactAttachment") && kinds.len() == 7);
    let names = |attached: &Value| {
        attached.as_array().expect("a list").iter().map(|one| text(&one["name"])).collect::<Vec<_>>()
    };
    let shown =
        ["Knie \"links\".png", "card.txt", "example.org", "Map", "Olga", "Visitor victor", "+1 555 0100"];
    assert_eq!(names(&message["attachments"]), shown);
    assert_eq!((&attached[0]["width"], &attached[0]["height"]), (&json!(640), &json!(480)));
    assert_eq!((&attached[1]["width"], &attached[1]["previewUrl"]), (&Value::Null, &Value::Null));
    assert_eq!(attached[2]["linkUrl"], "https://example.org/map?x=1");
    assert_eq!(attached[5]["actor"]["id"], json!(victor.id));
    // The visitor reads the public name of a user, and does not see another visitor but by the name that was sent.
    let page = "query($id: ID!) { node(id: $id) { ... on Message { attachments { name
        ... on ContactAttachment { actor { id displayName } } } } } }";
    let found = vera.query(page, json!({ "id": message["id"] })).await;
    let seen = &found["node"]["attachments"];
    assert_eq!(names(seen)[4..], ["Olga in public", "Visitor victor", "+1 555 0100"]);
    assert_eq!(
        (&seen[4]["actor"]["displayName"], &seen[5]["actor"]),
        (&json!("Olga in public"), &Value::Null)
    );
    let told = socket.receive().await;
    assert_eq!(names(&told["payload"]["data"]["messageAdded"]["node"]["attachments"]), names(seen));
    assert_eq!(kept(&world.app.config.files).len(), 3, "two files and a preview");
    world.app.stop().await;
}

async fn retry_requires_same_attachments(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let first = upload(&vera, &chat, "a.bin", ANY, vec![1]).await;
    let second = upload(&vera, &chat, "b.bin", ANY, vec![2]).await;
    let input = json!({
        "chatId": chat, "text": "Look", "externalId": "one", "attachmentIds": [first, second],
        "links": [{ "url": "https://example.org/" }], "contacts": [{ "card": { "address": "a@example.org", "name": "A" } }]
    });
    let id = "messageEdge { node { id } }";
    let sent = vera.done("sendMessage", id, input.clone()).await;
    assert_eq!(vera.done("sendMessage", id, input.clone()).await, sent);
    let changes = [
        ("attachmentIds", json!([second, first])),
        ("attachmentIds", json!([first])),
        ("attachmentIds", json!([])),
        ("links", json!([])),
        ("links", json!([{ "url": "https://example.org/", "name": "Else" }])),
        ("links", json!([{ "url": "https://example.org/" }, { "url": "https://example.org/" }])),
        ("contacts", json!([{ "card": { "address": "b@example.org", "name": "A" } }])),
        ("text", Value::Null),
    ];
    for (field, value) in changes {
        let mut changed = input.clone();
        changed[field] = value;
        assert_eq!(vera.refused("sendMessage", changed.clone()).await, ["CONFLICT"], "{changed}");
    }
    world.app.stop().await;
}

async fn attachments_follow_message_visibility(engine: Engine) {
    let (world, vera, chat) = alone(engine).await;
    let (olga, victor) = (world.operator("Olga").await, world.visitor("victor").await);
    let file = upload(&vera, &chat, "a.bin", ANY, vec![1]).await;
    let query = "query($id: ID!) { node(id: $id) { __typename id } }";
    let sees = async |client: &Client, id: &str| {
        client.query(query, json!({ "id": id })).await["node"]["id"] == json!(id)
    };
    // Not sent, it is its uploader's alone.
    assert!(sees(&vera, &file).await);
    assert!(!sees(&olga, &file).await && !sees(&world.admin, &file).await);
    let input =
        json!({ "chatId": chat, "attachmentIds": [file], "links": [{ "url": "https://example.org/" }] });
    let sent = vera.done("sendMessage", ATTACHED, input).await;
    let link = text(&sent["messageEdge"]["node"]["attachments"][1]["id"]);
    for id in [&file, &link] {
        assert!(sees(&vera, id).await && sees(&olga, id).await && sees(&world.admin, id).await);
        assert!(!sees(&victor, id).await);
    }
    world.app.stop().await;
}
