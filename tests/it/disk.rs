//! The embedded database on a disk that fails: nothing that was acknowledged is lost, nothing is shown that is not
//! stored, and writes resume by themselves.

mod ledger;
mod restore;
mod shim;
mod stage;

use self::shim::{Disk, Fault};
use self::stage::{Stage, Tmpfs};
use std::sync::Arc;
use std::time::Duration;

/// The exit status after a flush failed, as `docs/operations.md` says.
const FLUSH_FAILED: i32 = 74;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_resume_after_full_disk() {
    let disk = Tmpfs::mount(24);
    let mut stage = Stage::start(disk.path(), |_| {}).await;
    stage.send(20).await;
    disk.fill();
    while stage.send(1).await == 1 {}
    assert_eq!(stage.send(30).await, 0, "no write is taken on a full disk");
    stage.becomes_ready(false).await;
    assert!(stage.read().await.len() >= 20, "reads go on");
    disk.empty();
    stage.becomes_ready(true).await;
    assert_eq!(stage.send(100).await, 100);
    stage.restarts_soundly().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_writes_lose_nothing_that_was_acknowledged() {
    for fault in [Fault::WritesFail, Fault::Full] {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = Arc::new(Disk::build(folder.path()));
        let preloaded = Arc::clone(&disk);
        let data = folder.path().join("data");
        let mut stage = Stage::start(&data, move |command| preloaded.preload(command)).await;
        for _ in 0..3 {
            // Several at once, so that batches have several members when the disk fails.
            stage.send_at_once(24).await;
            disk.set(fault);
            let mut refused = 0;
            while refused < 40 {
                refused += 16 - stage.send_at_once(16).await;
            }
            stage.becomes_ready(false).await;
            disk.set(Fault::Sound);
            stage.becomes_ready(true).await;
            assert_eq!(stage.send_at_once(16).await, 16, "{fault:?}");
        }
        stage.restarts_soundly().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_flush_ends_the_server_and_a_restart_finds_what_was_acknowledged() {
    for fault in [Fault::FlushesFail, Fault::FlushesOfDatabaseFail] {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = Arc::new(Disk::build(folder.path()));
        let preloaded = Arc::clone(&disk);
        let data = folder.path().join("data");
        let mut stage = Stage::start(&data, move |command| preloaded.preload(command)).await;
        stage.send_at_once(16).await;
        disk.set(fault);
        // A flush of the database file itself happens in a checkpoint, which is due after some hundreds.
        let status = loop {
            stage.send_at_once(16).await;
            if let Some(status) = stage.exited().await {
                break status;
            }
        };
        assert_eq!(status.code(), Some(FLUSH_FAILED), "{fault:?}");
        let log = stage.log_with("fsync").await;
        let lines: Vec<_> = log.lines().filter(|line| line.contains("fsync")).collect();
        assert!(lines.len() == 1 && lines[0].contains("ERROR"), "{log}");
        disk.set(Fault::Sound);
        stage.start_again().await;
        assert_eq!(stage.send_at_once(16).await, 16);
        stage.restarts_soundly().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_is_503_for_a_while_before_the_port_closes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut stage = Stage::start(&folder.path().join("data"), |command| {
        command.env("ANTEROOM_DRAIN", "12");
    })
    .await;
    stage.send(3).await;
    stage.signal("TERM");
    stage.becomes_ready(false).await;
    // It still accepts and serves, over new connections too.
    assert_eq!(stage.send(5).await, 5);
    let health = reqwest::get(format!("{}/healthz", stage.url())).await.expect("an answer");
    assert_eq!(health.status(), 200);
    let status = tokio::time::timeout(Duration::from_mins(2), async {
        loop {
            if let Some(status) = stage.exited().await {
                return status;
            }
        }
    });
    assert!(status.await.expect("it stops").success());
    assert!(!folder.path().join("data/anteroom.db-wal").exists(), "everything is in the database file");
    assert_eq!(stage.restarted_read().await.len(), 8);
}
