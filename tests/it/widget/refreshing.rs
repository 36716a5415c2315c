//! Refresh tokens: valid once, tolerant of two tabs, closed to thieves; and sockets that stay open.

use crate::harness::Engine;
use crate::harness::client::{Client, error_code, mutation};
use crate::harness::socket::Socket;
use crate::harness::stored::Stored;
use crate::harness::widget::Widget;
use crate::harness::world::{TOKEN_SECONDS, World, text};
use crate::on_both;
use serde_json::json;
use std::time::Duration;

on_both!(
    late_token_reuse_revokes_sign_in,
    two_tabs_share_a_token_for_a_minute,
    concurrent_renewals_of_tabs_all_succeed,
    a_refresh_token_lives_thirty_days_and_is_then_forgotten,
    refresh_token_requires_its_owner,
    a_token_without_a_sign_in_renews_itself_for_thirty_days,
    a_renewal_keeps_the_socket_open,
);

const DAY: u64 = 86_400;

async fn frozen(engine: Engine) -> (World, Widget) {
    let world = World::frozen(engine).await;
    let widget = Widget::of(&world.admin, &world.room).await;
    (world, widget)
}

async fn is_taken(widget: &Widget, refresh_token: &str) -> bool {
    widget.client.refused("signInVisitor", json!({ "refreshToken": refresh_token })).await.is_empty()
}

async fn is_accepted(client: &Client) -> bool {
    client.ask("{ viewer { id } }", json!({})).await.get("errors").is_none()
}

async fn late_token_reuse_revokes_sign_in(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let first = widget.guest(json!({})).await;
    let second = widget.guest(json!({ "refreshToken": first.refresh_token })).await;
    let other = widget.guest(json!({})).await;
    let mut socket = Socket::connect(&world.app.url, &second.token).await;
    world.pass(61);
    assert!(is_accepted(&second).await);
    // Somebody has had a copy: nobody can tell who.
    assert!(!is_taken(&widget, &first.refresh_token).await);
    assert!(!is_taken(&widget, &second.refresh_token).await);
    assert!(!is_accepted(&first).await && !is_accepted(&second).await);
    assert_eq!(socket.try_receive().await, Err(4403));
    assert!(is_accepted(&other).await && is_taken(&widget, &other.refresh_token).await);
    world.app.stop().await;
}

async fn two_tabs_share_a_token_for_a_minute(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let first = widget.guest(json!({})).await;
    let left = widget.guest(json!({ "refreshToken": first.refresh_token })).await;
    world.pass(60);
    let right = widget.guest(json!({ "refreshToken": first.refresh_token })).await;
    assert_eq!((&left.person.id, &right.person.id), (&first.person.id, &first.person.id));
    world.pass(61);
    for tab in [&left, &right] {
        assert!(is_accepted(tab).await && is_taken(&widget, &tab.refresh_token).await);
    }
    world.app.stop().await;
}

async fn concurrent_renewals_of_tabs_all_succeed(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let first = widget.guest(json!({})).await;
    let tabs = (0..6).map(|_| widget.guest(json!({ "refreshToken": first.refresh_token })));
    for tab in futures_util::future::join_all(tabs).await {
        assert_eq!(tab.person.id, first.person.id);
        assert!(is_accepted(&tab).await);
    }
    world.app.stop().await;
}

async fn a_refresh_token_lives_thirty_days_and_is_then_forgotten(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let first = widget.guest(json!({})).await;
    world.pass(30 * DAY - 1);
    let second = widget.guest(json!({ "refreshToken": first.refresh_token })).await;
    assert_eq!(second.person.id, first.person.id);
    world.pass(30 * DAY);
    assert!(!is_taken(&widget, &second.refresh_token).await);
    let stored = Stored::of(&world.app).await;
    let rows = async || {
        let tables = stored.tables().await;
        (tables["sign_in"].len(), tables["refresh_token"].len())
    };
    assert_eq!(rows().await, (1, 2));
    world.pass(1);
    let young = widget.guest(json!({})).await;
    assert!(!world.app.app.actions().forget_sign_ins().await.expect("forgotten"));
    assert_eq!(rows().await, (1, 1));
    assert!(is_taken(&widget, &young.refresh_token).await);
    world.app.stop().await;
}

const RENEWED: &str = "token expiresAt refreshToken viewer { tokenExpiresAt visitor { id } }";

async fn refresh_token_requires_its_owner(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let (guest, other) = (widget.guest(json!({})).await, widget.guest(json!({})).await);
    for input in
        [json!({}), json!({ "refreshToken": other.refresh_token }), json!({ "refreshToken": "rt_x" })]
    {
        assert_eq!(guest.refused("renewToken", input.clone()).await, ["INVALID"], "{input}");
    }
    let with_theirs = world.admin.refused("renewToken", json!({ "refreshToken": guest.refresh_token })).await;
    assert_eq!(with_theirs, ["INVALID"]);
    world.pass(600);
    let renewed = guest.done("renewToken", RENEWED, json!({ "refreshToken": guest.refresh_token })).await;
    assert_eq!(renewed["expiresAt"], "2026-11-20T12:25:00.000Z");
    assert_eq!(renewed["viewer"]["tokenExpiresAt"], renewed["expiresAt"]);
    assert_eq!(renewed["viewer"]["visitor"]["id"], json!(guest.person.id));
    let new = Client::new(&world.app.url, &text(&renewed["token"]));
    world.pass(300);
    assert!(!is_accepted(&guest).await && is_accepted(&new).await);
    assert!(is_taken(&widget, &text(&renewed["refreshToken"])).await);
    world.app.stop().await;
}

async fn a_token_without_a_sign_in_renews_itself_for_thirty_days(engine: Engine) {
    let world = World::frozen(engine).await;
    let olga = world.operator("Olga").await;
    let issue = async |seconds: u64| {
        let input = json!({ "subject": { "actorId": olga.id }, "expiresInSeconds": seconds });
        let issued = world.admin.done("issueToken", "token", input).await;
        Client::new(&world.app.url, &text(&issued["token"]))
    };
    let renewed = async |client: &Client| {
        let payload = client.done("renewToken", "token expiresAt refreshToken", json!({})).await;
        assert_eq!(payload["refreshToken"], json!(null));
        (Client::new(&client.url, &text(&payload["token"])), text(&payload["expiresAt"]))
    };
    let mut client = issue(10 * DAY).await;
    let mut ends = Vec::new();
    for _ in 0..4 {
        world.pass(9 * DAY);
        if !is_accepted(&client).await {
            break;
        }
        let (next, end) = renewed(&client).await;
        client = next;
        ends.push(end[..10].to_owned());
    }
    // Ten days from each renewal, but not past the thirtieth day.
    assert_eq!(ends, ["2026-12-09", "2026-12-18", "2026-12-20"]);
    let year = u64::try_from(TOKEN_SECONDS).expect("a year");
    let long = issue(year).await;
    let before = long.query("{ viewer { tokenExpiresAt } }", json!({})).await;
    world.pass(DAY);
    assert_eq!(renewed(&long).await.1, text(&before["viewer"]["tokenExpiresAt"]));
    world.app.stop().await;
}

async fn a_renewal_keeps_the_socket_open(engine: Engine) {
    let (world, widget) = frozen(engine).await;
    let guest = widget.guest(json!({})).await;
    let chat = world.chat(&guest.person).await;
    let mut forgetful = Socket::connect(&world.app.url, &guest.token).await;
    let mut socket = Socket::connect(&world.app.url, &guest.token).await;
    let added = "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text } } }";
    socket.subscribe("m", added, json!({ "chat": chat }), None).await;
    world.pass(14 * 60);
    let input = json!({ "input": { "refreshToken": guest.refresh_token } });
    socket.subscribe("r", &mutation("renewToken", RENEWED), input, None).await;
    let renewed = socket.data().await["renewToken"].clone();
    assert_eq!(renewed["userErrors"], json!([]));
    assert_eq!(socket.receive().await, json!({ "type": "complete", "id": "r" }));
    // The first token ends, and with it the socket that did not hear of another.
    world.pass(61);
    assert_eq!(forgetful.try_receive().await, Err(4403));
    assert_eq!(error_code(&guest.ask("{ viewer { id } }", json!({})).await), "UNAUTHENTICATED");
    let new = Client::new(&world.app.url, &text(&renewed["token"]));
    new.done("sendMessage", "", json!({ "chatId": chat, "text": "Still there?" })).await;
    assert_eq!(socket.data().await["messageAdded"]["node"]["text"], "Still there?");
    socket.subscribe("v", "{ viewer { tokenExpiresAt } }", json!({}), None).await;
    assert_eq!(socket.data().await["viewer"]["tokenExpiresAt"], renewed["expiresAt"]);
    assert_eq!(socket.receive().await["type"], "complete");
    assert!(socket.is_quiet(Duration::from_millis(600)).await);
    world.pass(14 * 60);
    assert_eq!(socket.try_receive().await, Err(4403));
    world.app.stop().await;
}
