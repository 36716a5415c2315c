//! The shapes of the API that every client relies on: partial answers, paths of errors, interfaces, persisted queries,
//! suggestions, and secrets that are shown once.

use crate::harness::client::{Client, error_code};
use crate::harness::scene::Scene;
use crate::harness::socket::Socket;
use crate::harness::world::{World, text};
use crate::harness::{Engine, TestApp, sdl};
use crate::on_both;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both!(
    forbidden_mutation_leaves_the_result_of_its_sibling,
    user_errors_point_at_the_item_of_a_list,
    retried_rotation_replaces_a_secret_once,
);

async fn forbidden_mutation_leaves_the_result_of_its_sibling(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let document = "mutation($chat: ID!) {
        sent: sendMessage(input: { chatId: $chat, text: \"Hello\" }) { messageEdge { node { text } } }
        room: createRoom(input: { name: \"Mine\" }) { room { id } } }";
    let answer = vera.ask(document, json!({ "chat": chat })).await;
    assert_eq!(answer["data"]["sent"]["messageEdge"]["node"]["text"], "Hello", "{answer:#}");
    assert_eq!(answer["data"]["room"], Value::Null);
    assert_eq!(error_code(&answer), "FORBIDDEN");
    assert_eq!(answer["errors"][0]["path"], json!(["room"]));
    let query = "query($id: ID!) { chat(id: $id) { messageCount } }";
    assert_eq!(vera.query(query, json!({ "id": chat })).await["chat"]["messageCount"], 1);
    world.app.stop().await;
}

type Rotation<'a> = (&'a str, &'a str, &'a str, &'a dyn Fn(&str) -> Value);

#[allow(clippy::too_many_lines)]
async fn user_errors_point_at_the_item_of_a_list(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let Scene { admin, olga, odile, otto, room, public, group, webhook, .. } = &scene;
    let (chat, unknown) = (&public.chat, crate::harness::stored::twin(&otto.id));
    let people = json!([otto.id, unknown]);
    let product = |name: &str| json!({ "externalId": name, "name": name });
    let mut products: Vec<_> = (0..9).map(|number| product(&format!("p{number}"))).collect();
    products[7]["name"] = json!("");
    let link = |url: &str| json!({ "url": url });
    let links = json!([link("https://e.org/"), link("ftp://e.org/")]);
    let contacts = json!([{ "actorId": olga.id }, { "card": { "address": " " } }]);
    let origins = json!(["https://a.example", "https://b.example/path"]);
    let tags = json!(["vip", " "]);
    let attributes = json!([{ "name": "a", "value": "b" }, { "name": "a", "value": "c" }]);
    let file = crate::harness::stored::twin(&scene.upload);
    let cases: Vec<(&Client, &str, Value, &[&str])> = vec![
        (
            olga,
            "addParticipants",
            json!({ "chatId": group.chat, "participantIds": people }),
            &["participantIds", "1"],
        ),
        (olga, "createGroupChat", json!({ "participantIds": people }), &["participantIds", "1"]),
        (
            olga,
            "createChatSession",
            json!({ "in": { "participantIds": people } }),
            &["in", "participantIds", "1"],
        ),
        (
            olga,
            "createChatSession",
            json!({ "in": { "chat": { "id": chat, "participantIds": people } } }),
            &["in", "chat", "participantIds", "1"],
        ),
        (olga, "createChatSession", json!({ "in": { "chat": { "id": olga.id } } }), &["in", "chat", "id"]),
        (
            olga,
            "updateChatSession",
            json!({ "chatSessionId": public.session, "participantIds": [odile.id, unknown] }),
            &["participantIds", "1"],
        ),
        (admin, "createRoom", json!({ "name": "a", "allowedOrigins": origins }), &["allowedOrigins", "1"]),
        (admin, "updateRoom", json!({ "roomId": room, "allowedOrigins": origins }), &["allowedOrigins", "1"]),
        (olga, "sendMessage", json!({ "chatId": chat, "links": links }), &["links", "1", "url"]),
        (
            olga,
            "sendMessage",
            json!({ "chatId": chat, "contacts": contacts }),
            &["contacts", "1", "card", "address"],
        ),
        (
            olga,
            "sendMessage",
            json!({ "chatId": chat, "contacts": [{ "actorId": unknown }] }),
            &["contacts", "0", "actorId"],
        ),
        (olga, "sendMessage", json!({ "chatId": chat, "attachmentIds": [file] }), &["attachmentIds", "0"]),
        (olga, "suggestMessage", json!({ "chatId": chat, "links": links }), &["links", "1", "url"]),
        (
            olga,
            "suggestMessage",
            json!({ "chatId": chat, "contacts": contacts }),
            &["contacts", "1", "card", "address"],
        ),
        (olga, "suggestMessage", json!({ "chatId": chat, "attachmentIds": [file] }), &["attachmentIds", "0"]),
        (olga, "tagChat", json!({ "chatId": chat, "tags": tags }), &["tags", "1"]),
        (olga, "untagChat", json!({ "chatId": chat, "tags": tags }), &["tags", "1"]),
        (
            admin,
            "upsertShoppingCart",
            json!({ "externalId": "c", "visitorId": scene.vera.id, "currency": "EUR", "products": products }),
            &["products", "7", "name"],
        ),
        (
            admin,
            "upsertVisitor",
            json!({ "externalId": "v", "attributes": attributes }),
            &["attributes", "1", "name"],
        ),
        (admin, "addRoomMembers", json!({ "roomId": room, "userIds": people }), &["userIds", "1"]),
        (admin, "removeRoomMembers", json!({ "roomId": room, "userIds": people }), &["userIds", "1"]),
        // An event is known or the document is not valid: the list itself is to blame.
        (
            admin,
            "createWebhook",
            json!({ "url": "https://x.example.org/", "events": [], "apiKey": "k", "apiSecret": "s" }),
            &["events"],
        ),
        (admin, "updateWebhook", json!({ "webhookId": webhook, "events": [] }), &["events"]),
    ];
    let lists: BTreeSet<_> =
        cases.iter().map(|(_, name, _, path)| ((*name).to_owned(), path[0].to_owned())).collect();
    for name in sdl::fields("Mutation").keys() {
        for (field, kind) in sdl::fields(&sdl::input_of(name)) {
            let is_list = kind.split(": ").nth(1).is_some_and(|kind| kind.starts_with('['));
            assert!(
                !is_list || lists.contains(&(name.clone(), field.clone())),
                "{name} has a list {field}: {kind}"
            );
        }
    }
    for (by, name, input, path) in cases {
        let payload = by.mutate(name, "", input).await;
        let expected: Vec<_> = std::iter::once("input").chain(path.iter().copied()).collect();
        assert_eq!(payload["userErrors"][0]["field"], json!(expected), "{name}: {payload:#}");
    }
    let nested = json!({ "roomId": room, "page": { "url": "https://e.org/", "title": "a\nb" } });
    let payload = scene.vera.mutate("startChat", "", nested).await;
    assert_eq!(payload["userErrors"][0]["field"], json!(["input", "page", "title"]), "{payload:#}");
    app.stop().await;
}

async fn retried_rotation_replaces_a_secret_once(engine: Engine) {
    let app = TestApp::quiet(engine).await;
    let scene = Scene::new(&app, "clinic").await;
    let admin = &scene.admin;
    let room = |request: &str| json!({ "roomId": scene.room, "requestId": request });
    let webhook = |request: &str| json!({ "webhookId": scene.webhook, "requestId": request });
    let kinds: [Rotation<'_>; 3] = [
        ("rotateIdentitySecret", "identitySecret", "/identitySecret", &room),
        ("rotateSigningSecret", "signingSecret", "/signingSecret", &webhook),
        ("rotateWidgetKey", "room { widgetKey }", "/room/widgetKey", &room),
    ];
    for (name, selection, place, input) in kinds {
        let rotate = async |request: String| {
            let rotated = admin.done(name, selection, input(&request)).await;
            rotated.pointer(place).cloned().unwrap_or_default()
        };
        let secrets = join_all((0..6).map(|_| rotate(format!("{name} one")))).await;
        assert!(secrets.iter().all(|secret| secret.is_string() && *secret == secrets[0]), "{secrets:?}");
        let other = rotate(format!("{name} two")).await;
        assert_ne!(other, secrets[0]);
        assert_eq!(rotate(format!("{name} two")).await, other);
        // The secret of the first call is no more, and a later one is not told to who retries it.
        if place != "/room/widgetKey" {
            assert_eq!(rotate(format!("{name} one")).await, Value::Null);
        }
        let taken = admin.refused(name, input(&format!("{name} two"))).await;
        assert_eq!(taken, [""; 0]);
    }
    let taken = admin.refused("rotateWidgetKey", room("rotateIdentitySecret one")).await;
    assert_eq!(taken, ["CONFLICT"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hash_of_a_persisted_query_is_not_supported() {
    let world = World::new(Engine::Sqlite).await;
    let olga = world.operator("Olga").await;
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": "ecf4edb4" } });
    let http = reqwest::Client::new();
    let url = format!("{}/graphql", olga.url);
    let with_extensions = reqwest::Url::parse_with_params(&url, [("extensions", extensions.to_string())]);
    let with_extensions = with_extensions.expect("a URL");
    let post = http.post(&url).json(&json!({ "variables": {}, "extensions": extensions }));
    let get = http.get(with_extensions);
    for request in [post, get] {
        let answer = request.bearer_auth(&olga.token).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotSupported");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_SUPPORTED");
    }
    let mut socket = Socket::connect(&olga.url, &olga.token).await;
    socket.send(json!({ "id": "1", "type": "subscribe", "payload": { "extensions": extensions } })).await;
    let answer = socket.receive().await;
    assert_eq!(
        (&answer["type"], &answer["payload"][0]["message"]),
        (&json!("error"), &json!("PersistedQueryNotSupported"))
    );
    // With the document beside its hash, it runs.
    let both = json!({ "query": "{ viewer { role } }", "extensions": extensions });
    let answer = http.post(&url).json(&both).bearer_auth(&olga.token).send().await.expect("an answer");
    assert_eq!(answer.json::<Value>().await.expect("JSON")["data"]["viewer"]["role"], "OPERATOR");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_and_arguments_get_a_suggestion() {
    let world = World::new(Engine::Sqlite).await;
    for (document, expected) in [
        ("{ viewer { rolle } }", "Unknown field \"rolle\" on type \"Viewer\". Did you mean \"role\"?"),
        (
            "{ viewer { inbox(frist: 1) { totalCount } } }",
            "Unknown argument \"frist\" on field \"inbox\" of type \"Viewer\". Did you mean \"first\"?",
        ),
        ("{ viewer { zzzzzzzzzz } }", "Unknown field \"zzzzzzzzzz\" on type \"Viewer\"."),
    ] {
        let answer = world.admin.ask(document, json!({})).await;
        assert_eq!(answer["errors"][0]["message"], expected, "{answer:#}");
    }
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interfaces_implement_node_in_introspection() {
    let world = World::new(Engine::Sqlite).await;
    let whole = "{ __schema { types { kind name interfaces { kind name } } } }";
    let types = world.admin.query(whole, json!({})).await["__schema"]["types"].clone();
    let named = |name: &str| {
        let types = types.as_array().expect("types");
        types.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    let node = json!([{ "kind": "INTERFACE", "name": "Node" }]);
    for interface in ["Actor", "Attachment"] {
        assert_eq!(named(interface)["interfaces"], node, "{interface}");
        let alone = format!("{{ __type(name: \"{interface}\") {{ name interfaces {{ kind name }} }} }}");
        assert_eq!(world.admin.query(&alone, json!({})).await["__type"]["interfaces"], node);
    }
    assert_eq!(named("Node")["interfaces"], json!([]));
    assert_eq!(named("Chat")["interfaces"], node);
    assert_eq!(text(&named("ChatEvent")["kind"]), "UNION");
    assert!(named("ChatEvent")["interfaces"].is_null());
    world.app.stop().await;
}
