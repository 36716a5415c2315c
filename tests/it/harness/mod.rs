//! The test harness: an app on a new store, people, and a client for each transport.

pub mod binary;
pub mod bucket;
pub mod calls;
pub mod client;
pub mod event_stream;
pub mod files;
pub mod hooks;
pub mod nats;
pub mod postgres;
pub mod raw;
pub mod receiver;
pub mod scene;
pub mod sdl;
pub mod seed;
pub mod socket;
pub mod stored;
pub mod widget;
pub mod world;

use anteroom::app::App;
use anteroom::clock::Clock;
use anteroom::config::{Config, Settings};
use anteroom::delivery::Resolver;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The database that a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Runs a test on both databases: `mod name { sqlite, postgres }`.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::harness::Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::harness::Engine::Postgres).await;
            }
        }
    )+};
}

/// A running app with its store. A test fails if it drops the app without stopping it, or if work is unfinished when
/// it stops.
pub struct TestApp {
    pub app: App,
    pub url: String,
    pub config: Config,
    pub clock: Clock,
    folder: TempDir,
    running: Running,
}

/// Fails the test when it is dropped before [`Running::stop`].
struct Running {
    is_stopped: bool,
}

impl Running {
    fn start() -> Self {
        Self { is_stopped: false }
    }

    async fn stop(mut self, app: App) {
        self.is_stopped = true;
        assert!(app.stop().await, "the app stopped before all work had ended");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let is_undone = !self.is_stopped && !std::thread::panicking();
        assert!(!is_undone, "the app was dropped while it ran: stop it, so that work left undone shows");
    }
}

impl TestApp {
    /// Starts an app on a new store with the system clock.
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, Clock::system(), |_| {}).await
    }

    /// Starts an app without background work: no session is missed and no presence expires, however long a test takes.
    pub async fn quiet(engine: Engine) -> Self {
        Self::start_with(engine, Clock::system(), |config| config.tick = Duration::from_hours(1)).await
    }

    /// Starts an app on a new store, with changed settings.
    pub async fn start_with(engine: Engine, clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        log_errors();
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings {
            listen: Some("127.0.0.1:0".parse().expect("an address")),
            data: Some(folder.path().to_owned()),
            database: match engine {
                Engine::Sqlite => None,
                Engine::Postgres => Some(postgres::new_database()),
            },
            ..Settings::default()
        };
        let mut config = settings.resolve().expect("valid settings");
        config.tick = Duration::from_millis(50);
        config.grace = Duration::ZERO;
        config.drain = Duration::ZERO;
        config.database_connections = 12;
        config.webhooks.tick = Duration::from_millis(50);
        // No test resolves names over the network.
        config.webhooks.resolver = Resolver::Function(Arc::new(|_| Vec::new()));
        config.rate_limit = 0;
        change(&mut config);
        let app = App::start(config.clone(), clock.clone()).await.expect("an app");
        let url = format!("http://{}", app.address());
        Self { app, url, config, clock, folder, running: Running::start() }
    }

    /// Starts another node: a second app on the same database. PostgreSQL only.
    pub async fn second_node(&self) -> Self {
        self.second_node_with(self.clock.clone()).await
    }

    /// Starts another node with another clock.
    pub async fn second_node_with(&self, clock: Clock) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let secret = std::fs::read_to_string(self.folder.path().join("secret")).expect("the secret");
        std::fs::write(folder.path().join("secret"), secret).expect("written");
        let mut config = self.config.clone();
        config.data = folder.path().to_owned();
        config.files = folder.path().join("files").to_string_lossy().into_owned();
        let app = App::start(config.clone(), clock.clone()).await.expect("a second app");
        let url = format!("http://{}", app.address());
        Self { app, url, config, clock, folder, running: Running::start() }
    }

    /// Stops the app, runs `meanwhile`, and starts the app again on the same store at another address.
    pub async fn restarted_after(self, meanwhile: impl FnOnce()) -> Self {
        let Self { app, config, clock, folder, running, url: _ } = self;
        running.stop(app).await;
        meanwhile();
        let app = App::start(config.clone(), clock.clone()).await.expect("the app again");
        let url = format!("http://{}", app.address());
        Self { app, url, config, clock, folder, running: Running::start() }
    }

    /// Stops the app, and returns the error with which it fails to start again on the same store.
    pub async fn refused_restart(self) -> String {
        let Self { app, config, clock, folder: _folder, running, url: _ } = self;
        running.stop(app).await;
        let error = App::start(config, clock).await.err().expect("a refusal");
        format!("{error:#}")
    }

    /// Stops the app. Fails if work is unfinished.
    pub async fn stop(self) {
        let Self { app, running, .. } = self;
        running.stop(app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "the app was dropped while it ran")]
async fn app_that_is_dropped_while_it_runs_fails_the_test() {
    drop(TestApp::start(Engine::Sqlite).await);
}

/// Writes the app's log lines of level ERROR to standard error: they name the cause of an INTERNAL error, which clients
/// are not told.
fn log_errors() {
    let _ = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::ERROR)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Sends a signal, such as `-STOP`, to a process. Does nothing if the process has exited.
pub fn signal(process: u32, signal: &str) {
    let _ = Command::new("kill").args([signal, &process.to_string()]).output().expect("kill");
}
