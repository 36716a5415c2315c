//! Opens the database: applies the settings that each engine needs to be durable, and runs the migrations.

use super::bounded::{Bounded, STATEMENT, within};
use super::turns::Turns;
use super::writer::Writer;
use super::{
    Error, Inner, OpenError, Publish, Result, Rows, Store, WebhookBodies, refolding, search, sqlite, time,
};
use crate::clock::Clock;
use entity::store_meta;
use futures_util::FutureExt;
use migration::migrate;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, EntityTrait, IsolationLevel, Set, Statement, TransactionTrait,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// The database engine of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// How long closing the database may take: longer than a checkpoint waits for another reader.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);
/// How long a caller waits for a connection before the error "unavailable": nearly as long as an operation
/// may take.
const ACQUIRE: Duration = Duration::from_secs(8);
/// A connection that was idle for longer is tested before it is used: the server may have been restarted.
const IDLE: Duration = Duration::from_secs(1);
/// How long a connection may take to answer a ping when it returns to the pool or was idle. A slower
/// connection is closed: it belonged to an abandoned statement, or its server does not respond.
const PING: Duration = Duration::from_secs(2);
/// Settings of each session; times are in milliseconds.
///
/// - Waits for locks end shortly before the deadline of an operation (10 s).
/// - A node that stalls within a transaction loses it, with its locks, after 5 s.
/// - The connection of a lost host is noticed within 20 s; a statement whose client has disconnected ends
///   within 2 s.
/// - Plans are generic, because a keyset page with parameters would otherwise be planned at each execution.
const SESSION: [(&str, &str); 9] = [
    ("statement_timeout", "9000"),
    ("lock_timeout", "8000"),
    ("idle_in_transaction_session_timeout", "5000"),
    ("tcp_user_timeout", "15000"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "2"),
    ("client_connection_check_interval", "2000"),
    ("plan_cache_mode", "force_generic_plan"),
];
/// The key of the advisory lock under which PostgreSQL is migrated. It is arbitrary but must never change.
const MIGRATION_LOCK: i64 = 0x0061_6e74_6572_6f6f;

/// An open database whose tables are up to date. It can be read; [`Opened::into_store`] turns it into a
/// store.
pub struct Opened {
    engine: Engine,
    readers: Bounded<DatabaseConnection>,
    writer: Writer,
    epoch: Uuid,
    clock: Clock,
    statements: Arc<AtomicU64>,
    webhook_bodies: Option<WebhookBodies>,
}

impl Rows for Opened {
    type Connection = Bounded<DatabaseConnection>;

    fn connection(&self) -> &Bounded<DatabaseConnection> {
        &self.readers
    }
}

impl Opened {
    /// The database engine.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The store's epoch, which every cursor carries.
    #[must_use]
    pub fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// The clock that timestamps writes.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Adds the data for webhook bodies. Without it, a transaction that fills the outbox fails.
    #[must_use]
    pub fn with_webhook_bodies(self, bodies: WebhookBodies) -> Self {
        Self { webhook_bodies: Some(bodies), ..self }
    }

    /// Creates the store. `publisher` receives the news of each commit.
    #[must_use]
    pub fn into_store(self, publisher: Arc<dyn Publish>) -> Store {
        let Self { engine, readers, writer, epoch, clock, statements, webhook_bodies } = self;
        Store(Arc::new(Inner {
            engine,
            readers,
            writer,
            epoch,
            clock,
            publisher,
            webhook_bodies,
            outbox: Notify::new(),
            endings: TaskTracker::new(),
            turns: Turns::default(),
            statements,
            walked: AtomicU64::new(search::WALKED),
        }))
    }

    /// Closes every connection, like [`Store::close`].
    pub async fn close(self) {
        close(&self.writer, &self.readers).await;
    }
}

impl Store {
    /// Opens `sqlite://PATH` or `postgres://…`, brings its tables up to date and reads its epoch.
    ///
    /// # Errors
    ///
    /// Fails for an SQLite file that is damaged, or whose write-ahead log belongs to another state of it.
    pub async fn open(url: &str, connections: u32, clock: Clock) -> std::result::Result<Opened, OpenError> {
        let statements = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&statements);
        let count = move |connection: &mut DatabaseConnection| {
            let statements = Arc::clone(&counted);
            connection.set_metric_callback(move |run| {
                // Maintenance by the writer belongs to no request and is not counted.
                if !run.statement.sql.starts_with("PRAGMA") {
                    statements.fetch_add(1, Ordering::Relaxed);
                }
            });
        };
        let (engine, readers, writer, epoch) = if url.starts_with("sqlite:") {
            let sqlite::Opened { readers, opener, file, epoch } =
                sqlite::open(url, &clock, Arc::new(count)).await?;
            (Engine::Sqlite, readers, Writer::single(opener, file), epoch)
        } else {
            reach_postgres(url).await?;
            let mut pool = Database::connect(postgres(url, connections)).await?;
            refuse_unsafe(&pool).await?;
            migrate_postgres(url).await?;
            count(&mut pool);
            refolding::bring_up_to_date(&pool).await?;
            let epoch = epoch(&pool, &clock).await?;
            (Engine::Postgres, pool.clone(), Writer::pool(pool), epoch)
        };
        if engine == Engine::Postgres {
            clock.set(time::read(Bounded::new(readers.begin().await?)).await?);
        }
        Ok(Opened {
            engine,
            readers: Bounded::new(readers),
            writer,
            epoch,
            clock,
            statements,
            webhook_bodies: None,
        })
    }
}

impl Store {
    /// Closes every connection. On SQLite, everything is then in the database file, and the next start need
    /// not check it.
    pub async fn close(&self) {
        self.0.endings.close();
        if tokio::time::timeout(CLOSE_WITHIN, self.0.endings.wait()).await.is_err() {
            tracing::warn!("a transaction did not end in time");
        }
        close(&self.0.writer, &self.0.readers).await;
    }
}

async fn close(writer: &Writer, readers: &Bounded<DatabaseConnection>) {
    match tokio::time::timeout(CLOSE_WITHIN, writer.close(readers.get())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the database was not closed cleanly"),
        Err(_) => tracing::warn!("the database did not close in time"),
    }
}

impl Inner {
    pub(super) async fn snapshot(&self) -> Result<Bounded<DatabaseTransaction>> {
        let readers = self.readers.get();
        let transaction = match self.engine {
            Engine::Sqlite => readers.begin().await?,
            Engine::Postgres => {
                let (level, mode) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
                let begun = readers.begin_with_config(Some(level), Some(mode));
                within(DbBackend::Postgres, STATEMENT, begun).await?
            }
        };
        Ok(Bounded::new(transaction))
    }

    /// A snapshot in which PostgreSQL plans each statement for its actual values, because a value may match a
    /// few rows or most of the table.
    pub(super) async fn planned_snapshot(&self) -> Result<Bounded<DatabaseTransaction>> {
        let rows = self.snapshot().await?;
        if self.engine == Engine::Postgres {
            rows.execute_unprepared("SET LOCAL plan_cache_mode = force_custom_plan").await?;
        }
        Ok(rows)
    }
}

fn postgres(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .set_application_name("anteroom")
        .map_sqlx_postgres_opts(|postgres| postgres.options(SESSION))
        .map_sqlx_postgres_pool_opts(|pool| {
            pool.before_acquire(|connection, meta| {
                async move {
                    if meta.idle_for > IDLE {
                        ping(connection).await?;
                    }
                    Ok(true)
                }
                .boxed()
            })
            .after_release(|connection, _| async move { reset(connection).await.map(|()| true) }.boxed())
        });
    options
}

/// Connects once without the pool and reports the cause of a failure at once (connection refused, wrong
/// password, no such database). The pool retries until its timeout and then reports only the timeout.
async fn reach_postgres(url: &str) -> Result<()> {
    let unavailable = |error: sqlx::Error| Error::Unavailable(error.to_string());
    let options: PgConnectOptions = url.parse().map_err(unavailable)?;
    let connecting = tokio::time::timeout(ACQUIRE, options.connect());
    let connection = connecting.await.map_err(|_| {
        Error::Unavailable(format!("no answer from PostgreSQL within {} s", ACQUIRE.as_secs()))
    })?;
    connection.map_err(unavailable)?.close().await.map_err(unavailable)
}

/// Pings the server. Fails if it does not answer in time, so that the pool closes the connection.
async fn ping(connection: &mut PgConnection) -> std::result::Result<(), sqlx::Error> {
    tokio::time::timeout(PING, connection.ping()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Resets a connection after a dropped future, which may leave an unread response or a transaction. The
/// driver (sqlx 0.9.0) does not roll back a BEGIN that was dropped before its response
/// (launchbadge/sqlx#4393), so the connection's next statements would run in that transaction and never be
/// committed. The `BEGIN` here starts a transaction if there is none, so that `ROLLBACK` never causes a
/// warning. In a failed transaction, it is an error, which closes the connection.
async fn reset(connection: &mut PgConnection) -> std::result::Result<(), sqlx::Error> {
    let reset = sqlx::raw_sql("BEGIN; ROLLBACK").execute(connection);
    tokio::time::timeout(PING, reset).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(drop)
}

/// Refuses a server that may lose acknowledged writes.
async fn refuse_unsafe(pool: &DatabaseConnection) -> Result<()> {
    for setting in ["fsync", "synchronous_commit"] {
        let statement = Statement::from_string(DbBackend::Postgres, format!("SHOW {setting}"));
        let row = pool.query_one_raw(statement).await?;
        let value: String = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
        if value == "off" {
            return Err(Error::Unavailable(format!(
                "PostgreSQL has {setting} = off: it may lose what it acknowledged"
            )));
        }
    }
    Ok(())
}

/// Runs the migrations on connections without time limits, because migrating a large store takes long. One
/// node migrates at a time: a separate transaction holds the lock until all migrations are done.
async fn migrate_postgres(url: &str) -> std::result::Result<(), OpenError> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(4)
        .acquire_timeout(ACQUIRE)
        .sqlx_logging(false)
        .set_application_name("anteroom-migration");
    let pool = Database::connect(options).await?;
    let lock = pool.begin().await?;
    lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
    migrate(&pool).await?;
    lock.commit().await?;
    pool.close().await?;
    Ok(())
}

/// Reads the store's epoch, and creates it on first use.
async fn epoch(connection: &DatabaseConnection, clock: &Clock) -> Result<Uuid> {
    let row = store_meta::ActiveModel { name: Set("epoch".into()), value: Set(clock.new_id().to_string()) };
    store_meta::Entity::insert(row)
        .on_conflict_do_nothing_on([store_meta::Column::Name])
        .exec_without_returning(connection)
        .await?;
    let row = store_meta::Entity::find_by_id("epoch".to_owned()).one(connection).await?;
    row.and_then(|row| row.value.parse().ok())
        .ok_or_else(|| Error::Failed("the store's epoch is not a UUID".into()))
}
