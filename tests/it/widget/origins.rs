//! The origins and operations that a widget key allows.

use crate::harness::Engine;
use crate::harness::client::{Client, error_code};
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::widget::{SHOP, Widget};
use crate::harness::world::{World, organization, text};
use crate::on_both;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

on_both!(
    widget_key_works_only_on_allowed_origins,
    widget_key_can_only_sign_in,
    replaced_widget_key_is_rejected,
    widget_key_is_hidden_from_non_admins,
    cors_headers_name_allowed_origins,
);

/// The only operation that a widget key can run.
const SIGN_IN: &str = "mutation { signInVisitor(input: {}) { viewer { __typename role } } }";

async fn widget_key_works_only_on_allowed_origins(engine: Engine) {
    let world = World::new(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await.client;
    let other = json!({ "name": "Billing", "allowedOrigins": ["https://bills.example"] });
    world.admin.done("createRoom", "", other).await;
    let nowhere = Client { origin: None, ..widget.clone() };
    let mut refused = vec![nowhere];
    for origin in [
        "https://bills.example",
        "https://shop.example:8443",
        "http://shop.example",
        "https://shop.example.evil.example",
        "https://www.shop.example",
        "https://shop.example/",
        "null",
        "*",
        "",
    ] {
        refused.push(widget.on_page_of(origin));
    }
    for client in &refused {
        let answer = client.request().json(&json!({ "query": SIGN_IN })).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{:?}", client.origin);
        assert_eq!(error_code(&answer.json().await.expect("JSON")), "FORBIDDEN", "{:?}", client.origin);
    }
    let signed_in = widget.query(SIGN_IN, json!({})).await;
    assert_eq!(signed_in["signInVisitor"]["viewer"], json!({ "__typename": "Viewer", "role": "VISITOR" }));
    // A room that names no site has no widget.
    let input = json!({ "roomId": world.room, "allowedOrigins": [] });
    world.admin.done("updateRoom", "", input).await;
    assert_eq!(error_code(&widget.ask(SIGN_IN, json!({})).await), "FORBIDDEN");
    world.app.stop().await;
}

async fn widget_key_can_only_sign_in(engine: Engine) {
    let world = World::new(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await.client;
    let room = json!({ "id": world.room });
    let documents = [
        "{ organization { name } }",
        "{ viewer { role } }",
        "{ viewer { organization { name } } }",
        "{ viewer { actor { id } } }",
        "{ viewer { unreadCount } }",
        "{ viewer { inbox { totalCount } } }",
        "{ viewer { tokenExpiresAt } }",
        "query($id: ID!) { room(id: $id) { name } }",
        "query($id: ID!) { node(id: $id) { id } }",
        "query($id: ID!) { nodes(ids: [$id]) { id } }",
        "mutation($id: ID!) { startChat(input: { roomId: $id }) { chat { id } } }",
        "mutation($id: ID!) { updateRoom(input: { roomId: $id }) { room { widgetKey } } }",
    ];
    for document in documents {
        assert_eq!(error_code(&widget.ask(document, room.clone()).await), "FORBIDDEN", "{document}");
    }
    // It is taken on no socket, and for no stream.
    let mut socket = Socket::open(&world.app.url).await;
    let init = json!({ "Authorization": format!("Bearer {}", widget.token) });
    socket.send(json!({ "type": "connection_init", "payload": init })).await;
    assert_eq!(socket.try_receive().await, Err(4403));
    let events = json!({ "query": "subscription { viewerEvents { cursor } }" });
    let stream = widget.request().header("accept", "text/event-stream").json(&events).send().await;
    let refusal = stream.expect("an answer");
    assert_eq!(refusal.status(), StatusCode::BAD_REQUEST);
    assert_eq!(error_code(&refusal.json().await.expect("JSON")), "FORBIDDEN");
    world.app.stop().await;
}

async fn replaced_widget_key_is_rejected(engine: Engine) {
    let world = World::new(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await.client;
    let input = json!({ "roomId": world.room });
    let room = world.admin.done("rotateWidgetKey", "room { widgetKey allowedOrigins }", input).await;
    let new = Client { token: text(&room["room"]["widgetKey"]), ..widget.clone() };
    assert_ne!(new.token, widget.token);
    assert_eq!(room["room"]["allowedOrigins"], json!([SHOP]));
    for token in [widget.token.as_str(), "wk_", "wk_nobody"] {
        let old = Client { token: token.to_owned(), ..widget.clone() };
        assert_eq!(error_code(&old.ask(SIGN_IN, json!({})).await), "UNAUTHENTICATED", "{token}");
    }
    assert_eq!(new.query(SIGN_IN, json!({})).await["signInVisitor"]["viewer"]["role"], "VISITOR");
    world.app.stop().await;
}

async fn widget_key_is_hidden_from_non_admins(engine: Engine) {
    let world = World::new(engine).await;
    Widget::of(&world.admin, &world.room).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let query = "query($id: ID!) { room(id: $id) { widgetKey allowedOrigins } }";
    let seen = async |client: &Client| client.query(query, json!({ "id": world.room })).await["room"].clone();
    let nothing = json!({ "widgetKey": null, "allowedOrigins": null });
    for client in [&olga.client, &vera.client, &program(&world.app, &world.admin).await] {
        assert_eq!(seen(client).await, nothing);
    }
    let first = seen(&world.admin).await;
    let rotate = async || {
        let input = json!({ "roomId": world.room });
        text(&world.admin.done("rotateIdentitySecret", "identitySecret", input).await["identitySecret"])
    };
    let (one, other) = (rotate().await, rotate().await);
    assert!(one.len() >= 32, "as long as the hash that it keys");
    assert_ne!(one, other);
    assert_eq!(first["widgetKey"], seen(&world.admin).await["widgetKey"]);
    world.app.stop().await;
}

async fn cors_headers_name_allowed_origins(engine: Engine) {
    let world = World::new(engine).await;
    let (_, other_room) = organization(&world.app, "hospital").await;
    assert_ne!(other_room, world.room);
    let asked = async |method: Method, origin: &'static str| {
        let request = reqwest::Client::new()
            .request(method, format!("{}/graphql", world.app.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
        let headers = request.send().await.expect("an answer").headers().clone();
        assert!(!headers.contains_key("access-control-allow-credentials"));
        headers.get("access-control-allow-origin").map(|origin| origin.to_str().expect("text").to_owned())
    };
    assert_eq!(asked(Method::OPTIONS, SHOP).await, None);
    Widget::of(&world.admin, &world.room).await;
    for method in [Method::OPTIONS, Method::POST] {
        assert_eq!(asked(method.clone(), SHOP).await.as_deref(), Some(SHOP));
        assert_eq!(asked(method, "https://evil.example").await, None);
    }
    let input: Value = json!({ "roomId": world.room, "allowedOrigins": ["https://b.example"] });
    world.admin.done("updateRoom", "", input).await;
    assert_eq!(asked(Method::OPTIONS, SHOP).await, None);
    assert_eq!(asked(Method::OPTIONS, "https://b.example").await.as_deref(), Some("https://b.example"));
    world.app.stop().await;
}
