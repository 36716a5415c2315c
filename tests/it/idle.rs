//! Idle chats end automatically if their room says so.

use crate::harness::Engine;
use crate::harness::socket::Socket;
use crate::harness::stored::{Stored, assert_unchanged};
use crate::harness::world::{Person, World, text};
use crate::on_both;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    idle_end_matches_end_chat,
    idle_chats_end_only_if_configured,
    open_or_planned_session_keeps_chat_open,
    subscribers_receive_idle_end,
);

/// A frozen world in which nothing is done by the clock but what a test asks for.
async fn still(engine: Engine) -> World {
    let world = World::frozen_with(engine, |config| config.tick = Duration::from_hours(1)).await;
    let input = json!({ "roomId": world.room, "endAfterIdleMinutes": 10 });
    world.admin.done("updateRoom", "", input).await;
    world
}

/// How many chats the server ends now.
async fn ended(world: &World) -> usize {
    world.app.app.actions().end_idle_chats().await.unwrap()
}

async fn seen(by: &Person, chat: &str, fields: &str) -> Value {
    let query = format!("query($id: ID!) {{ chat(id: $id) {{ {fields} }} }}");
    by.query(&query, json!({ "id": chat })).await["chat"].clone()
}

async fn idle_end_matches_end_chat(engine: Engine) {
    let world = still(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chat = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let session = olga
        .done("createChatSession", "chatSession { id }", json!({ "in": { "chat": { "id": chat } } }))
        .await;
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "Hello" })).await;
    world.pass(10 * 60);
    assert_eq!(ended(&world).await, 1);
    let fields =
        "endedAt isWaiting presentUserCount presences(includeEnded: true) { nodes { endReason } }
        chatSessions { nodes { id state outcome finishedBy { id } } } messages(types: [LEAVE, SESSION], last: 2) {
        nodes { type sender { id } chatSessionState } }";
    let expected = json!({
        "endedAt": "2026-11-20T12:10:00.000Z", "isWaiting": false, "presentUserCount": 0,
        "presences": { "nodes": [{ "endReason": "CHAT_ENDED" }] },
        "chatSessions": { "nodes": [
            { "id": session["chatSession"]["id"], "state": "FINISHED", "outcome": "CANCELLED", "finishedBy": null }
        ] },
        "messages": { "nodes": [
            { "type": "LEAVE", "sender": { "id": olga.id }, "chatSessionState": null },
            { "type": "SESSION", "sender": null, "chatSessionState": "FINISHED" }
        ] }
    });
    assert_eq!(seen(&olga, &chat, fields).await, expected);
    assert_eq!(vera.refused("sendMessage", json!({ "chatId": chat, "text": "x" })).await, ["CHAT_ENDED"]);
    assert_eq!(ended(&world).await, 0);
    world.app.stop().await;
}

async fn idle_chats_end_only_if_configured(engine: Engine) {
    let world = still(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let other = world.admin.done("createRoom", "room { id }", json!({ "name": "Billing" })).await;
    vera.done("startChat", "", json!({ "roomId": other["room"]["id"] })).await;
    olga.done("createGroupChat", "", json!({ "participantIds": [vera.id] })).await;
    let chat = world.chat(&vera).await;
    let stored = Stored::of(&world.app).await;
    world.app.clock.advance(Duration::from_millis(10 * 60_000 - 1));
    let before = stored.tables().await;
    assert_eq!(ended(&world).await, 0, "a millisecond too early");
    assert_unchanged(&before, &stored.tables().await, "nothing is idle");
    // Whatever happens in it counts, even what counts for nothing else.
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    world.pass(9 * 60);
    olga.done("leaveChat", "", json!({ "chatId": chat })).await;
    world.pass(9 * 60);
    assert_eq!(ended(&world).await, 0);
    world.pass(60);
    assert_eq!(ended(&world).await, 1, "one chat, in the one room");
    let open = "{ organization { chats(filter: { isEnded: false }) { totalCount } } }";
    assert_eq!(world.admin.query(open, json!({})).await["organization"]["chats"]["totalCount"], 2);
    // And 0 is never.
    world.chat(&vera).await;
    world.admin.done("updateRoom", "", json!({ "roomId": world.room, "endAfterIdleMinutes": 0 })).await;
    world.pass(86_400);
    assert_eq!(ended(&world).await, 0);
    world.app.stop().await;
}

async fn open_or_planned_session_keeps_chat_open(engine: Engine) {
    let world = still(engine).await;
    let (vera, olga) = (world.visitor("vera").await, world.operator("Olga").await);
    let chat = world.chat(&vera).await;
    let input = json!({ "in": { "chat": { "id": chat, "participantIds": [vera.id] } }, "start": true });
    let running = olga.done("createChatSession", "chatSession { id }", input).await;
    let running = json!({ "chatSessionId": running["chatSession"]["id"] });
    vera.done("acceptChatSession", "", running.clone()).await;
    let planned = world.chat(&vera).await;
    let input = json!({ "in": { "chat": { "id": planned } }, "scheduledAt": "2026-11-20T13:00:00Z" });
    olga.done("createChatSession", "", input).await;
    // An hour of talk, and not a word is written: nothing ends.
    world.pass(3_600);
    assert_eq!(ended(&world).await, 0);
    // The one that was to begin now is waited for; the one that ended counts from its end.
    olga.done("finishChatSession", "", running).await;
    world.pass(9 * 60);
    assert_eq!(ended(&world).await, 0);
    world.pass(60);
    assert_eq!(ended(&world).await, 2);
    for chat in [&chat, &planned] {
        assert!(seen(&olga, chat, "endedAt").await["endedAt"].is_string());
    }
    world.app.stop().await;
}

async fn subscribers_receive_idle_end(engine: Engine) {
    let world = still(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    let mut socket = Socket::connect(&world.app.url, &vera.token).await;
    let query =
        "subscription($id: ID!) { chatEvents(chatId: $id) { change { __typename } chat { endedAt } } }";
    socket.subscribe("s", query, json!({ "id": chat }), None).await;
    assert!(socket.receive().await.to_string().contains("ChatResetEvent"));
    world.pass(10 * 60);
    assert_eq!(ended(&world).await, 1);
    let told = socket.receive().await.to_string();
    assert!(told.contains("ChatChangedEvent") && told.contains("2026-11-20T12:10:00.000Z"), "{told}");
    assert_eq!(text(&seen(&vera, &chat, "endedAt").await["endedAt"]), "2026-11-20T12:10:00.000Z");
    world.app.stop().await;
}
