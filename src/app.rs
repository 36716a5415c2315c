//! The whole server, started and stopped as one: store, live streams, actions, schema and HTTP server.

use crate::actions::{Actions, Lease, Quotas, Secret};
use crate::clock::Clock;
use crate::config::Config;
use crate::delivery::{self, Worker};
use crate::files::{self, Files};
use crate::http::{self, Front};
use crate::live::{Bus, Cursors, Live};
use crate::store::{Opened, Store, WebhookBodies, organizations};
use crate::{graphql, workers};
use anyhow::Context;
use chrono::TimeDelta;
use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

mod reserved;
mod secret;

pub use reserved::Reserved;

const MIB: u64 = 1024 * 1024;

/// How long a stream may take to start.
const START_WITHIN: Duration = Duration::from_secs(20);
/// How long running work may take when the server stops. Longer work is abandoned.
const STOP_WITHIN: Duration = Duration::from_secs(25);

/// The parts that the command line and the server share. The store is open and migrated.
pub struct Base {
    /// The actions.
    pub actions: Actions,
    /// The live streams.
    pub live: Live,
    tracker: TaskTracker,
    shutdown: CancellationToken,
    /// Locked while this process uses the database in the data folder.
    _lock: Option<Arc<File>>,
}

impl Base {
    /// Opens the store of the configuration.
    pub async fn open(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        make_folder(&config.data)?;
        if !config.files.starts_with("s3://") {
            make_folder(Path::new(&config.files))?;
        }
        let lock = lock(config)?;
        let kept = secret::kept(config)?;
        let database =
            Store::open(&config.database, config.database_connections, clock).await.with_context(|| {
                format!("could not open the database ({})", without_password(&config.database))
            })?;
        match Parts::of(config, &database, kept).await {
            Ok(parts) => Ok(Self::on(config, database, parts, lock)),
            Err(error) => {
                database.close().await;
                Err(error)
            }
        }
    }

    fn on(config: &Config, database: Opened, parts: Parts, lock: Option<Arc<File>>) -> Self {
        let Parts { secret, patients, bus, files, tracker, shutdown } = parts;
        let presence_ttl = TimeDelta::seconds(config.presence_ttl.into());
        let cursors = Cursors::new(database.epoch(), secret.bytes());
        let settings = crate::live::Settings {
            hub_capacity: config.hub_capacity,
            sweep: config.sweep,
            presence_ttl,
            connections: config.database_connections,
            start_within: config.stream_patience.min(START_WITHIN),
        };
        let encoding = cursors.clone();
        let database = database.with_webhook_bodies(WebhookBodies {
            patients,
            cursor_of: Box::new(move |chat_id, sequence| encoding.encode_chat(chat_id, sequence)),
        });
        let live = Live::new(database, cursors, bus, settings, tracker.clone(), shutdown.clone());
        let store = live.store().clone();
        let grace = TimeDelta::from_std(config.grace).unwrap_or(TimeDelta::MAX);
        let lease = Lease { lasts: presence_ttl, none_ends_before: store.clock().now().plus(grace) };
        let allowed = config.webhooks.allowed.clone();
        let files = (files, quotas(config));
        let actions = Actions::new(store, live.clone(), secret, lease, allowed, files, tracker.clone());
        Self { actions, live, tracker, shutdown, _lock: lock }
    }

    /// Stops background work, waits up to 25 s for it, and closes the store. Returns whether everything
    /// ended.
    pub async fn close(self) -> bool {
        self.shutdown.cancel();
        self.tracker.close();
        let has_ended = tokio::time::timeout(STOP_WITHIN, self.tracker.wait()).await.is_ok();
        if !has_ended {
            tracing::warn!("stopped before everything had ended");
        }
        self.actions.store().close().await;
        has_ended
    }
}

/// The parts of a base whose construction can fail.
struct Parts {
    secret: Secret,
    patients: Url,
    bus: Bus,
    files: Files,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Parts {
    async fn of(config: &Config, database: &Opened, kept: Option<Secret>) -> anyhow::Result<Self> {
        let secret = match kept {
            Some(secret) => secret,
            None => secret::make(config, organizations::is_any(database).await?)?,
        };
        let (tracker, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let bus = Bus::connect(config.bus.as_deref()).await.context("--bus")?;
        let patients = config.patients()?;
        let files = Files::open(file_settings(config), secret.bytes(), shutdown.clone())
            .with_context(|| format!("--files: could not use {}", config.files))?;
        Ok(Self { secret, patients, bus, files, tracker, shutdown })
    }
}

/// A running server.
pub struct App {
    base: Base,
    drain: Duration,
    listening: Listening,
}

/// The HTTP server while it is listening.
struct Listening {
    address: SocketAddr,
    draining: CancellationToken,
    front_stop: CancellationToken,
    front: JoinHandle<()>,
}

impl App {
    /// Opens the store and starts listening.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let (reserved, config) = Reserved::bind(config)?;
        let base = Base::open(&config, clock).await?;
        Self::serve(base, reserved, &config).await
    }

    /// Starts listening on an open store. Closes the store if that fails.
    pub async fn serve(base: Base, reserved: Reserved, config: &Config) -> anyhow::Result<Self> {
        match Self::listen(&base, reserved, config).await {
            Ok(listening) => Ok(Self { base, drain: config.drain, listening }),
            Err(error) => {
                base.close().await;
                Err(error)
            }
        }
    }

    async fn listen(base: &Base, reserved: Reserved, config: &Config) -> anyhow::Result<Listening> {
        let (listener, address) = reserved.listen()?;
        let worker = workers::run(base.actions.clone(), config.tick, base.shutdown.clone());
        base.tracker.spawn(worker);
        let (store, shutdown) = (base.actions.store().clone(), base.shutdown.clone());
        base.tracker.spawn(workers::keep_time(store, config.tick, shutdown));
        base.tracker.spawn(workers::tidy(base.actions.clone(), base.shutdown.clone()));
        let (store, tracker, shutdown) =
            (base.actions.store().clone(), base.tracker.clone(), base.shutdown.clone());
        delivery::release_all(&store).await.context("could not take up the outbox")?;
        let courier =
            Worker::new(store, &config.webhooks, tracker, shutdown).context("could not set up TLS")?;
        base.tracker.spawn(courier.run());
        let schema = graphql::schema(base.actions.clone(), base.live.clone());
        let draining = CancellationToken::new();
        let front = Front {
            allowed_origins: config.allowed_origins.clone(),
            rate_limit: config.rate_limit,
            trusted_proxies: config.trusted_proxies.clone(),
            draining: draining.clone(),
            limits: http::Limits { resolve_within: config.stream_patience, ..config.limits },
            most_connections: http::connections_within_limit(config.database_connections),
            ..Front::new(schema, base.actions.clone(), base.live.clone())
        };
        let front_stop = CancellationToken::new();
        let serving = http::serve(listener, front, front_stop.clone(), base.tracker.clone());
        let front = base.tracker.spawn(serving);
        tracing::info!(%address, "listening on http://{address}");
        Ok(Listening { address, draining, front_stop, front })
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// The actions, for callers without HTTP: tests and the command line.
    #[must_use]
    pub fn actions(&self) -> &Actions {
        &self.base.actions
    }

    /// Waits until the HTTP server ends unexpectedly, which only a bug can cause.
    pub async fn failed(&mut self) -> Result<(), tokio::task::JoinError> {
        (&mut self.listening.front).await
    }

    /// Reports that it is not ready while it still serves, then refuses new work, waits up to 50 s for
    /// running work, and closes the store. Returns whether all work ended.
    pub async fn stop(self) -> bool {
        let Listening { draining, front_stop, front, address: _ } = self.listening;
        draining.cancel();
        tokio::time::sleep(self.drain).await;
        front_stop.cancel();
        let _ = tokio::time::timeout(STOP_WITHIN, front).await;
        self.base.close().await
    }
}

fn file_settings(config: &Config) -> files::Settings {
    files::Settings {
        place: config.files.clone(),
        largest: u64::from(config.max_upload) * MIB,
        keeps_exif: config.keep_exif,
        free_disk: u64::from(config.min_free_disk) * MIB,
        patience: config.upload_patience,
        reached_at: config.public_url.clone().unwrap_or_default(),
    }
}

fn quotas(config: &Config) -> Quotas {
    let some = |count: u32, unit: u64| Some(u64::from(count) * unit).filter(|bytes| *bytes > 0);
    Quotas {
        of_visitor: some(config.upload_quota_visitor, MIB),
        of_organization: some(config.upload_quota_organization, 1024 * MIB),
    }
}

fn make_folder(path: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("could not make the folder {}", path.display()))
}

/// Locks the SQLite database, so that two servers never share it, and makes the file readable only for its
/// owner.
fn lock(config: &Config) -> anyhow::Result<Option<Arc<File>>> {
    let Some(path) =
        config.database.strip_prefix("sqlite://").map(|path| path.split('?').next().unwrap_or(path))
    else {
        return Ok(None);
    };
    let private = |path: &str| OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    private(path).with_context(|| format!("could not open {path}"))?;
    let lock_path = format!("{path}.lock");
    let lock = private(&lock_path).with_context(|| format!("could not open {lock_path}"))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(Arc::new(lock))),
        Err(std::fs::TryLockError::WouldBlock) => {
            anyhow::bail!(
                "another anteroom uses {path}: stop it first, or give this one another --data folder"
            )
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).context("could not lock the database"),
    }
}

/// The URL without its password, for logs.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}
