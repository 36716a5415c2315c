//! The transaction that SQLite's writers share, and the one connection that writes.
//!
//! Each writer's transaction is a savepoint within an outer transaction, and no writer gets its result before
//! the outer one is committed. After a failed BEGIN, SAVEPOINT, RELEASE, ROLLBACK or COMMIT, the state of the
//! connection is unknown: SQLite may have ended the transaction while the driver still counts it. The batch
//! is then lost: all its writers get an error, the connection is closed, and the next writer opens another
//! one.

use super::sqlite::{CheckpointMode, Opener, StoreFile, end_if_flush_failed, leave_open};
use super::writing::{Broken, Writing, unavailable};
use super::{Error, Result};
use crate::domain::event::News;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// The number of transactions after which the size of the write-ahead log is checked.
const LOOK_AFTER: usize = 64;
/// How long closing the old connection may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(6);
/// How long the result of a probe is valid.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// The outer transaction and the writers that wait for its commit.
pub(super) struct Batch {
    opener: Opener,
    file: StoreFile,
    health: Arc<Health>,
    /// The writing connection. Opened when first needed.
    connection: Option<DatabaseConnection>,
    outer: Option<DatabaseTransaction>,
    /// Set by a statement whose failure may have ended the outer transaction.
    broken: Broken,
    /// Set while a statement that controls transactions is running. If it is still set later, the statement's
    /// task was dropped and its result is unknown.
    is_in_doubt: bool,
    /// A transaction that was dropped without being ended.
    dropped: Option<Writing>,
    finished: Vec<Finished>,
    /// Whether a transaction to be committed changed a row.
    wrote: bool,
    /// The number of transactions committed since the log was last checked.
    committed: usize,
    is_closed: bool,
}

/// A finished transaction that is not on disk yet.
pub(super) struct Finished {
    pub(super) news: Vec<News>,
    pub(super) tell: oneshot::Sender<Result<()>>,
}

/// Whether writes succeed.
#[derive(Default)]
pub(super) struct Health {
    is_failing: AtomicBool,
    probed: Mutex<Option<Instant>>,
}

impl Health {
    /// Whether the last write failed.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::SeqCst)
    }

    /// Whether a write may be tried again.
    pub(super) fn may_probe(&self) -> bool {
        let Ok(mut probed) = self.probed.lock() else { return true };
        let is_time = probed.is_none_or(|at| at.elapsed() >= PROBE_EVERY);
        if is_time {
            *probed = Some(Instant::now());
        }
        is_time
    }

    fn failed(&self, cause: &str, transactions: usize) {
        if self.is_failing.swap(true, Ordering::SeqCst) {
            tracing::debug!(cause, transactions, "a write to the database failed again");
        } else {
            tracing::error!(
                cause,
                transactions,
                "a write to the database failed; writes are refused until one succeeds"
            );
        }
    }

    fn succeeded(&self) {
        if self.is_failing.swap(false, Ordering::SeqCst) {
            tracing::info!("writes to the database succeed again");
        }
    }
}

impl Batch {
    pub(super) fn new(opener: Opener, file: StoreFile, health: Arc<Health>) -> Self {
        Self {
            opener,
            file,
            health,
            connection: None,
            outer: None,
            broken: Broken::default(),
            is_in_doubt: false,
            dropped: None,
            finished: Vec::new(),
            wrote: false,
            committed: 0,
            is_closed: false,
        }
    }

    /// Opens a transaction within the outer one.
    pub(super) async fn begin(&mut self) -> Result<Writing> {
        self.settle().await;
        match self.savepoint().await {
            Ok(writing) => Ok(writing),
            Err(error) => Err(self.fail(&error).await),
        }
    }

    async fn savepoint(&mut self) -> std::result::Result<Writing, DbErr> {
        if self.is_closed {
            return Err(unavailable("the store is closed"));
        }
        if self.outer.is_none() {
            let connection = match self.connection.take() {
                Some(connection) => connection,
                None => self.opener.writer().await?,
            };
            let connection = self.connection.insert(connection);
            if self.file.must_checkpoint() {
                self.file.checkpoint(connection, CheckpointMode::Truncate).await?;
            }
            let options = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            self.is_in_doubt = true;
            self.outer = Some(connection.begin_with_options(options).await?);
        }
        let outer = self.outer.as_ref().ok_or_else(|| unavailable("there is no transaction"))?;
        self.is_in_doubt = true;
        let savepoint = outer.begin().await?;
        self.is_in_doubt = false;
        Ok(Writing::new(savepoint, Some(Broken::clone(&self.broken))))
    }

    /// Ends a transaction within the outer one, which stays open.
    pub(super) async fn end(&mut self, mut writing: Writing, keep: bool) -> Result<()> {
        if let Some(cause) = self.broken.get() {
            let cause = unavailable(cause);
            drop(writing);
            return Err(self.fail(&cause).await);
        }
        let Some(savepoint) = writing.take() else { return Ok(()) };
        self.is_in_doubt = true;
        let ended = if keep { savepoint.commit().await } else { savepoint.rollback().await };
        match ended {
            Ok(()) => {
                self.is_in_doubt = false;
                self.wrote |= keep && writing.wrote();
                Ok(())
            }
            Err(error) => Err(self.fail(&error).await),
        }
    }

    /// Stores a dropped transaction, so that the next writer rolls it back.
    pub(super) fn leave(&mut self, writing: Writing) {
        self.dropped = Some(writing);
    }

    /// Adds a writer that waits for the commit. Returns the number of waiting writers.
    pub(super) fn wait(&mut self, finished: Finished) -> usize {
        self.finished.push(finished);
        self.finished.len()
    }

    /// Commits the outer transaction, publishes its changes, and notifies the waiting writers in the order in
    /// which they wrote.
    pub(super) async fn flush(&mut self, publish: impl Fn(Vec<News>)) {
        self.settle().await;
        let Some(outer) = self.outer.take() else {
            if !self.finished.is_empty() {
                // The transactions may be gone, so their writers must not believe that they are stored.
                self.lose("the transaction was lost").await;
            }
            return;
        };
        self.is_in_doubt = true;
        if let Err(error) = outer.commit().await {
            self.fail(&error).await;
            return;
        }
        self.is_in_doubt = false;
        if std::mem::take(&mut self.wrote) {
            self.health.succeeded();
        }
        self.committed += self.finished.len();
        for Finished { news, tell } in self.finished.drain(..) {
            publish(news);
            // The writer may have stopped waiting; its writes are committed anyway.
            let _ = tell.send(Ok(()));
        }
        self.checkpoint_if_due().await;
    }

    /// Rolls back open transactions, closes the readers, checkpoints the log into the database file, and
    /// closes the connection.
    pub(super) async fn close(&mut self, readers: &DatabaseConnection) -> std::result::Result<(), DbErr> {
        if self.is_closed {
            return Ok(());
        }
        self.settle().await;
        self.is_closed = true;
        if self.outer.is_some() {
            self.lose("the server stops").await;
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.opener.writer().await?,
        };
        // Only now, because SQLite removes the log when the last connection closes.
        readers.close_by_ref().await?;
        if let Err(error) = self.file.finish(&connection).await {
            leave_open(connection);
            return Err(error);
        }
        connection.close_by_ref().await
    }

    /// Cleans up after tasks that were dropped.
    async fn settle(&mut self) {
        if self.is_in_doubt {
            self.lose("a task was dropped while it ended a transaction").await;
        } else if let Some(dropped) = self.dropped.take() {
            // A failure has already been reported to the whole batch.
            let _ = self.end(dropped, false).await;
        }
    }

    /// Abandons the batch because of a database error.
    async fn fail(&mut self, error: &DbErr) -> Error {
        end_if_flush_failed(error);
        let cause = error.to_string();
        if !self.is_closed {
            self.health.failed(&cause, self.finished.len());
        }
        self.lose(&cause).await
    }

    /// Abandons the batch. None of its transactions is reported as stored.
    async fn lose(&mut self, cause: &str) -> Error {
        (self.dropped, self.outer) = (None, None);
        (self.broken, self.wrote) = (Broken::default(), false);
        for Finished { news: _, tell } in self.finished.drain(..) {
            let _ = tell.send(Err(Error::Unavailable(cause.to_owned())));
        }
        let connection = self.connection.take();
        self.is_in_doubt = false;
        if let Some(connection) = connection
            && tokio::time::timeout(CLOSE_WITHIN, connection.close_by_ref()).await.is_err()
        {
            tracing::warn!("the write connection did not close in time");
        }
        Error::Unavailable(cause.to_owned())
    }

    /// Checkpoints the log if it is due. SQLite's automatic checkpoints do not report failures.
    async fn checkpoint_if_due(&mut self) {
        if self.committed < LOOK_AFTER {
            return;
        }
        self.committed = 0;
        let Some(connection) = &self.connection else { return };
        if let Err(error) = self.file.checkpoint_if_large(connection).await {
            end_if_flush_failed(&error);
            tracing::warn!(%error, "a checkpoint of the database failed; trying again");
            self.lose("a checkpoint failed").await;
        }
    }
}
