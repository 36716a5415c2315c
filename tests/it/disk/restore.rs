//! Stops, kills, copies and backups of an embedded database: what is taken for the same store, and what is refused.

use super::shim::{Disk, Fault};
use super::stage::Stage;
use crate::harness::binary::{Binary, command, init, init_with};
use crate::harness::client::Client;
use crate::harness::postgres;
use crate::harness::world::text;
use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

async fn stage() -> (TempDir, Stage) {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::start(&folder.path().join("data"), |_| {}).await;
    (folder, stage)
}

/// A backup of a running store.
async fn back_up(data: &Path, copy: &Path) {
    let url = format!("sqlite://{}", data.join("anteroom.db").display());
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await.expect("connected");
    database.execute_unprepared(&format!("VACUUM INTO '{}'", copy.display())).await.expect("copied");
    database.close().await.expect("closed");
}

/// Puts a backup in the place of the database, and leaves everything beside it.
fn put_back(copy: &Path, data: &Path) {
    std::fs::copy(copy, data.join("anteroom.db")).expect("copied");
}

fn remove_log(data: &Path) {
    for name in ["anteroom.db-wal", "anteroom.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cursors_survive_restarts() {
    let (_folder, mut stage) = stage().await;
    stage.send(5).await;
    let cursor = stage.cursor().await;
    for round in 0..3 {
        stage.send(2).await;
        if round == 1 {
            stage.stop();
        } else {
            stage.kill();
        }
        stage.start_again().await;
        assert!(stage.believes(&cursor).await, "round {round}");
        let log = stage.log_with("listening").await;
        assert_eq!(log.contains("checking the database"), round != 1, "after an unclean stop only: {log}");
    }
    stage.restarts_soundly().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_start_or_stop_leaves_cursors_valid() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Arc::new(Disk::build(folder.path()));
    let preloaded = Arc::clone(&disk);
    let mut stage =
        Stage::start(&folder.path().join("data"), move |command| preloaded.preload(command)).await;
    stage.send(5).await;
    let cursor = stage.cursor().await;
    stage.kill();
    disk.set(Fault::FlushesOfMarkerFail);
    let said = stage.refuses_to_start();
    assert!(said.contains("could not write"), "{said}");
    disk.set(Fault::Sound);
    stage.start_again().await;
    assert!(stage.believes(&cursor).await, "after a start that failed");
    disk.set(Fault::FlushesOfMarkerFail);
    stage.stop();
    disk.set(Fault::Sound);
    stage.start_again().await;
    assert!(stage.believes(&cursor).await, "after a stop that could not say that everything is stored");
    stage.restarts_soundly().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_file_alone_is_a_whole_copy_after_a_stop() {
    let (folder, mut stage) = stage().await;
    stage.send(12).await;
    let (cursor, stored) = (stage.cursor().await, stage.read().await);
    stage.stop();
    let cold = folder.path().join("cold");
    std::fs::create_dir(&cold).expect("a folder");
    for name in ["anteroom.db", "secret"] {
        std::fs::copy(stage.data().join(name), cold.join(name)).expect("copied");
    }
    stage.moves_to(&cold).await;
    assert_eq!(stage.read().await, stored);
    assert!(!stage.believes(&cursor).await, "events after the copy are unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_over_the_database_makes_old_cursors_expire() {
    for is_killed in [false, true] {
        let (folder, mut stage) = stage().await;
        let copy = folder.path().join("copy.db");
        stage.send(10).await;
        let stored = stage.read().await;
        back_up(stage.data(), &copy).await;
        stage.send(10).await;
        let cursor = stage.cursor().await;
        if is_killed {
            stage.kill();
        } else {
            stage.stop();
        }
        put_back(&copy, stage.data());
        remove_log(stage.data());
        stage.start_again().await;
        stage.log_with("cursors from before").await;
        assert_eq!(stage.read().await, stored);
        // Not even when the log has grown past it.
        assert!(!stage.believes(&cursor).await, "killed: {is_killed}");
        assert_eq!(stage.send(30).await, 30);
        assert!(!stage.believes(&cursor).await, "killed: {is_killed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_beside_a_log_of_another_state_is_refused() {
    for is_of_an_earlier_run in [false, true] {
        let (folder, mut stage) = stage().await;
        let copy = folder.path().join("copy.db");
        stage.send(10).await;
        let stored = stage.read().await;
        back_up(stage.data(), &copy).await;
        if is_of_an_earlier_run {
            stage.stop();
            stage.start_again().await;
        }
        stage.send(20).await;
        stage.kill();
        put_back(&copy, stage.data());
        let said = stage.refuses_to_start();
        assert!(said.contains("do not belong to") && said.contains("anteroom.db-wal"), "{said}");
        let again = stage.refuses_to_start();
        // Without the line before it, which has the time.
        let cause = |said: &str| said.split_once("Error:").map(|(_, cause)| cause.to_owned());
        assert_eq!(cause(&said), cause(&again), "nothing was changed");
        remove_log(stage.data());
        stage.start_again().await;
        assert_eq!(stage.read().await, stored);
        assert_eq!(stage.send(10).await, 10);
        stage.kill();
        assert_eq!(stage.restarted_read().await.len(), stored.len() + 10);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_is_refused() {
    let (_folder, mut stage) = stage().await;
    stage.send(40).await;
    stage.stop();
    let path = stage.data().join("anteroom.db");
    let sound = std::fs::read(&path).expect("the database");
    std::fs::write(&path, b"no database at all, but long enough to be one: ".repeat(100)).expect("written");
    let said = stage.refuses_to_start();
    assert!(said.contains("is damaged, or not a database"), "{said}");
    std::fs::write(&path, &sound).expect("written");
    stage.start_again().await;
    stage.send(2).await;
    stage.kill();
    let mut damaged = std::fs::read(&path).expect("the database");
    for page in 4..60.min(damaged.len() / 4_096) {
        damaged[page * 4_096..page * 4_096 + 200].fill(0x5a);
    }
    std::fs::write(&path, &damaged).expect("written");
    let said = stage.refuses_to_start();
    assert!(said.contains("is damaged: restore it from a backup"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_is_counted_and_old_cursors_expire() {
    let (_folder, mut stage) = stage().await;
    stage.send(20).await;
    let cursor = stage.cursor().await;
    stage.kill();
    let path = stage.data().join("anteroom.db-wal");
    let mut log = std::fs::read(&path).expect("the log");
    let frame = 4_096 + 24;
    let frames = (log.len() - 32) / frame;
    // In one of the last messages, so that the chat is still there.
    let valid = frames - 25;
    log[32 + valid * frame + 1_000] ^= 0xff;
    std::fs::write(&path, &log).expect("written");
    stage.start_again().await;
    let said = stage.log_with("do not add up").await;
    assert!(
        said.contains(&format!("present={frames}")) && said.contains(&format!("valid={valid} ")),
        "{said}"
    );
    assert!(!stage.believes(&cursor).await);
    assert_eq!(stage.send(10).await, 10);
    stage.kill();
    assert!(stage.restarted_read().await.len() >= 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_its_secret_starts_only_with_a_new_one_that_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, database) in [("sqlite", None), ("postgres", Some(postgres::new_database()))] {
        let data = folder.path().join(name);
        let with_database = |command: &mut std::process::Command| {
            if let Some(database) = &database {
                command.env("ANTEROOM_DATABASE", database);
            }
        };
        let old = text(&init_with(&data, with_database)["token"]);
        std::fs::remove_file(data.join("secret")).expect("removed");
        let mut start = command(&data);
        with_database(&mut start);
        let output = start.args(["--no-demo", "--listen", "127.0.0.1:0"]).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("secret is missing"), "{said}");
        assert!(said.contains("--new-secret") && said.contains("ANTEROOM_SECRET"), "{said}");
        assert!(!data.join("secret").exists());

        let given = "x".repeat(40);
        let server = Binary::start_with(&data, 0, |command| {
            with_database(command);
            command.env("ANTEROOM_SECRET", &given);
        });
        assert!(!is_accepted(&server, &old).await);
        assert!(server.terminate().success());
        assert!(!data.join("secret").exists());

        let server = Binary::start_with(&data, 0, |command| {
            with_database(command);
            command.arg("--new-secret");
        });
        assert!(!is_accepted(&server, &old).await);
        assert!(server.terminate().success());
        assert!(data.join("secret").exists());
        let server = Binary::start_with(&data, 0, with_database);
        assert!(server.terminate().success());
    }
}

async fn is_accepted(server: &Binary, token: &str) -> bool {
    let answer = Client::new(&server.url, token).ask("{ viewer { role } }", json!({})).await;
    answer["data"]["viewer"]["role"] == "ADMIN"
}

#[test]
fn new_data_folder_gets_a_secret_without_a_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    init(folder.path());
    assert!(folder.path().join("secret").exists());
    assert!(!folder.path().join("anteroom.db-wal").exists());
}
