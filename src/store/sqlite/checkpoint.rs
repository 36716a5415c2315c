//! Checkpoints: they move the write-ahead log into the database file, which gets a new generation each time.

use super::found::{DatabaseFile, Found, beside};
use super::marker::Marker;
use super::{HAS_MARKER, Result, end_if_flush_failed, read, write};
use crate::store::writing::unavailable;
use crate::store::{Error, error};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The minimum number of frames in the write-ahead log for a checkpoint. SQLite's own default.
const CHECKPOINT_FRAMES: i64 = 1_000;

/// The mode of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum CheckpointMode {
    /// Only reports the state of the log.
    Look,
    /// Moves as much as possible without waiting.
    Passive,
    /// Waits for readers, moves everything and empties the log.
    Truncate,
}

/// The state of the log after a checkpoint.
pub(super) struct Progress {
    frames: i64,
    moved: i64,
    pub(super) is_complete: bool,
}

impl CheckpointMode {
    pub(super) async fn run(self, connection: &DatabaseConnection) -> std::result::Result<Progress, DbErr> {
        let mode = match self {
            Self::Look => "NOOP",
            Self::Passive => "PASSIVE",
            Self::Truncate => "TRUNCATE",
        };
        let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA wal_checkpoint({mode})"));
        let row = connection.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| unavailable("the checkpoint said nothing"))?;
        let (busy, frames, moved): (i64, i64, i64) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        Ok(Progress { frames, moved, is_complete: busy == 0 && frames == moved })
    }
}

/// The database file and the marker beside it.
pub(in crate::store) struct StoreFile {
    marker_path: PathBuf,
    marker: Marker,
    /// Whether the log of an earlier run could not be moved into the file yet.
    must_checkpoint: bool,
}

impl StoreFile {
    /// Marks the file as in use, and gives it a generation that no copy has.
    pub(super) async fn take_over(
        connection: &DatabaseConnection,
        found: &Found,
        epoch: Uuid,
        is_complete: bool,
    ) -> Result<Self> {
        let now = number(connection, "user_version").await?;
        let schema = number(connection, "schema_version").await?;
        let on_disk = match found.file {
            DatabaseFile::Sound { generation, .. } => generation,
            DatabaseFile::Empty | DatabaseFile::Damaged => 0,
        };
        let newest = now.max(found.marker.map_or(0, |marker| marker.newest));
        let complete = if is_complete { now } else { now.min(on_disk) };
        let marker = Marker { epoch, complete, newest, schema, is_clean: false };
        let mut file = Self { marker_path: beside(&found.path, ".epoch"), marker, must_checkpoint: false };
        file.write_marker().await?;
        if read(connection, HAS_MARKER).await?.is_none() {
            write(connection, HAS_MARKER, "yes".into()).await?;
        }
        match file.checkpoint(connection, CheckpointMode::Truncate).await {
            Ok(()) => Ok(file),
            // A full disk or a busy file is no reason to refuse reads.
            Err(error) if error::may_end_transaction(&error) => {
                end_if_flush_failed(&error);
                tracing::warn!(%error, "cannot write to the database at the moment");
                file.must_checkpoint = true;
                Ok(file)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a full checkpoint must succeed before the next write.
    pub(in crate::store) fn must_checkpoint(&self) -> bool {
        self.must_checkpoint
    }

    /// Moves the log into the file, which gets a new generation.
    pub(in crate::store) async fn checkpoint(
        &mut self,
        connection: &DatabaseConnection,
        mode: CheckpointMode,
    ) -> std::result::Result<(), DbErr> {
        // The marker is written first, because it must never be older than the file.
        self.marker.newest = self.marker.newest.saturating_add(1);
        self.write_marker().await?;
        let generation = self.marker.newest.cast_signed();
        connection.execute_unprepared(&format!("PRAGMA user_version = {generation}")).await?;
        let progress = mode.run(connection).await?;
        self.must_checkpoint = false;
        if progress.is_complete {
            self.marker.complete = self.marker.newest;
            self.write_marker().await?;
        }
        Ok(())
    }

    /// Moves the log into the file if it has grown.
    pub(in crate::store) async fn checkpoint_if_large(
        &mut self,
        connection: &DatabaseConnection,
    ) -> std::result::Result<(), DbErr> {
        let progress = CheckpointMode::Look.run(connection).await?;
        if progress.frames - progress.moved < CHECKPOINT_FRAMES {
            return Ok(());
        }
        self.checkpoint(connection, CheckpointMode::Passive).await
    }

    /// Moves everything into the file and marks it as complete.
    pub(in crate::store) async fn finish(
        &mut self,
        connection: &DatabaseConnection,
    ) -> std::result::Result<(), DbErr> {
        self.checkpoint(connection, CheckpointMode::Truncate).await?;
        if self.marker.complete != self.marker.newest {
            return Err(unavailable("somebody else still reads the database"));
        }
        self.marker.is_clean = true;
        self.write_marker().await
    }

    async fn write_marker(&self) -> std::result::Result<(), DbErr> {
        write_marker(self.marker, &self.marker_path).await
    }
}

pub(super) async fn write_marker(marker: Marker, path: &Path) -> std::result::Result<(), DbErr> {
    let to = path.to_owned();
    let written = tokio::task::spawn_blocking(move || marker.write(&to)).await;
    let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    written.map_err(|error| unavailable(&format!("could not write {}: {error}", path.display())))
}

/// Reads a number of the database's header, including changes in the log.
async fn number(connection: &DatabaseConnection, name: &str) -> Result<u32> {
    let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {name}"));
    let row = connection.query_one_raw(statement).await?;
    let number: Option<i32> = row.map(|row| row.try_get_by_index(0)).transpose()?;
    let number = number.ok_or_else(|| Error::Failed(format!("the database has no {name}")))?;
    Ok(number.cast_unsigned())
}
