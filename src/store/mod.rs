//! The store: reads and writes rows. The only module of `src` that names `sea_orm`.
//!
//! Reads go through [`Store`] (committed data) or an open [`Tx`]. Both are [`Rows`], so one function serves
//! both. Writes go through a [`Tx`], and only its commit publishes.

mod access;
pub mod actors;
pub mod attachments;
mod batch;
mod bounded;
pub mod carts;
mod changed;
pub mod chats;
mod connect;
pub mod connected;
pub mod deliveries;
pub mod departures;
pub mod due;
mod error;
pub mod feed;
pub mod idle;
mod keyset;
pub mod log;
pub mod members;
pub mod messages;
pub mod organizations;
mod outbox;
pub mod own_views;
pub mod participations;
pub mod presences;
pub mod principals;
pub mod reactions;
mod refolding;
pub mod requests;
pub mod revisions;
pub mod rooms;
pub mod search;
pub mod sessions;
pub mod sign_ins;
mod sqlite;
pub mod tags;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod tokens;
mod turns;
pub mod tx;
pub mod upload_usage;
pub mod webhooks;
mod writer;
mod writing;

pub use connect::{Engine, Opened};
pub use error::{Error, OpenError, Result};
pub use outbox::WebhookBodies;
pub use tx::{Committed, Tx};

use self::bounded::{Bounded, STATEMENT, within};
use crate::clock::Clock;
use crate::domain::event::News;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// A receiver of committed changes.
pub trait Publish: Send + Sync + 'static {
    /// Receives the news of one commit. Must not block.
    fn publish(&self, news: Vec<News>);
}

/// Publishes nothing.
impl Publish for () {
    fn publish(&self, _: Vec<News>) {}
}

/// A source of rows: the store, or a transaction.
pub trait Rows: Sync {
    /// The type of the connection.
    type Connection: ConnectionTrait;
    /// The connection to read with.
    fn connection(&self) -> &Self::Connection;
}

/// The database.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    engine: Engine,
    /// The connections for reads. On SQLite, they cannot write.
    readers: Bounded<DatabaseConnection>,
    /// The connection for writes: the single writer on SQLite, the pool on PostgreSQL.
    writer: writer::Writer,
    /// The store's epoch. A restored backup gets a new one, which invalidates earlier cursors.
    epoch: Uuid,
    clock: Clock,
    publisher: Arc<dyn Publish>,
    /// The data for webhook bodies. Absent if none are written.
    webhook_bodies: Option<WebhookBodies>,
    /// Notified when there is something to deliver.
    outbox: Notify,
    /// Tracks transactions that are being ended, even if their callers stop waiting.
    endings: TaskTracker,
    /// The queues of writers, by object.
    turns: turns::Turns,
    /// The number of statements run so far.
    statements: Arc<AtomicU64>,
    /// The number of texts that a search scans before it uses the index.
    walked: AtomicU64,
}

impl Store {
    /// The database engine.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// The store's epoch, which every cursor carries.
    #[must_use]
    pub fn epoch(&self) -> Uuid {
        self.0.epoch
    }

    /// The clock that timestamps writes.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The number of SQL statements run so far, without BEGIN and COMMIT of transactions.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.0.statements.load(Ordering::Relaxed)
    }

    /// Sets the number of texts that a search scans before it uses the index; 0 always uses the index. The
    /// results are the same.
    pub fn set_walked(&self, texts: u64) {
        self.0.walked.store(texts, Ordering::Relaxed);
    }

    /// Checks that the database responds and accepts writes.
    pub async fn ping(&self) -> Result<()> {
        within(self.0.readers.get_database_backend(), STATEMENT, self.0.readers.get().ping()).await?;
        self.probe().await
    }

    /// A read-only transaction with a consistent view of the database.
    async fn snapshot(&self) -> Result<Bounded<DatabaseTransaction>> {
        self.0.snapshot().await
    }

    /// Like [`Store::snapshot`], for lists whose best query plan depends on their arguments.
    pub(crate) async fn planned_snapshot(&self) -> Result<Bounded<DatabaseTransaction>> {
        self.0.planned_snapshot().await
    }
}

impl Inner {
    fn publish(&self, news: Vec<News>) {
        if !news.is_empty() {
            self.publisher.publish(news);
        }
    }
}

impl Rows for Store {
    type Connection = Bounded<DatabaseConnection>;

    fn connection(&self) -> &Bounded<DatabaseConnection> {
        &self.0.readers
    }
}

impl Rows for Bounded<DatabaseTransaction> {
    type Connection = Self;

    fn connection(&self) -> &Self {
        self
    }
}
