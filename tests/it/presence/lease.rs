//! A presence lasts as long as it is renewed.

use super::{entry, history, join, seen, send};
use crate::harness::Engine;
use crate::harness::socket::Socket;
use crate::harness::world::{World, text};
use crate::on_both;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    unrenewed_presence_expires_by_server_clock,
    keeping_a_presence_renews_it,
    sending_renews_the_senders_presence,
    an_open_stream_keeps_its_viewers_presence,
    subscribers_receive_presence_renewals,
    an_expired_presence_is_absent_before_the_server_has_looked,
    nothing_expires_in_the_first_minute_after_a_start,
);

const LEASE: &str = "presences(includeEnded: true) { nodes { expiresAt lastSeenAt endedAt endReason } }";

/// The only presence of the chat, also when it has ended.
async fn lease(world: &World, chat: &str) -> Value {
    let seen = seen(&world.admin, chat, LEASE).await;
    let nodes = seen["presences"]["nodes"].as_array().unwrap().clone();
    assert_eq!(nodes.len(), 1, "{nodes:#?}");
    nodes[0].clone()
}

/// A world whose server never looks at its clock by itself.
async fn without_ticks(engine: Engine) -> World {
    World::frozen_with(engine, |config| config.tick = Duration::from_hours(1)).await
}

async fn look_at_the_clock(world: &World) {
    world.app.app.actions().expire_presences().await.expect("looked at");
}

async fn unrenewed_presence_expires_by_server_clock(engine: Engine) {
    let world = World::frozen(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    join(&olga, &chat).await;
    world.pass(60);
    look_at_the_clock(&world).await;
    assert_eq!(lease(&world, &chat).await["endedAt"], json!(null));
    world.pass(1);
    for _ in 0..300 {
        if lease(&world, &chat).await["endedAt"].is_string() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let expired = lease(&world, &chat).await;
    assert_eq!((&expired["endReason"], &expired["expiresAt"]), (&json!("EXPIRED"), &json!(null)));
    assert_eq!(seen(&vera, &chat, "presentUserCount").await["presentUserCount"], 0);
    assert_eq!(history(&vera, &chat).await, [entry("JOIN", &olga.id), entry("LEAVE", &olga.id)]);
    assert_eq!(olga.refused("keepPresence", json!({ "chatId": chat })).await, ["NOT_PRESENT"]);
    world.app.stop().await;
}

async fn keeping_a_presence_renews_it(engine: Engine) {
    let world = without_ticks(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    join(&olga, &chat).await;
    for minute in 1..=3 {
        world.pass(60);
        let kept =
            olga.done("keepPresence", "presence { lastSeenAt expiresAt }", json!({ "chatId": chat })).await;
        assert_eq!(kept["presence"]["lastSeenAt"], format!("2026-11-20T12:0{minute}:00.000Z"));
        assert_eq!(kept["presence"]["expiresAt"], format!("2026-11-20T12:0{}:00.000Z", minute + 1));
        look_at_the_clock(&world).await;
    }
    assert_eq!(lease(&world, &chat).await["endedAt"], json!(null));
    assert_eq!(odile.refused("keepPresence", json!({ "chatId": chat })).await, ["NOT_PRESENT"]);
    assert_eq!(history(&vera, &chat).await, [entry("JOIN", &olga.id)]);
    world.app.stop().await;
}

async fn sending_renews_the_senders_presence(engine: Engine) {
    let world = without_ticks(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    join(&olga, &chat).await;
    world.pass(50);
    send(&vera, &chat, "Hello").await;
    assert_eq!(lease(&world, &chat).await["expiresAt"], "2026-11-20T12:01:00.000Z");
    // A message that is sent for her does not renew her presence either.
    let input = json!({ "chatId": chat, "text": "From the archive", "senderId": olga.id });
    world.admin.done("sendMessage", "", input).await;
    assert_eq!(lease(&world, &chat).await["expiresAt"], "2026-11-20T12:01:00.000Z");
    send(&olga, &chat, "Good morning").await;
    assert_eq!(lease(&world, &chat).await["expiresAt"], "2026-11-20T12:01:50.000Z");
    assert_eq!(lease(&world, &chat).await["lastSeenAt"], "2026-11-20T12:00:50.000Z");
    world.app.stop().await;
}

async fn an_open_stream_keeps_its_viewers_presence(engine: Engine) {
    let world = without_ticks(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let streams =
        ["subscription($id: ID!) { chatEvents(chatId: $id) { at } }", "subscription { viewerEvents { at } }"];
    for stream in streams {
        let chat = world.chat(&vera).await;
        join(&olga, &chat).await;
        let before = lease(&world, &chat).await;
        world.pass(40);
        let mut socket = Socket::connect(&world.app.url, &olga.token).await;
        socket.subscribe("1", stream, json!({ "id": chat }), None).await;
        let is_renewed = async || lease(&world, &chat).await["lastSeenAt"] != before["lastSeenAt"];
        let mut waited = 0;
        while !is_renewed().await {
            assert!(waited < 300, "the presence was not renewed: {stream}");
            tokio::time::sleep(Duration::from_millis(50)).await;
            waited += 1;
        }
    }
    world.app.stop().await;
}

/// The new expiry of a presence, which `chatEvents` and `presenceChanged` both report.
async fn next_expiry(socket: &mut Socket) -> String {
    let (mut by_event, mut by_change) = (None, None);
    loop {
        let message = socket.receive().await;
        let data = &message["payload"]["data"];
        let event = &data["chatEvents"]["change"];
        if event["__typename"] == "PresenceChangedEvent" {
            assert_eq!(by_event.replace(text(&event["presence"]["expiresAt"])), None, "sent twice");
        } else if data["presenceChanged"].is_object() {
            assert_eq!(data["presenceChanged"]["action"], "CHANGED");
            let end = text(&data["presenceChanged"]["presence"]["expiresAt"]);
            assert_eq!(by_change.replace(end), None, "sent twice");
        }
        if let (Some(event), Some(change)) = (&by_event, &by_change) {
            assert_eq!(event, change);
            return event.clone();
        }
    }
}

async fn subscribers_receive_presence_renewals(engine: Engine) {
    let world = without_ticks(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    join(&olga, &chat).await;
    let mut socket = Socket::connect(&world.app.url, &vera.token).await;
    let events = "subscription($id: ID!) { chatEvents(chatId: $id) { change { __typename
        ... on PresenceChangedEvent { presence { expiresAt } } } } }";
    socket.subscribe("e", events, json!({ "id": chat }), None).await;
    assert_eq!(socket.data().await["chatEvents"]["change"]["__typename"], "ChatResetEvent");
    let changes = "subscription($id: ID!) { presenceChanged(chatId: $id) { action presence { expiresAt } } }";
    socket.subscribe("p", changes, json!({ "id": chat }), None).await;
    socket.wait_until_subscribed().await;
    let here = json!({ "chatId": chat });
    // The presence lasts 60 s: 15 s have to pass since it was told last.
    world.pass(14);
    olga.done("keepPresence", "", here.clone()).await;
    world.pass(6);
    olga.done("keepPresence", "", here.clone()).await;
    assert_eq!(next_expiry(&mut socket).await, "2026-11-20T12:01:20.000Z");
    world.pass(10);
    olga.done("keepPresence", "", here.clone()).await;
    world.pass(5);
    olga.done("joinChat", "", here.clone()).await;
    assert_eq!(next_expiry(&mut socket).await, "2026-11-20T12:01:35.000Z");
    world.pass(15);
    send(&olga, &chat, "Good morning").await;
    assert_eq!(next_expiry(&mut socket).await, "2026-11-20T12:01:50.000Z");
    // Open streams renew it as well.
    let mut desk = Socket::connect(&world.app.url, &olga.token).await;
    world.pass(15);
    desk.subscribe("1", events, json!({ "id": chat }), None).await;
    assert_eq!(next_expiry(&mut socket).await, "2026-11-20T12:02:05.000Z");
    world.pass(15);
    desk.subscribe("2", "subscription { viewerEvents { at } }", json!({}), None).await;
    assert_eq!(next_expiry(&mut socket).await, "2026-11-20T12:02:20.000Z");
    assert_eq!(lease(&world, &chat).await["expiresAt"], "2026-11-20T12:02:20.000Z");
    world.pass(14);
    olga.done("keepPresence", "", here).await;
    assert!(socket.is_quiet(Duration::from_millis(300)).await);
    world.app.stop().await;
}

async fn an_expired_presence_is_absent_before_the_server_has_looked(engine: Engine) {
    let world = without_ticks(engine).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    join(&olga, &chat).await;
    world.pass(61);
    assert_eq!(olga.refused("keepPresence", json!({ "chatId": chat })).await, ["NOT_PRESENT"]);
    // Her sending does not bring it back: she would be present without having joined.
    send(&olga, &chat, "Sorry, I was away").await;
    assert_eq!(lease(&world, &chat).await["expiresAt"], "2026-11-20T12:01:00.000Z");
    // A user who joins finds the chat free, and the history in order.
    odile.done("joinChat", "", json!({ "chatId": chat, "exclusive": true })).await;
    let told = [
        entry("JOIN", &olga.id),
        entry("MESSAGE", &olga.id),
        entry("LEAVE", &olga.id),
        entry("JOIN", &odile.id),
    ];
    assert_eq!(history(&vera, &chat).await, told);
    assert_eq!(seen(&vera, &chat, "presentUserCount").await["presentUserCount"], 1);
    // Her own return is a join of its own.
    join(&olga, &chat).await;
    assert_eq!(seen(&vera, &chat, "presentUserCount").await["presentUserCount"], 2);
    world.app.stop().await;
}

async fn nothing_expires_in_the_first_minute_after_a_start(engine: Engine) {
    let mut world = World::frozen_with(engine, |config| config.grace = Duration::from_mins(1)).await;
    let (olga, odile) = (world.operator("Olga").await, world.operator("Odile").await);
    let chat = world.chat(&world.visitor("vera").await).await;
    join(&olga, &chat).await;
    // While the server stood still nobody could be heard from.
    let clock = world.app.clock.clone();
    world.app = world.app.restarted_after(|| clock.advance(Duration::from_mins(5))).await;
    world.admin = World::at(&world.admin, &world.app.url);
    let [olga, odile] = [&olga, &odile].map(|person| World::at(person, &world.app.url));
    look_at_the_clock(&world).await;
    assert_eq!(odile.refused("joinChat", json!({ "chatId": chat, "exclusive": true })).await, ["CHAT_TAKEN"]);
    let kept = olga.done("keepPresence", "presence { expiresAt }", json!({ "chatId": chat })).await;
    assert_eq!(kept["presence"]["expiresAt"], "2026-11-20T12:06:00.000Z");
    // From then on it is as always.
    world.pass(61);
    look_at_the_clock(&world).await;
    assert_eq!(lease(&world, &chat).await["endReason"], "EXPIRED");
    world.app.stop().await;
}
