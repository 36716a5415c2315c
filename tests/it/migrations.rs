//! Migrations at start: an older store gets those that it lacks, and a store of another version is refused.

use crate::harness::stored::Stored;
use crate::harness::world::World;
use crate::harness::{Engine, TestApp};
use crate::on_both;
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use serde_json::json;

on_both!(store_gets_the_migrations_that_it_lacks, store_of_a_newer_server_is_refused);

async fn run(app: &TestApp, statements: &[&str]) {
    let stored = Stored::of(app).await;
    for statement in statements {
        stored.0.execute_unprepared(statement).await.expect(statement);
    }
}

/// The names of all tables and indexes.
async fn schema(app: &TestApp) -> Vec<String> {
    let stored = Stored::of(app).await;
    let backend = stored.0.get_database_backend();
    let sql = if backend == DatabaseBackend::Postgres {
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    } else {
        "SELECT name FROM sqlite_master ORDER BY 1"
    };
    let rows = stored.0.query_all_raw(Statement::from_string(backend, sql)).await.expect("rows");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a name")).collect()
}

async fn store_gets_the_migrations_that_it_lacks(engine: Engine) {
    let world = World::new(engine).await;
    let vera = world.visitor("vera").await;
    let chat = world.chat(&vera).await;
    vera.done("sendMessage", "", json!({ "chatId": chat, "text": "still here" })).await;
    let before = schema(&world.app).await;
    run(
        &world.app,
        &[
            "DROP TABLE room_departure",
            "DROP TABLE room_member",
            "DROP INDEX room_with_members",
            "ALTER TABLE room DROP COLUMN access",
            "ALTER TABLE actor DROP COLUMN access_changed_at",
            "DELETE FROM seaql_migrations WHERE version = 'm20261128_000009_room_members'",
        ],
    )
    .await;
    assert_ne!(schema(&world.app).await, before);

    let World { app, admin, room } = world;
    let app = app.restarted_after(|| {}).await;
    assert_eq!(schema(&app).await, before);
    let world = World { admin: World::at(&admin, &app.url), app, room };
    let document = "query($chat: ID!) { chat(id: $chat) { lastMessage { text } } }";
    let found = world.admin.query(document, json!({ "chat": chat })).await;
    assert_eq!(found["chat"]["lastMessage"]["text"], "still here");
    let olga = world.operator("Olga").await;
    let input = json!({ "roomId": world.room, "userIds": [olga.id] });
    world.admin.done("addRoomMembers", "", input).await;
    world.app.stop().await;
}

async fn store_of_a_newer_server_is_refused(engine: Engine) {
    let app = TestApp::start(engine).await;
    run(&app, &["INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_newer', 0)"])
        .await;
    let error = app.refused_restart().await;
    assert!(error.contains("m20990101_000001_newer"), "{error}");
    assert!(error.contains("run that version or a newer one"), "{error}");
}
