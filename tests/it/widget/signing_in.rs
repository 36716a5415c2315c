//! Signing in: new visitors and returning visitors.

use crate::harness::Engine;
use crate::harness::client::{error_code, is_null};
use crate::harness::stored::Stored;
use crate::harness::widget::Widget;
use crate::harness::world::{World, organization, text};
use crate::on_both;
use serde_json::json;

on_both!(
    foreign_refresh_token_is_rejected,
    operation_signs_in_only_one_visitor,
    refresh_token_restores_visitor,
    display_name_is_ignored_for_identified_visitors,
    no_token_is_stored,
);

async fn foreign_refresh_token_is_rejected(engine: Engine) {
    let world = World::new(engine).await;
    let (other_admin, other_room) = organization(&world.app, "hospital").await;
    let other = Widget::of(&other_admin, &other_room).await;
    let stranger = other.guest(json!({})).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    let guest = widget.guest(json!({})).await;
    for token in [&stranger.refresh_token, &guest.token, &widget.client.token, "rt_nobody"] {
        let refused = widget.client.refused("signInVisitor", json!({ "refreshToken": token })).await;
        assert_eq!(refused, ["INVALID"], "{token}");
    }
    // It was not used up.
    other.guest(json!({ "refreshToken": stranger.refresh_token })).await;
    world.app.stop().await;
}

async fn operation_signs_in_only_one_visitor(engine: Engine) {
    let world = World::new(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    let twice = "mutation { a: signInVisitor(input: {}) { token } b: signInVisitor(input: {}) { token } }";
    assert_eq!(error_code(&widget.client.ask(twice, json!({})).await), "FORBIDDEN");
    // Fields of the viewer are resolved as the new visitor, and as nobody else.
    let document = "mutation { signInVisitor(input: {}) { viewer { role inbox { totalCount }
        organization { name rooms { totalCount } } } } }";
    let answer = widget.client.ask(document, json!({})).await;
    assert!(is_null(&answer, "/signInVisitor/viewer/organization/rooms"));
    let viewer = &answer["data"]["signInVisitor"]["viewer"];
    assert_eq!((&viewer["role"], &viewer["inbox"]["totalCount"]), (&json!("VISITOR"), &json!(0)));
    world.app.stop().await;
}

async fn refresh_token_restores_visitor(engine: Engine) {
    let world = World::frozen(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    let first = widget.sign_in(json!({})).await;
    assert_eq!(first["expiresAt"], "2026-11-20T12:15:00.000Z");
    assert_eq!(first["viewer"]["tokenExpiresAt"], first["expiresAt"]);
    assert_eq!(first["viewer"]["role"], "VISITOR");
    assert_eq!(first["room"]["id"], json!(world.room));
    let guest = widget.guest(json!({ "refreshToken": first["refreshToken"] })).await;
    assert_eq!(first["viewer"]["visitor"]["id"], json!(guest.person.id));
    let chat = world.chat(&guest.person).await;
    guest.done("sendMessage", "", json!({ "chatId": chat, "text": "Is my parcel on its way?" })).await;
    // A day later the token has ended, and the refresh token leads to the same chat.
    world.pass(86_400);
    assert_eq!(error_code(&guest.ask("{ viewer { id } }", json!({})).await), "UNAUTHENTICATED");
    let again = widget.guest(json!({ "refreshToken": guest.refresh_token })).await;
    assert_eq!(again.person.id, guest.person.id);
    let query = "query($id: ID!) { chat(id: $id) { messages { nodes { text } } } }";
    let found = again.query(query, json!({ "id": chat })).await;
    assert_eq!(found["chat"]["messages"]["nodes"], json!([{ "text": "Is my parcel on its way?" }]));
    // Somebody new is somebody else.
    let other = widget.guest(json!({})).await;
    assert_ne!(other.person.id, guest.person.id);
    assert_eq!(other.query(query, json!({ "id": chat })).await["chat"], json!(null));
    // The desk sees on which page they are.
    let page = json!({ "url": "https://shop.example/cart", "title": "Cart" });
    widget.sign_in(json!({ "refreshToken": again.refresh_token, "page": page })).await;
    let query = "query($id: ID!) { visitor(by: { id: $id }) { currentPage { url title } } }";
    let seen = world.admin.query(query, json!({ "id": guest.person.id })).await;
    assert_eq!(seen["visitor"]["currentPage"], page);
    world.app.stop().await;
}

async fn display_name_is_ignored_for_identified_visitors(engine: Engine) {
    let world = World::frozen(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    let name = |payload: &serde_json::Value| text(&payload["viewer"]["visitor"]["displayName"]);
    let first = widget.sign_in(json!({ "displayName": "Vera" })).await;
    assert_eq!(name(&first), "Vera");
    let second = widget.sign_in(json!({ "refreshToken": first["refreshToken"] })).await;
    assert_eq!(name(&second), "Vera");
    let input = json!({ "refreshToken": second["refreshToken"], "displayName": "Vera V." });
    assert_eq!(name(&widget.sign_in(input).await), "Vera V.");
    let mut claims = widget.claims("vera", 1_795_176_600);
    claims["name"] = json!("Vera Known");
    let known = widget.sign_in(json!({ "identityToken": widget.identity(&claims) })).await;
    let input = json!({ "refreshToken": known["refreshToken"], "displayName": "Somebody" });
    assert_eq!(name(&widget.sign_in(input).await), "Vera Known");
    world.app.stop().await;
}

async fn no_token_is_stored(engine: Engine) {
    let world = World::new(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    let guest = widget.guest(json!({})).await;
    let tables = Stored::of(&world.app).await.tables().await;
    let rows: String = tables.values().flatten().map(String::as_str).collect();
    assert_eq!(tables["refresh_token"].len(), 1);
    assert!(!rows.contains(&guest.refresh_token) && !rows.contains(&guest.token));
    world.app.stop().await;
}
