//! Names of every kind have a visible character, and do not change the direction of the text around them.

use crate::harness::Engine;
use crate::harness::world::{World, text};
use crate::on_both;
use serde_json::{Value, json};

on_both!(
    name_without_a_visible_character_is_refused,
    bidirectional_controls_are_removed_from_names,
    message_text_is_kept_as_it_was_sent,
);

/// Nothing of them is seen.
const INVISIBLE: [&str; 12] = [
    " ",
    "\u{200b}",
    "\u{3164}",
    "\u{2800}",
    "\u{202e}",
    "\u{115f}",
    "\u{1160}",
    "\u{ffa0}",
    "\u{2060}\u{ad}",
    "\u{e0041}",
    "\u{fe0f}",
    "\u{2066} \u{2069}",
];

/// Every input that takes a name: the mutation, the input with the name put in, the field, and where it is shown.
fn places(
    world: &World,
    chat: &str,
    group: &str,
    visitor: &str,
    name: &str,
) -> Vec<(&'static str, Value, &'static str)> {
    let product = json!({ "externalId": "p", "name": name });
    vec![
        ("createUser", json!({ "name": name, "role": "OPERATOR" }), "/user/name"),
        ("createUser", json!({ "name": "Otto", "publicName": name, "role": "OPERATOR" }), "/user/publicName"),
        ("upsertVisitor", json!({ "externalId": "v", "displayName": name }), "/visitor/displayName"),
        (
            "upsertVisitor",
            json!({ "externalId": "v", "attributes": [{ "name": name, "value": "1" }] }),
            "/visitor/attributes/0/name",
        ),
        ("createRoom", json!({ "name": name }), "/room/name"),
        ("updateRoom", json!({ "roomId": world.room, "name": name }), "/room/name"),
        ("updateOrganization", json!({ "name": name }), "/organization/name"),
        ("updateChat", json!({ "chatId": group, "name": name }), "/chat/name"),
        ("updateParticipation", json!({ "chatId": group, "customName": name }), "/participation/customName"),
        ("tagChat", json!({ "chatId": chat, "tags": [name] }), "/chat/tags/0"),
        (
            "createChatSession",
            json!({ "in": { "chat": { "id": chat, "participantIds": [visitor] } }, "title": name }),
            "/chatSession/title",
        ),
        (
            "upsertShoppingCart",
            json!({ "visitorId": visitor, "externalId": "c", "currency": "EUR", "products": [product] }),
            "/shoppingCart/products/0/name",
        ),
        (
            "createUpload",
            json!({ "chatId": chat, "name": name, "mediaType": "text/plain", "size": 1 }),
            "/attachment/name",
        ),
        (
            "sendMessage",
            json!({ "chatId": chat, "links": [{ "url": "https://e.org", "name": name }] }),
            "/messageEdge/node/attachments/0/name",
        ),
        (
            "sendMessage",
            json!({ "chatId": chat, "contacts": [{ "card": { "address": "+1 555", "name": name } }] }),
            "/messageEdge/node/attachments/0/name",
        ),
        (
            "sendMessage",
            json!({ "chatId": chat, "contacts": [{ "card": { "address": name } }] }),
            "/messageEdge/node/attachments/0/address",
        ),
    ]
}

fn selection(place: &str) -> &'static str {
    match place.split('/').nth(1).unwrap_or_default() {
        "user" => "user { name publicName }",
        "visitor" => "visitor { displayName attributes { name } }",
        "room" => "room { name }",
        "organization" => "organization { name }",
        "chat" => "chat { name tags }",
        "participation" => "participation { customName }",
        "chatSession" => "chatSession { title }",
        "shoppingCart" => "shoppingCart { products { name } }",
        "attachment" => "attachment { name }",
        _ => "messageEdge { node { attachments { name ... on ContactAttachment { address } } } }",
    }
}

async fn name_without_a_visible_character_is_refused(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let (chat, group) = (world.chat(&vera).await, group(&world).await);
    for name in INVISIBLE {
        for (mutation, input, place) in places(&world, &chat, &group, &vera.id, name) {
            assert_eq!(world.admin.refused(mutation, input).await, ["INVALID"], "{place} {name:?}");
        }
    }
    for name in ["名前", "👍", "می\u{200c}خواهم"] {
        let input = json!({ "externalId": "v", "displayName": name });
        let made = world.admin.done("upsertVisitor", "visitor { displayName }", input).await;
        assert_eq!(made["visitor"]["displayName"], name);
    }
    world.app.stop().await;
}

async fn group(world: &World) -> String {
    let other = world.operator("Olga").await;
    let input = json!({ "participantIds": [other.id] });
    text(&world.admin.done("createGroupChat", "chat { id }", input).await["chat"]["id"])
}

async fn bidirectional_controls_are_removed_from_names(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let (chat, group) = (world.chat(&vera).await, group(&world).await);
    let name = "\u{202e}in\u{2066}vo\u{200f}ice\u{61c}";
    for (mutation, input, place) in places(&world, &chat, &group, &vera.id, name) {
        let made = world.admin.done(mutation, selection(place), input).await;
        assert_eq!(made.pointer(place), Some(&json!("invoice")), "{mutation} {place}: {made:#}");
    }
    let page = json!({ "url": "https://e.org/", "title": "\u{202e}Shop" });
    let started = vera.done("startChat", "chat { id }", json!({ "roomId": world.room, "page": page })).await;
    assert!(started["chat"]["id"].is_string());
    let query = "query($id: ID!) { visitor(by: { id: $id }) { currentPage { title } } }";
    let found = world.admin.query(query, json!({ "id": vera.id })).await;
    assert_eq!(found["visitor"]["currentPage"]["title"], "Shop");
    world.app.stop().await;
}

async fn message_text_is_kept_as_it_was_sent(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    for message in ["\u{202e}abc\u{2069}", "\u{200b}", " "] {
        let input = json!({ "chatId": chat, "text": message });
        let sent = vera.done("sendMessage", "messageEdge { node { text } }", input).await;
        assert_eq!(sent["messageEdge"]["node"]["text"], message);
    }
    world.app.stop().await;
}
