//! Opening the database: the settings that each engine needs to keep its promises, and the migrations.

use super::writer::Writer;
use super::{Error, Inner, Result, Store, refolding, search};
use crate::clock::Clock;
use entity::store_meta;
use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{self, ConnectOptions as _, Connection};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, EntityTrait, IsolationLevel, Set, Statement, TransactionTrait,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// Which database the store is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// An embedded file.
    Sqlite,
    /// A server.
    Postgres,
}

/// How long a reader waits for a connection of the pool before the answer is "unavailable".
const ACQUIRE: Duration = Duration::from_secs(5);
/// Connections that read on SQLite: a few more than cores, since each has its own thread.
const SQLITE_READERS: u32 = 8;
/// The advisory lock under which PostgreSQL is migrated: any number, as long as it is always the same.
const MIGRATION_LOCK: i64 = 0x0061_6e74_6572_6f6f;

impl Store {
    /// Opens `sqlite://PATH` or `postgres://…`, brings its tables up to date and reads its epoch.
    pub async fn open(url: &str, connections: u32, clock: Clock) -> Result<Self> {
        let statements = Arc::new(AtomicU64::new(0));
        let count = |connection: &mut DatabaseConnection| {
            let statements = Arc::clone(&statements);
            connection.set_metric_callback(move |_| {
                statements.fetch_add(1, Ordering::Relaxed);
            });
        };
        let (engine, readers, writer) = if url.starts_with("sqlite:") {
            let mut writer = Database::connect(sqlite(url, 1, false)).await?;
            Migrator::up(&writer, None).await?;
            let mut readers = Database::connect(sqlite(url, SQLITE_READERS, true)).await?;
            count(&mut writer);
            count(&mut readers);
            (Engine::Sqlite, readers, Writer::single(writer))
        } else {
            reach_postgres(url).await?;
            let mut pool = Database::connect(postgres(url, connections)).await?;
            refuse_unsafe(&pool).await?;
            migrate_postgres(&pool).await?;
            count(&mut pool);
            (Engine::Postgres, pool.clone(), Writer::pool(pool))
        };
        refolding::bring_up_to_date(writer.connection()).await?;
        let epoch = epoch(writer.connection(), &clock).await?;
        Ok(Self(Arc::new(Inner {
            engine,
            readers,
            writer,
            epoch,
            clock,
            publisher: OnceLock::new(),
            patients: OnceLock::new(),
            outbox: Notify::new(),
            statements,
            walked: AtomicU64::new(search::WALKED),
        })))
    }
}

impl Inner {
    pub(super) async fn snapshot(&self) -> Result<DatabaseTransaction> {
        Ok(match self.engine {
            Engine::Sqlite => self.readers.begin().await?,
            Engine::Postgres => {
                self.readers
                    .begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly))
                    .await?
            }
        })
    }

    /// A snapshot in which PostgreSQL plans each statement for its values: what one of them leads to may be a few rows, or
    /// most of the table.
    pub(super) async fn planned_snapshot(&self) -> Result<DatabaseTransaction> {
        let rows = self.snapshot().await?;
        if self.engine == Engine::Postgres {
            rows.execute_unprepared("SET LOCAL plan_cache_mode = force_custom_plan").await?;
        }
        Ok(rows)
    }
}

/// WAL so that readers never wait for the writer; FULL so that an acknowledged commit is on disk.
fn sqlite(url: &str, connections: u32, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .pragma("cache_size", "-16384")
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(5));
            if read_only { sqlite.pragma("query_only", "ON") } else { sqlite }
        });
    options
}

/// A generic plan, because a keyset page with parameters is otherwise planned anew at each execution.
fn postgres(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .set_application_name("anteroom")
        .map_sqlx_postgres_opts(|postgres| {
            postgres.options([
                ("statement_timeout", "5000"),
                ("lock_timeout", "2000"),
                ("plan_cache_mode", "force_generic_plan"),
            ])
        });
    options
}

/// Connects once without the pool, which retries until its timeout and then reports only the timeout: this reports
/// the cause at once (connection refused, wrong password, no such database).
async fn reach_postgres(url: &str) -> Result<()> {
    let unavailable = |error: sqlx::Error| Error::Unavailable(error.to_string());
    let options: PgConnectOptions = url.parse().map_err(unavailable)?;
    let connecting = tokio::time::timeout(ACQUIRE, options.connect());
    let connection = connecting.await.map_err(|_| {
        Error::Unavailable(format!("no answer from PostgreSQL within {} s", ACQUIRE.as_secs()))
    })?;
    connection.map_err(unavailable)?.close().await.map_err(unavailable)
}

/// A server that may forget what it acknowledged cannot keep our promises.
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

/// One node migrates at a time: the lock is held by a transaction of its own until all is done.
async fn migrate_postgres(pool: &DatabaseConnection) -> Result<()> {
    let lock = pool.begin().await?;
    lock.execute_unprepared("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0").await?;
    lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
    Migrator::up(pool, None).await?;
    lock.commit().await?;
    Ok(())
}

/// The store's epoch, made when it is first opened.
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
