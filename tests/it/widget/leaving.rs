//! Signing out, and revoking tokens.

use crate::harness::client::{Client, error_code};
use crate::harness::scene::program;
use crate::harness::socket::Socket;
use crate::harness::widget::Widget;
use crate::harness::world::{World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::Clock;
use serde_json::json;
use std::time::Duration;

on_both!(
    signing_out_ends_this_sign_in_and_no_other,
    signing_out_everywhere_ends_them_all,
    a_user_who_signs_out_leaves_their_chats,
    an_admin_ends_all_tokens_of_somebody,
);

const ROLE: &str = "{ viewer { role } }";

async fn is_accepted(client: &Client) -> bool {
    let answer = client.ask(ROLE, json!({})).await;
    if answer.get("errors").is_some() {
        assert_eq!(error_code(&answer), "UNAUTHENTICATED");
    }
    answer.get("errors").is_none()
}

/// Another token of the same user.
async fn another(world: &World, id: &str) -> Client {
    let issued = world.admin.done("issueToken", "token", json!({ "subject": { "actorId": id } })).await;
    Client::new(&world.app.url, &text(&issued["token"]))
}

async fn signing_out_ends_this_sign_in_and_no_other(engine: Engine) {
    let world = World::frozen(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    let identity = json!({ "identityToken": widget.identity(&widget.claims("vera", 1_795_176_600)) });
    let (phone, desk) = (widget.guest(identity.clone()).await, widget.guest(identity).await);
    assert_eq!(phone.person.id, desk.person.id);
    let renewed = phone.done("renewToken", "token", json!({ "refreshToken": phone.refresh_token })).await;
    let renewed = Client::new(&world.app.url, &text(&renewed["token"]));
    let mut gone = Socket::connect(&world.app.url, &renewed.token).await;
    let mut stays = Socket::connect(&world.app.url, &desk.token).await;

    phone.done("signOut", "", json!({})).await;
    assert_eq!(gone.try_receive().await, Err(4403));
    assert!(!is_accepted(&phone).await && !is_accepted(&renewed).await);
    let refused =
        widget.client.refused("signInVisitor", json!({ "refreshToken": phone.refresh_token })).await;
    assert_eq!(refused, ["INVALID"]);
    assert!(is_accepted(&desk).await);
    stays.subscribe("1", ROLE, json!({}), None).await;
    assert_eq!(stays.data().await["viewer"]["role"], "VISITOR");
    widget.guest(json!({ "refreshToken": desk.refresh_token })).await;
    world.app.stop().await;
}

async fn signing_out_everywhere_ends_them_all(engine: Engine) {
    let world = World::frozen(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    let identity = json!({ "identityToken": widget.identity(&widget.claims("vera", 1_795_176_600)) });
    let (phone, desk) = (widget.guest(identity.clone()).await, widget.guest(identity.clone()).await);
    let mut socket = Socket::connect(&world.app.url, &desk.token).await;
    phone.done("signOut", "", json!({ "everywhere": true })).await;
    assert_eq!(socket.try_receive().await, Err(4403));
    for guest in [&phone, &desk] {
        assert!(!is_accepted(guest).await);
        let input = json!({ "refreshToken": guest.refresh_token });
        assert_eq!(widget.client.refused("signInVisitor", input).await, ["INVALID"]);
    }
    // A visitor can sign in again with an identity token.
    let again = widget.guest(identity).await;
    assert!(is_accepted(&again).await);
    world.app.stop().await;
}

async fn a_user_who_signs_out_leaves_their_chats(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let other = another(&world, &olga.id).await;
    let renewed = olga.done("renewToken", "token", json!({})).await;
    let renewed = Client::new(&world.app.url, &text(&renewed["token"]));
    let chat = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let mut socket = Socket::connect(&world.app.url, &olga.token).await;
    renewed.done("signOut", "", json!({})).await;
    assert_eq!(socket.try_receive().await, Err(4403));
    assert!(!is_accepted(&olga).await && !is_accepted(&renewed).await && is_accepted(&other).await);
    let query = "query($id: ID!) { chat(id: $id) { presences(includeEnded: true) { nodes { endReason } } } }";
    let found = vera.query(query, json!({ "id": chat })).await;
    assert_eq!(found["chat"]["presences"]["nodes"], json!([{ "endReason": "SIGNED_OUT" }]));
    world.app.stop().await;
}

async fn an_admin_ends_all_tokens_of_somebody(engine: Engine) {
    let world = World::new(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    let (olga, guest) = (world.operator("Olga").await, widget.guest(json!({})).await);
    let records = program(&world.app, &world.admin).await;
    let other = another(&world, &olga.id).await;
    let mut sockets = Vec::new();
    for token in [&olga.token, &guest.token, &records.token] {
        sockets.push(Socket::connect(&world.app.url, token).await);
    }
    for (name, id) in
        [("actorId", &olga.id), ("actorId", &guest.person.id), ("apiClientName", &"records".into())]
    {
        let revoked = world.admin.done("revokeTokens", "actor { id }", json!({ name: id })).await;
        let actor = if name == "actorId" { json!({ "id": id }) } else { json!(null) };
        assert_eq!(revoked["actor"], actor);
    }
    for mut socket in sockets {
        assert_eq!(socket.try_receive().await, Err(4403));
    }
    for client in [&olga.client, &other, &guest.person.client, &records] {
        assert!(!is_accepted(client).await);
    }
    let refresh = json!({ "refreshToken": guest.refresh_token });
    assert_eq!(widget.client.refused("signInVisitor", refresh).await, ["INVALID"]);
    // New ones are as good as ever.
    assert!(is_accepted(&another(&world, &olga.id).await).await);
    assert!(is_accepted(&program(&world.app, &world.admin).await).await);
    assert!(is_accepted(&world.admin).await);
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_close_on_the_other_node_too() {
    let app = TestApp::start_with(Engine::Postgres, Clock::system(), |config| {
        config.sweep = Duration::from_millis(100);
    });
    let app = app.await;
    let second = app.second_node().await;
    let world = World::on(app).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    let (olga, guest, other) =
        (world.operator("Olga").await, widget.guest(json!({})).await, widget.guest(json!({})).await);
    let mut user = Socket::connect(&second.url, &olga.token).await;
    let mut visitor = Socket::connect(&second.url, &guest.token).await;
    let mut stays = Socket::connect(&second.url, &other.token).await;
    world.admin.done("revokeTokens", "", json!({ "actorId": olga.id })).await;
    guest.done("signOut", "", json!({})).await;
    assert_eq!(user.try_receive().await, Err(4403));
    assert_eq!(visitor.try_receive().await, Err(4403));
    stays.subscribe("1", ROLE, json!({}), None).await;
    assert_eq!(stays.data().await["viewer"]["role"], "VISITOR");
    second.stop().await;
    world.app.stop().await;
}
