//! SQLite: opens, checks, checkpoints and closes the database file.

mod checkpoint;
mod found;
mod marker;
mod wal;

pub(super) use self::checkpoint::{CheckpointMode, StoreFile};

use self::checkpoint::{Progress, write_marker};
use self::found::{Found, Verdict, beside};
use super::error::{self, OpenError};
use super::refolding;
use crate::clock::Clock;
use entity::store_meta;
use migration::{Refusal, migrate};
use sea_orm::sea_query::OnConflict;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::sqlx::{self, Connection as _};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, EntityTrait, Set,
    Statement,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The exit status after a failed fsync (`EX_IOERR` of `sysexits.h`).
const FLUSH_FAILED_STATUS: i32 = 74;
/// The number of reading connections: a few more than cores, because each has its own thread.
const READERS: u32 = 8;
/// How long a reader waits for a connection of the pool before the error "unavailable".
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a connection waits for a lock on the file.
const BUSY: Duration = Duration::from_secs(5);
/// The maximum number of findings of the integrity check that are shown.
const FINDINGS: usize = 5;
/// The name of the row that records that this database has a marker.
const HAS_MARKER: &str = "epoch_file";

type Result<T> = std::result::Result<T, OpenError>;

/// A callback for each statement.
pub(super) type Count = Arc<dyn Fn(&mut DatabaseConnection) + Send + Sync>;

/// Ends the process after a failed fsync. Data written since the last fsync may or may not be on disk, and
/// the kernel does not try again. The next start writes everything again from the log.
pub(super) fn end_if_flush_failed(error: &DbErr) {
    if error::is_failed_flush(error) {
        let text = "the disk failed to store what was written to the database (fsync), so the server stops; start it again \
                    to recover what was acknowledged";
        tracing::error!(%error, "{text}");
        #[expect(clippy::disallowed_macros, reason = "the command line has no log")]
        if !tracing::dispatcher::has_been_set() {
            eprintln!("Error: {text}: {error}");
        }
        std::process::exit(FLUSH_FAILED_STATUS);
    }
}

/// Opens connections.
pub(super) struct Opener {
    url: String,
    count: Count,
}

impl Opener {
    /// Opens a writing connection. Never reuses a connection that is within a transaction.
    pub(super) async fn writer(&self) -> std::result::Result<DatabaseConnection, DbErr> {
        let mut options = options(&self.url, 1, |sqlite| sqlite.pragma("wal_autocheckpoint", "0"));
        options.map_sqlx_sqlite_before_acquire(|connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        });
        self.connect(options).await
    }

    async fn readers(&self) -> std::result::Result<DatabaseConnection, DbErr> {
        let read_only = |sqlite: SqliteConnectOptions| {
            sqlite.pragma("query_only", "ON").pragma("wal_autocheckpoint", "0")
        };
        self.connect(options(&self.url, READERS, read_only)).await
    }

    async fn connect(&self, options: ConnectOptions) -> std::result::Result<DatabaseConnection, DbErr> {
        let mut connection = Database::connect(options).await?;
        (self.count)(&mut connection);
        Ok(connection)
    }
}

/// Options of the connections. WAL keeps readers from waiting for the writer; FULL puts an acknowledged
/// commit on disk. Connections are kept open, because SQLite removes the log when the last one closes.
fn options(
    url: &str,
    connections: u32,
    more: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions + Send + Sync + 'static,
) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            more(
                sqlite
                    .pragma("journal_mode", "WAL")
                    .pragma("synchronous", "FULL")
                    .pragma("cache_size", "-16384")
                    .foreign_keys(true)
                    .busy_timeout(BUSY),
            )
        });
    options
}

/// An open database: reading connections, an opener of the writing connection, the file and the epoch.
pub(super) struct Opened {
    pub(super) readers: DatabaseConnection,
    pub(super) opener: Opener,
    pub(super) file: StoreFile,
    pub(super) epoch: Uuid,
}

/// Opens a database file after checking that it can be trusted.
pub(super) async fn open(url: &str, clock: &Clock, count: Count) -> Result<Opened> {
    let path = path(url)?;
    let look = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || Found::look(&path)).await
    };
    let found = look
        .map_err(|error| OpenError::Refused(format!("{}: {error}", path.display())))?
        .map_err(|error| OpenError::Refused(format!("could not read {}: {error}", path.display())))?;
    let verdict = found.judge().map_err(OpenError::Refused)?;
    say_what_is_in_the_log(&found);

    let opener = Opener { url: url.to_owned(), count };
    let setup = opener.connect(options(url, 1, |sqlite| sqlite)).await;
    let setup = setup.map_err(|error| damage(&path, error))?;
    match set_up(&setup, &opener, &found, verdict, clock).await {
        Ok((readers, file, epoch)) => {
            setup.close_by_ref().await?;
            Ok(Opened { readers, opener, file, epoch })
        }
        Err(error) => {
            leave_open(setup);
            Err(error)
        }
    }
}

/// Checks and migrates the file. The connections that read are open then: before the last connection closes, another one
/// must be open, or SQLite removes the log.
async fn set_up(
    setup: &DatabaseConnection,
    opener: &Opener,
    found: &Found,
    verdict: Verdict,
    clock: &Clock,
) -> Result<(DatabaseConnection, StoreFile, Uuid)> {
    let path = &found.path;
    if let Some(marker) = found.opening(verdict) {
        write_marker(marker, &beside(path, ".epoch")).await?;
    }
    if verdict.needs_check {
        check(setup, path).await?;
    }
    let is_complete = checkpoint_all(setup).await?;
    migrate(setup).await.map_err(|refusal| match refusal {
        Refusal::Failed(error) => damage(path, error),
        Refusal::Unknown(_) => refusal.into(),
    })?;
    refolding::bring_up_to_date(setup).await?;
    let epoch = epoch(setup, found, verdict.is_other, clock).await?;
    let file = StoreFile::take_over(setup, found, epoch, is_complete).await?;
    Ok((opener.readers().await?, file, epoch))
}

/// Leaves a connection open until the process ends. If the last one were closed, SQLite would remove the log although
/// the marker does not say that everything is in the file, and the next start would take that for a loss of writes.
pub(super) fn leave_open(connection: DatabaseConnection) {
    std::mem::forget(connection);
}

fn path(url: &str) -> Result<PathBuf> {
    let options: SqliteConnectOptions =
        url.parse().map_err(|error: sqlx::Error| OpenError::Refused(error.to_string()))?;
    Ok(options.get_filename().to_owned())
}

/// Logs the counts of a log that will be replayed.
fn say_what_is_in_the_log(found: &Found) {
    let Some(wal) = found.wal else { return };
    let (present, valid, committed, lost) = (wal.present, wal.valid, wal.committed, wal.lost_commits);
    if wal.is_damaged() || wal.is_cut {
        tracing::warn!(
            present,
            valid,
            committed,
            lost_commits = lost,
            has_header = !wal.is_headless,
            "the frames of the write-ahead log do not add up: {committed} of {present} are replayed"
        );
    } else if committed > 0 {
        tracing::info!(present, valid, committed, "replaying {committed} frames of the write-ahead log");
    }
}

/// Checks the whole file for damage. Takes seconds per GB.
async fn check(connection: &DatabaseConnection, path: &Path) -> Result<()> {
    tracing::info!("checking the database, because it was not closed cleanly or was copied");
    let statement = Statement::from_string(DbBackend::Sqlite, "PRAGMA quick_check");
    let rows = connection.query_all_raw(statement).await.map_err(|error| damage(path, error))?;
    let lines: std::result::Result<Vec<String>, DbErr> =
        rows.iter().map(|row| row.try_get_by_index(0)).collect();
    let lines = lines?;
    if lines == ["ok"] {
        return Ok(());
    }
    let findings = lines.iter().take(FINDINGS).map(String::as_str).collect::<Vec<_>>().join("; ");
    Err(damaged(path, &findings))
}

fn damage(path: &Path, error: DbErr) -> OpenError {
    if error::is_damage(&error) { damaged(path, &error.to_string()) } else { error.into() }
}

fn damaged(path: &Path, findings: &str) -> OpenError {
    OpenError::Refused(format!("{} is damaged: restore it from a backup ({findings})", path.display()))
}

/// Moves the whole log into the file, so that nothing depends on a flush of the log that may have failed
/// before the start. Returns whether it is complete. If the disk is full, writes are refused until it is.
async fn checkpoint_all(connection: &DatabaseConnection) -> Result<bool> {
    match CheckpointMode::Truncate.run(connection).await {
        Ok(Progress { is_complete, .. }) => Ok(is_complete),
        Err(error) if error::may_end_transaction(&error) && !error::is_damage(&error) => {
            end_if_flush_failed(&error);
            tracing::warn!(%error, "could not move the write-ahead log into the database file");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// The store's epoch. Creates a new one if earlier cursors must be rejected.
async fn epoch(
    connection: &DatabaseConnection,
    found: &Found,
    is_other: Option<&'static str>,
    clock: &Clock,
) -> Result<Uuid> {
    let stored = read(connection, "epoch").await?;
    let stored = stored.map(|text| text.parse::<Uuid>());
    let had_marker = read(connection, HAS_MARKER).await?.is_some();
    let why = match (&stored, found.marker) {
        (None, _) => None,
        (Some(_), _) if is_other.is_some() => is_other,
        (Some(Ok(stored)), Some(marker)) if *stored == marker.epoch => None,
        (Some(Ok(_)), Some(_)) => Some("the epoch in the database is another one than the one beside it"),
        (Some(Ok(_)), None) if !had_marker => None,
        (Some(Ok(_)), None) => Some("the file with its epoch is missing"),
        (Some(Err(_)), _) => Some("the epoch in the database is not a UUID"),
    };
    if let (Some(Ok(stored)), None) = (stored, why) {
        return Ok(stored);
    }
    if let Some(why) = why {
        tracing::warn!(
            database = %found.path.display(),
            "the database is not in the state in which it was left: {why}. Clients start over, and cursors from before are \
             refused"
        );
    }
    let epoch = clock.new_id();
    write(connection, "epoch", epoch.to_string()).await?;
    Ok(epoch)
}

async fn read(connection: &DatabaseConnection, name: &str) -> Result<Option<String>> {
    let row = store_meta::Entity::find_by_id(name.to_owned()).one(connection).await?;
    Ok(row.map(|row| row.value))
}

async fn write(connection: &DatabaseConnection, name: &str, value: String) -> Result<()> {
    let row = store_meta::ActiveModel { name: Set(name.into()), value: Set(value) };
    let on_conflict =
        OnConflict::column(store_meta::Column::Name).update_column(store_meta::Column::Value).to_owned();
    store_meta::Entity::insert(row).on_conflict(on_conflict).exec_without_returning(connection).await?;
    Ok(())
}
