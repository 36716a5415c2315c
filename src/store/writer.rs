//! Commits transactions to disk. PostgreSQL runs many at once. SQLite runs one at a time, so waiting
//! transactions share a flush.
//!
//! On SQLite, each transaction is a savepoint within one outer transaction. A transaction that finishes while
//! others wait leaves the outer one open for them. The last one commits it, and all get their results
//! together. A refused transaction waits too, because the data it read may not be on disk yet.

use super::batch::{Batch, Finished, Health};
use super::bounded::{ROLLBACK, STATEMENT, within};
use super::sqlite::{Opener, StoreFile};
use super::writing::Writing;
use super::{Error, Inner, Result, Rows as _, Store, Tx};
use crate::domain::event::News;
use entity::store_meta;
use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseConnection, DbBackend, EntityTrait, Set, TransactionTrait};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

/// The maximum number of transactions that share a flush. More would only make the first of them wait longer.
const BATCH: usize = 128;
/// How long an unflushed batch may stay idle before a waiting transaction flushes it. This happens when the
/// next writer was dropped.
const ABANDONED: Duration = Duration::from_millis(50);
/// The name and the size of the row that a probe writes. It is larger than most transactions.
const PROBE: &str = "write_probe";
const PROBE_BYTES: usize = 64 * 1024;

/// How long a writer waits on SQLite: nearly as long as an operation may take. Otherwise, an overloaded
/// server would keep writing for callers that have already got an error.
const TURN_WITHIN: Duration = Duration::from_secs(8);

pub(super) enum Writer {
    /// SQLite's one writing connection.
    Single(Single),
    /// PostgreSQL's pool.
    Pool(DatabaseConnection),
}

/// SQLite's writers.
pub(super) struct Single {
    batch: Arc<Mutex<Batch>>,
    waiting: Arc<AtomicUsize>,
    health: Arc<Health>,
}

/// An open transaction.
pub(super) struct Open {
    pub(super) writing: Writing,
    /// On SQLite, held while this transaction is the one that writes.
    turn: Option<OwnedMutexGuard<Batch>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        // The next writer rolls it back, and learns whether that succeeded.
        if let Some(mut turn) = self.turn.take() {
            turn.leave(self.writing.move_out());
        }
    }
}

/// The ending of a transaction.
#[derive(Default)]
pub(super) struct Ending {
    /// Whether its writes are committed.
    pub(super) keep: bool,
    /// The news to publish after the commit.
    pub(super) news: Vec<News>,
    /// Whether it added webhook deliveries.
    pub(super) fills_outbox: bool,
}

/// Counts a writer as waiting while it exists.
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
    pub(super) fn single(opener: Opener, file: StoreFile) -> Self {
        let health = Arc::<Health>::default();
        let batch = Batch::new(opener, file, Arc::clone(&health));
        Self::Single(Single { batch: Arc::new(Mutex::new(batch)), waiting: Arc::default(), health })
    }

    pub(super) fn pool(pool: DatabaseConnection) -> Self {
        Self::Pool(pool)
    }

    pub(super) async fn begin(&self) -> Result<Open> {
        match self {
            Self::Pool(pool) => {
                let transaction = within(DbBackend::Postgres, STATEMENT, pool.begin()).await?;
                Ok(Open { writing: Writing::new(transaction, None), turn: None })
            }
            Self::Single(Single { batch, waiting, health: _ }) => {
                let counted = Waiting::new(waiting);
                let turn = tokio::time::timeout(TURN_WITHIN, Arc::clone(batch).lock_owned()).await;
                drop(counted);
                let mut turn =
                    turn.map_err(|_| Error::Unavailable("too many writers wait for their turn".into()))?;
                Ok(Open { writing: turn.begin().await?, turn: Some(turn) })
            }
        }
    }

    /// Closes every connection. On SQLite everything is then in the database file.
    pub(super) async fn close(&self, readers: &DatabaseConnection) -> Result<()> {
        match self {
            Self::Pool(pool) => Ok(pool.close_by_ref().await?),
            Self::Single(single) => Ok(single.batch.lock().await.close(readers).await?),
        }
    }
}

impl Store {
    /// Checks that writes succeed. If the last one failed, tries one.
    pub(super) async fn probe(&self) -> Result<()> {
        let Writer::Single(Single { health, .. }) = &self.0.writer else { return Ok(()) };
        if health.is_failing() && health.may_probe() {
            for bytes in [PROBE_BYTES, 0] {
                let row = store_meta::ActiveModel { name: Set(PROBE.into()), value: Set("x".repeat(bytes)) };
                let on_conflict = OnConflict::column(store_meta::Column::Name)
                    .update_column(store_meta::Column::Value)
                    .to_owned();
                let insert = store_meta::Entity::insert(row).on_conflict(on_conflict);
                let written = self.transaction(async |tx: &mut Tx| {
                    insert.exec_without_returning(tx.connection()).await.map_err(Error::from)
                });
                written.await?;
            }
        }
        if health.is_failing() {
            return Err(Error::Unavailable("the last write failed".into()));
        }
        Ok(())
    }
}

impl Inner {
    /// Ends a transaction: commits or rolls back, waits until everything that it read or wrote is on disk,
    /// and publishes committed changes. This continues if the caller is dropped: what COMMIT stores is
    /// published in any case.
    pub(super) async fn finish(self: &Arc<Self>, open: Open, ending: Ending) -> Result<()> {
        let inner = Arc::clone(self);
        let ended = self.endings.spawn(async move {
            let Ending { keep, news, fills_outbox } = ending;
            inner.end(open, keep, news).await?;
            if fills_outbox {
                inner.outbox.notify_one();
            }
            Ok(())
        });
        ended.await.unwrap_or_else(|_| Err(Error::Failed("the end of a transaction was cut off".into())))
    }

    async fn end(&self, mut open: Open, keep: bool, news: Vec<News>) -> Result<()> {
        let mut writing = open.writing.move_out();
        let (Some(turn), Writer::Single(single)) = (open.turn.take(), &self.writer) else {
            if let Some(transaction) = writing.take() {
                if keep {
                    within(DbBackend::Postgres, STATEMENT, transaction.commit()).await?;
                } else {
                    within(DbBackend::Postgres, ROLLBACK, transaction.rollback()).await?;
                }
            }
            self.publish(news);
            return Ok(());
        };
        self.flush_with_others(turn, writing, keep, single, news).await
    }

    async fn flush_with_others(
        &self,
        mut turn: OwnedMutexGuard<Batch>,
        writing: Writing,
        keep: bool,
        Single { batch, waiting, health: _ }: &Single,
        news: Vec<News>,
    ) -> Result<()> {
        turn.end(writing, keep).await?;
        let (tell, mut told) = oneshot::channel();
        let finished = turn.wait(Finished { news, tell });
        if waiting.load(Ordering::SeqCst) == 0 || finished >= BATCH {
            turn.flush(|news| self.publish(news)).await;
        }
        drop(turn);
        loop {
            match tokio::time::timeout(ABANDONED, &mut told).await {
                Ok(flushed) => {
                    return flushed.unwrap_or_else(|_| Err(Error::Failed("a flush was cut off".into())));
                }
                Err(_) => batch.lock().await.flush(|news| self.publish(news)).await,
            }
        }
    }
}
