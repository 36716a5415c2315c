//! Opening the database: the settings that each engine needs to keep its promises, and the migrations.

use super::writer::Writer;
use super::{Error, Inner, OpenError, Result, Store, search, sqlite, tokens};
use crate::clock::Clock;
use entity::store_meta;
use migration::{Migrator, MigratorTrait};
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
/// How long closing the database may take: longer than a checkpoint waits for somebody else who reads.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);
/// The advisory lock under which PostgreSQL is migrated: any number, as long as it is always the same.
const MIGRATION_LOCK: i64 = 0x0061_6e74_6572_6f6f;

impl Store {
    /// Opens `sqlite://PATH` or `postgres://…`, brings its tables up to date and reads its epoch.
    ///
    /// # Errors
    ///
    /// An SQLite file that is damaged, or whose write-ahead log belongs to another state of it, is refused.
    pub async fn open(url: &str, connections: u32, clock: Clock) -> std::result::Result<Self, OpenError> {
        let statements = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&statements);
        let count = move |connection: &mut DatabaseConnection| {
            let statements = Arc::clone(&counted);
            connection.set_metric_callback(move |run| {
                // Upkeep by the writer belongs to no request.
                if !run.statement.sql.starts_with("PRAGMA") {
                    statements.fetch_add(1, Ordering::Relaxed);
                }
            });
        };
        let (engine, readers, writer, epoch) = if url.starts_with("sqlite:") {
            let sqlite::Opened { readers, writer, epoch } =
                sqlite::open(url, &clock, Arc::new(count)).await?;
            (Engine::Sqlite, readers, writer, epoch)
        } else {
            let mut pool = Database::connect(postgres(url, connections)).await?;
            refuse_unsafe(&pool).await?;
            migrate_postgres(&pool).await?;
            count(&mut pool);
            tokens::bring_up_to_date(&pool).await?;
            let epoch = epoch(&pool, &clock).await?;
            (Engine::Postgres, pool.clone(), Writer::pool(pool), epoch)
        };
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

impl Store {
    /// Closes every connection. On SQLite everything is then in the database file alone, and the next start need not
    /// check it.
    pub async fn close(&self) {
        match tokio::time::timeout(CLOSE_WITHIN, self.0.writer.close(&self.0.readers)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the database was not closed cleanly"),
            Err(_) => tracing::warn!("the database did not close in time"),
        }
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
