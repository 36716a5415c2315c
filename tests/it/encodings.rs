//! The bytes of what is kept over an upgrade: digests by which retries are recognized, and cursors that clients hold.
//! The texts are those of version one. A change of one of them breaks the retries or the cursors of an older version,
//! and a field that is not given has no trace in any.

use crate::harness::client::Client;
use crate::harness::scene::Scene;
use crate::harness::stored::Stored;
use crate::harness::world::text;
use crate::harness::{Engine, TestApp, sdl};
use crate::on_both;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::request;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

on_both!(retries_have_the_digests_of_version_one, cursors_of_every_list_have_the_bytes_of_version_one,);

/// The UUID that a global id holds.
fn uuid(id: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(id).expect("a global id");
    Uuid::from_slice(&bytes[1..]).expect("a letter and a UUID").to_string()
}

/// The text of a description: its version and kind, and the given fields in their order.
fn described(kind: &str, fields: &[(&str, &str)]) -> String {
    let mut text = format!("1 {kind}\n");
    for (field, value) in fields {
        text.push_str(&format!("{field} {} {value}\n", value.len()));
    }
    text
}

/// The start of the digest of a description, as the cursors of a list have it.
fn start_of(description: &str) -> Vec<u8> {
    Sha256::digest(description)[..4].to_vec()
}

/// A mutation that is recognized when it is sent again: who sends it, its input, and the kind and the fields that its
/// digest is of.
type Retried<'a> = (&'a Client, &'static str, Value, &'static str, Vec<(&'static str, &'a str)>);

#[allow(clippy::too_many_lines)]
async fn retries_have_the_digests_of_version_one(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let Scene { admin, olga, odile, vera, .. } = &scene;
    let (room, chat, webhook) = (uuid(&scene.room), uuid(&scene.public.chat), uuid(&scene.webhook));
    let [olga_id, odile_id, vera_id] = [olga, odile, vera].map(|person| uuid(&person.id));
    let place = json!({ "roomId": scene.room });
    let page = json!({ "url": "https://clinic.example.org/", "title": "Clinic" });
    let resumed = json!({ "roomId": scene.room, "autoResume": true, "page": page, "message": "Grüezi" });
    let private = json!({
        "roomId": scene.room, "visitorId": vera.id, "isPrivate": true, "autoResumeUserId": olga.id
    });
    let group = json!({
        "participantIds": [odile.id, vera.id], "ownerId": olga.id, "name": "Knees", "description": "Left"
    });
    let usual = [("type", "TELEMED"), ("ringSeconds", "45")];
    let planned = json!({
        "in": { "chat": { "id": scene.public.chat, "participantIds": [vera.id] } }, "title": "Knee",
        "callRoom": "knee", "scheduledAt": "2030-01-01T00:00:00Z", "start": true, "ringSeconds": 60
    });
    let cases: Vec<Retried<'_>> = vec![
        (vera, "startChat", place.clone(), "startChat", vec![("roomId", &room)]),
        (
            vera,
            "startChat",
            resumed,
            "startChat",
            vec![
                ("roomId", &room),
                ("autoResume", "true"),
                ("page.url", "https://clinic.example.org/"),
                ("page.title", "Clinic"),
                ("message", "Grüezi"),
            ],
        ),
        (
            admin,
            "startChat",
            private,
            "startChat",
            vec![
                ("roomId", &room),
                ("visitorId", &vera_id),
                ("autoResumeUserId", &olga_id),
                ("isPrivate", "true"),
            ],
        ),
        (
            olga,
            "createDirectChat",
            json!({ "participantId": vera.id }),
            "createChat",
            vec![("type", "DIRECT"), ("participantIds", &vera_id)],
        ),
        (
            olga,
            "createGroupChat",
            group,
            "createChat",
            vec![
                ("type", "GROUP"),
                ("participantIds", &odile_id),
                ("participantIds", &vera_id),
                ("ownerId", &olga_id),
                ("name", "Knees"),
                ("description", "Left"),
            ],
        ),
        (
            olga,
            "createChatSession",
            json!({ "in": { "chat": { "id": scene.public.chat } } }),
            "createChatSession",
            [&[("chatId", chat.as_str())], &usual[..]].concat(),
        ),
        (
            olga,
            "createChatSession",
            json!({ "in": { "participantIds": [odile.id] } }),
            "createChatSession",
            [&[("participantIds", odile_id.as_str())], &usual[..]].concat(),
        ),
        (
            olga,
            "createChatSession",
            planned,
            "createChatSession",
            vec![
                ("chatId", &chat),
                ("participantIds", &vera_id),
                ("title", "Knee"),
                ("type", "TELEMED"),
                ("callRoom", "knee"),
                ("scheduledAt", "1893456000000"),
                ("start", "true"),
                ("ringSeconds", "60"),
            ],
        ),
        (admin, "rotateWidgetKey", place.clone(), "rotateWidgetKey", vec![("roomId", &room)]),
        (admin, "rotateIdentitySecret", place, "rotateIdentitySecret", vec![("roomId", &room)]),
        (
            admin,
            "rotateSigningSecret",
            json!({ "webhookId": scene.webhook }),
            "rotateSigningSecret",
            vec![("webhookId", &webhook)],
        ),
    ];
    // The one of `acceptChatSession` is kept as it is.
    for mutation in sdl::fields("Mutation").into_keys().filter(|name| name != "acceptChatSession") {
        let is_retried = sdl::fields(&sdl::input_of(&mutation)).contains_key("requestId");
        let is_tried = cases.iter().any(|(_, name, ..)| *name == mutation);
        assert_eq!(is_retried, is_tried, "{mutation}");
    }
    let stored = Stored::of(&app).await;
    for (number, (by, mutation, mut input, kind, fields)) in cases.into_iter().enumerate() {
        let request_id = format!("request {number}");
        input["requestId"] = json!(request_id);
        by.done(mutation, "", input).await;
        let rows = request::Entity::find().all(&stored.0).await.expect("requests");
        let row = rows.into_iter().find(|row| row.request_id == request_id).expect("a remembered request");
        let description = described(kind, &fields);
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&description));
        assert_eq!(row.digest, digest, "{mutation}: {description}");
    }
    app.stop().await;
}

/// A list: its type and field with arguments, and the kind and the fields of its description, after its own id.
type Listed = (&'static str, &'static str, &'static str, &'static str, Vec<(&'static str, &'static str)>);

/// Every list, in the order that it has unless asked otherwise, and one of those in another order.
fn lists() -> Vec<Listed> {
    let by = |field| vec![("orderBy", field)];
    let down = |field| vec![("orderBy", field), ("descending", "true")];
    let chats = |place, order: Vec<_>| [vec![("place", place), ("id", "")], order].concat();
    let of = |order: Vec<_>| [vec![("of", "")], order].concat();
    vec![
        ("Organization", "rooms", "", "rooms", vec![]),
        ("Organization", "users", "", "users", vec![]),
        ("Organization", "visitors", "", "visitors", vec![]),
        ("Organization", "webhooks", "", "webhooks", vec![]),
        ("Organization", "searchMessages", "query: \"morning\",", "searchMessages", vec![]),
        ("Organization", "chats", "", "chats", vec![("place", "organization"), ("orderBy", "STARTED_AT")]),
        ("Organization", "chatSessions", "", "chatSessions", by("CREATED_AT")),
        ("Room", "chats", "", "chats", chats("room", by("STARTED_AT"))),
        (
            "Room",
            "chats",
            "orderBy: { field: LAST_MESSAGE_AT, direction: DESC },",
            "chats",
            chats("room", down("LAST_MESSAGE_AT")),
        ),
        ("Room", "members", "", "members", of(vec![])),
        ("User", "rooms", "", "rooms", of(vec![])),
        ("User", "chats", "", "chats", chats("participant", by("STARTED_AT"))),
        ("User", "currentChats", "", "chats", chats("presentUser", by("STARTED_AT"))),
        ("User", "participations", "", "participationsOfActor", of(down("ACTIVE_AT"))),
        ("Visitor", "chats", "", "chats", chats("visitor", by("STARTED_AT"))),
        ("Visitor", "shoppingCarts", "", "cartsOfVisitor", of(by("OPENED_AT"))),
        ("Viewer", "inbox", "", "inbox", down("ACTIVE_AT")),
        ("Chat", "searchMessages", "query: \"morning\",", "searchMessages", of(vec![])),
        ("Chat", "presences", "", "presences", of(by("CREATED_AT"))),
        ("Chat", "participations", "", "participations", of(by("CREATED_AT"))),
        ("Chat", "chatSessions", "", "chatSessions", of(by("CREATED_AT"))),
        ("Chat", "shoppingCarts", "", "cartsOfChat", of(by("OPENED_AT"))),
        ("Webhook", "deliveries", "", "deliveries", of(by("CREATED_AT"))),
    ]
}

async fn cursors_of_every_list_have_the_bytes_of_version_one(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let cart = json!({
        "externalId": "cart", "visitorId": scene.vera.id, "chatId": scene.public.chat, "currency": "EUR",
        "products": []
    });
    scene.admin.done("upsertShoppingCart", "", cart).await;
    let member = json!({ "roomId": scene.room, "userIds": [scene.olga.id] });
    scene.admin.done("addRoomMembers", "", member).await;
    let viewer = text(&scene.olga.query("{ viewer { id } }", json!({})).await["viewer"]["id"]);
    let lists = lists();
    for (on, field) in sdl::connections() {
        // The cursors of `Chat.messages` are those of the chat's log.
        let is_tried = lists.iter().any(|list| (list.0, list.1) == (&*on, &*field));
        assert_ne!(is_tried, (&*on, &*field) == ("Chat", "messages"), "{on}.{field}");
    }
    for (on, field, arguments, kind, fields) in lists {
        let (by, id) = match on {
            "Organization" => (&scene.admin, &scene.organization),
            "Room" => (&scene.admin, &scene.room),
            "User" => (&scene.admin, &scene.olga.id),
            "Visitor" => (&scene.admin, &scene.vera.id),
            "Viewer" => (&scene.olga, &viewer),
            "Chat" => (&scene.admin, &scene.public.chat),
            _ => (&scene.admin, &scene.webhook),
        };
        let query = format!(
            "query($id: ID!) {{ node(id: $id) {{ ... on {on} {{ list: {field}({arguments} first: 1) {{
                edges {{ cursor node {{ id }} }} }} }} }} }}"
        );
        let edge = by.query(&query, json!({ "id": id })).await["node"]["list"]["edges"][0].clone();
        let cursor = URL_SAFE_NO_PAD.decode(text(&edge["cursor"])).expect("base64");
        let own = uuid(id);
        let fields: Vec<_> = fields
            .into_iter()
            .map(|(name, value)| (name, if value.is_empty() { &*own } else { value }))
            .collect();
        let description = described(kind, &fields);
        assert_eq!(cursor[..4], start_of(&description), "{on}.{field}: {description}");
        assert_eq!(cursor.len(), 28, "{on}.{field}: four bytes of the list, eight of the value, a UUID");
        // The places in a list of participations by activity are those of their chats, and those of hits of the texts.
        if !["participationsOfActor", "searchMessages"].contains(&kind) {
            let place = Uuid::from_slice(&cursor[12..]).expect("a UUID").to_string();
            assert_eq!(place, uuid(&text(&edge["node"]["id"])), "{on}.{field}");
        }
    }
    app.stop().await;
}
