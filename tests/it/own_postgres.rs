//! PostgreSQL that stops, restarts, freezes and loses its sessions under a running server.

use crate::harness::postgres::Server;
use crate::harness::world::World;
use crate::harness::{Engine, TestApp};
use anteroom::clock::Clock;
use serde_json::json;
use std::time::{Duration, Instant};

/// An app on a database of its own server.
async fn world_on(server: &Server) -> World {
    let url = server.new_database();
    World::on(TestApp::start_with(Engine::Postgres, Clock::system(), |config| config.database = url).await)
        .await
}

/// Asks until the answer is not UNAVAILABLE.
async fn works_within(world: &World, bound: Duration) {
    let asked = Instant::now();
    loop {
        let answer = world.admin.ask("{ viewer { role } }", json!({})).await;
        if answer["data"]["viewer"]["role"] == "ADMIN" {
            return;
        }
        assert!(asked.elapsed() < bound, "{answer:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_works_again_after_postgres_restarts() {
    let mut server = Server::start();
    let world = world_on(&server).await;
    server.restart();
    works_within(&world, Duration::from_secs(20)).await;
    server.kill();
    server.start_again();
    works_within(&world, Duration::from_secs(20)).await;
    server.terminate_sessions();
    works_within(&world, Duration::from_secs(20)).await;
    world.app.stop().await;
}
