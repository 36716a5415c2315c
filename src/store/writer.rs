//! How transactions get to disk: PostgreSQL takes many at once; SQLite takes one at a time, so there the
//! ones that wait share a flush.
//!
//! On SQLite each transaction is a savepoint within one outer transaction. Whoever finishes while others
//! wait leaves the outer transaction open for them; whoever finishes last commits it, and all learn of it
//! together. A refusal waits too: what it read may not have been on disk yet.

use super::bounded::{Bounded, STATEMENT, within};
use super::{Error, Inner, Result};
use crate::domain::event::News;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

/// Transactions that share one flush at most: more only makes the first of them wait longer.
const BATCH: usize = 128;
/// A batch that nobody flushed for this long (its next writer was dropped) is flushed by who waits for it.
const ABANDONED: Duration = Duration::from_millis(50);

/// What writes.
pub(super) enum Writer {
    /// SQLite's one writing connection.
    Single { connection: DatabaseConnection, batch: Arc<Mutex<Batch>>, waiting: Arc<AtomicUsize> },
    /// PostgreSQL's pool.
    Pool(DatabaseConnection),
}

/// The outer transaction and who waits for its commit.
#[derive(Default)]
pub(super) struct Batch {
    outer: Option<DatabaseTransaction>,
    finished: Vec<Finished>,
}

/// A transaction that is done but not yet on disk.
struct Finished {
    news: Vec<News>,
    tell: oneshot::Sender<Result<()>>,
}

/// An open transaction.
pub(super) struct Open {
    pub(super) connection: Bounded<DatabaseTransaction>,
    /// On SQLite: held while this transaction is the one that writes.
    turn: Option<OwnedMutexGuard<Batch>>,
}

/// Counts a writer as waiting for as long as it lives.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn new(waiting: &Arc<AtomicUsize>) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(waiting))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Writer {
    pub(super) fn single(connection: DatabaseConnection) -> Self {
        Self::Single { connection, batch: Arc::default(), waiting: Arc::default() }
    }

    pub(super) fn pool(pool: DatabaseConnection) -> Self {
        Self::Pool(pool)
    }

    pub(super) fn connection(&self) -> &DatabaseConnection {
        match self {
            Self::Single { connection, .. } | Self::Pool(connection) => connection,
        }
    }

    pub(super) async fn begin(&self) -> Result<Open> {
        match self {
            Self::Pool(pool) => {
                let transaction = within(DbBackend::Postgres, STATEMENT, pool.begin()).await?;
                Ok(Open { connection: Bounded::new(transaction), turn: None })
            }
            Self::Single { connection, batch, waiting } => {
                let counted = Waiting::new(waiting);
                let mut turn = Arc::clone(batch).lock_owned().await;
                drop(counted);
                let outer = if let Some(outer) = turn.outer.take() {
                    outer
                } else {
                    let options = TransactionOptions {
                        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                        ..TransactionOptions::default()
                    };
                    connection.begin_with_options(options).await?
                };
                let savepoint = outer.begin().await;
                turn.outer = Some(outer);
                Ok(Open { connection: Bounded::new(savepoint?), turn: Some(turn) })
            }
        }
    }
}

impl Inner {
    /// Ends a transaction: keeps or undoes its writes, waits until everything that it read or wrote is on
    /// disk, and publishes what was kept.
    pub(super) async fn finish(&self, open: Open, keep: bool, news: Vec<News>) -> Result<()> {
        let Open { connection, turn } = open;
        let ended = if keep { connection.commit().await } else { connection.rollback().await };
        let (Some(turn), Writer::Single { batch, waiting, .. }) = (turn, &self.writer) else {
            ended?;
            self.publish(news);
            return Ok(());
        };
        let news = if ended.is_ok() { news } else { Vec::new() };
        let flushed = self.flush_with_others(turn, batch, waiting, news).await;
        ended?;
        flushed
    }

    async fn flush_with_others(
        &self,
        mut turn: OwnedMutexGuard<Batch>,
        batch: &Arc<Mutex<Batch>>,
        waiting: &AtomicUsize,
        news: Vec<News>,
    ) -> Result<()> {
        let (tell, mut told) = oneshot::channel();
        turn.finished.push(Finished { news, tell });
        if waiting.load(Ordering::SeqCst) == 0 || turn.finished.len() >= BATCH {
            self.flush(&mut turn).await;
        }
        drop(turn);
        loop {
            match tokio::time::timeout(ABANDONED, &mut told).await {
                Ok(flushed) => {
                    return flushed.unwrap_or_else(|_| Err(Error::Failed("a flush was cut off".into())));
                }
                Err(_) => self.flush(&mut *batch.lock().await).await,
            }
        }
    }

    /// Commits the outer transaction and tells everybody in it, in the order in which they wrote.
    async fn flush(&self, batch: &mut Batch) {
        let flushed = match batch.outer.take() {
            Some(outer) => outer.commit().await.map_err(Error::from),
            None => Ok(()),
        };
        for Finished { news, tell } in batch.finished.drain(..) {
            if flushed.is_ok() {
                self.publish(news);
            }
            // The one who waited may be gone; its writes stand all the same.
            let _ = tell.send(flushed.clone());
        }
    }
}
