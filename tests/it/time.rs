//! Time: clocks that jump, clocks that differ between nodes, and one timestamp for everything that one call
//! does.

use crate::harness::hooks::millis;
use crate::harness::stored::Stored;
use crate::harness::world::{Person, World, text};
use crate::harness::{Engine, TestApp};
use crate::on_both;
use anteroom::clock::{Clock, Wall};
use chrono::Utc;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_both!(
    session_rings_as_long_as_it_should_when_the_clock_is_set_back,
    brief_clock_jump_is_ignored,
    chat_dated_into_the_future_goes_on_in_order,
    all_writes_of_a_call_share_a_timestamp,
    impossible_deadlines_are_shortened,
);

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// How far dates may be off on a machine that is busy.
const MINUTE: i64 = 60_000;

async fn world_with(engine: Engine, wall: &Wall) -> World {
    World::on(TestApp::start_with(engine, Clock::on(wall.clone()), |_| {}).await).await
}

fn is_now(moment: &Value) -> bool {
    (millis(moment) - Utc::now().timestamp_millis()).abs() < MINUTE
}

async fn session(client: &Person, id: &str) -> Value {
    let query = "query($id: ID!) { chatSession(id: $id) { state outcome ringsUntil } }";
    client.query(query, json!({ "id": id })).await["chatSession"].clone()
}

/// A session in the chat that rings for this number of seconds.
async fn ringing(by: &Person, chat: &str, called: &Person, seconds: i32) -> Value {
    let input = json!({
        "in": { "chat": { "id": chat, "participantIds": [called.id] } },
        "start": true, "ringSeconds": seconds
    });
    let selection = "chatSession { id createdAt startedAt ringsUntil } chat { updatedAt }";
    by.done("createChatSession", selection, input).await
}

async fn missed(by: &Person, id: &str) {
    let asked = Instant::now();
    while session(by, id).await["state"] != "FINISHED" {
        assert!(asked.elapsed() < Duration::from_mins(1), "it rings still");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn session_rings_as_long_as_it_should_when_the_clock_is_set_back(engine: Engine) {
    let wall = Wall::default();
    let world = world_with(engine, &wall).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let before = ringing(&vera, &chat, &olga, 5).await;
    wall.set_ahead(-HOUR);
    missed(&vera, &text(&before["chatSession"]["id"])).await;
    let after = ringing(&vera, &chat, &olga, 5).await;
    missed(&vera, &text(&after["chatSession"]["id"])).await;
    world.app.stop().await;
}

async fn brief_clock_jump_is_ignored(engine: Engine) {
    let wall = Wall::default();
    let world = world_with(engine, &wall).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    wall.set_ahead(DAY);
    // Time enough to notice it.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let input = json!({ "chatId": chat, "text": "Hello" });
    let sent = vera.done("sendMessage", "messageEdge { node { createdAt } }", input).await;
    assert!(is_now(&sent["messageEdge"]["node"]["createdAt"]), "{sent:#}");
    wall.set_ahead(0);
    let rings = ringing(&vera, &chat, &olga, 60).await;
    let session = &rings["chatSession"];
    assert!(is_now(&session["startedAt"]), "{rings:#}");
    assert!(millis(&session["ringsUntil"]) - millis(&session["startedAt"]) <= MINUTE, "{rings:#}");
    world.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fast_clock_does_not_expire_other_nodes_leases() {
    let world = World::new(Engine::Postgres).await;
    let ahead = Wall::default();
    ahead.set_ahead(90_000);
    let node = world.app.second_node_with(Clock::on(ahead)).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let rings = ringing(&vera, &chat, &olga, 60).await;
    // Many times as long as a node takes to look for what is due.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let id = text(&rings["chatSession"]["id"]);
    assert_eq!(session(&vera, &id).await["state"], "STARTED");
    let query = "query($id: ID!) { chat(id: $id) { presentUserCount } }";
    assert_eq!(vera.query(query, json!({ "id": chat })).await["chat"]["presentUserCount"], 1);
    // And what it writes has the same dates.
    let input = json!({ "chatId": chat, "text": "Hello" });
    let sent =
        World::at(&vera, &node.url).done("sendMessage", "messageEdge { node { createdAt } }", input).await;
    assert!(is_now(&sent["messageEdge"]["node"]["createdAt"]), "{sent:#}");
    node.stop().await;
    world.app.stop().await;
}

/// A chat that an older version wrote to while its clock was a day ahead.
async fn chat_dated_into_the_future_goes_on_in_order(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    let stored = Stored::of(&world.app).await;
    let sql = format!("UPDATE chat SET logged_at = logged_at + {DAY}, updated_at = updated_at + {DAY}");
    stored.0.execute_unprepared(&sql).await.expect("updated");
    let mut last = 0;
    for number in 0..5 {
        let input = json!({ "chatId": chat, "text": number.to_string() });
        let sent = vera.done("sendMessage", "messageEdge { node { createdAt } }", input).await;
        let at = millis(&sent["messageEdge"]["node"]["createdAt"]);
        assert!(at > last, "createdAt does not change");
        last = at;
    }
    assert!(last < Utc::now().timestamp_millis() + DAY + MINUTE);
    // Deadlines still follow the clock.
    let rings = ringing(&vera, &chat, &olga, 5).await;
    assert!(
        millis(&rings["chatSession"]["ringsUntil"]) < Utc::now().timestamp_millis() + MINUTE,
        "{rings:#}"
    );
    missed(&vera, &text(&rings["chatSession"]["id"])).await;
    olga.done("joinChat", "presence { expiresAt }", json!({ "chatId": chat })).await;
    world.app.stop().await;
}

async fn all_writes_of_a_call_share_a_timestamp(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    for round in 0..20 {
        let input = json!({ "roomId": world.room });
        let payload = vera.done("startChat", "chat { id startedAt updatedAt }", input).await;
        let started = &payload["chat"];
        assert_eq!(started["startedAt"], started["updatedAt"], "round {round}");
        let input = json!({ "chatId": started["id"], "text": "Hello" });
        let selection = "chat { waitingSince updatedAt } messageEdge { node { createdAt } }";
        let sent = vera.done("sendMessage", selection, input).await;
        let at = &sent["messageEdge"]["node"]["createdAt"];
        assert_eq!((&sent["chat"]["waitingSince"], &sent["chat"]["updatedAt"]), (at, at), "round {round}");
        let rings = ringing(&olga, &text(&started["id"]), &vera, 60).await;
        let session = &rings["chatSession"];
        assert_eq!(session["createdAt"], session["startedAt"], "round {round}");
        assert_eq!(session["startedAt"], rings["chat"]["updatedAt"], "round {round}");
        assert_eq!(millis(&session["ringsUntil"]) - millis(&session["startedAt"]), MINUTE, "round {round}");
    }
    world.app.stop().await;
}

async fn impossible_deadlines_are_shortened(engine: Engine) {
    let world = World::new(engine).await;
    let (olga, vera) = (world.operator("Olga").await, world.visitor("vera").await);
    let chat = world.chat(&vera).await;
    olga.done("joinChat", "", json!({ "chatId": chat })).await;
    let rings = ringing(&vera, &chat, &olga, 60).await;
    // As a clock that was an hour ahead has left them.
    let stored = Stored::of(&world.app).await;
    let sql = format!(
        "UPDATE chat_session SET rings_until = rings_until + {HOUR}; UPDATE presence SET expires_at = expires_at + {HOUR}"
    );
    stored.0.execute_unprepared(&sql).await.expect("updated");
    let app = &world.app;
    app.app.actions().pull_in_what_is_due().await.expect("pulled in");
    let seen = session(&vera, &text(&rings["chatSession"]["id"])).await;
    assert!(millis(&seen["ringsUntil"]) < Utc::now().timestamp_millis() + 4 * MINUTE, "{seen:#}");
    let query = "query($id: ID!) { chat(id: $id) { presences { nodes { expiresAt } } } }";
    let seen = vera.query(query, json!({ "id": chat })).await["chat"]["presences"]["nodes"].clone();
    assert!(millis(&seen[0]["expiresAt"]) < Utc::now().timestamp_millis() + 3 * MINUTE, "{seen:#}");
    world.app.stop().await;
}
