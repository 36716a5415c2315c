//! The store: reads and writes rows. The only module of `src` that names `sea_orm`.
//!
//! Reads go through [`Store`] (committed data) or through an open [`Tx`]. Both are [`Rows`], so one function
//! serves both. Writes go through a [`Tx`], and only its commit publishes.

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
pub mod due;
mod error;
pub mod feed;
pub mod idle;
mod keyset;
pub mod log;
pub mod messages;
pub mod organizations;
mod outbox;
pub mod own_views;
pub mod participations;
pub mod presences;
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

/// The receiver of what was committed.
pub trait Publish: Send + Sync + 'static {
    /// Takes the news of one commit; must not block.
    fn publish(&self, news: Vec<News>);
}

/// Nobody is told.
impl Publish for () {
    fn publish(&self, _: Vec<News>) {}
}

/// A source of rows: the store itself, or a transaction on it.
pub trait Rows: Sync {
    /// The kind of connection.
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
    /// Made with the store; a restored backup gets another, so that no old cursor lies.
    epoch: Uuid,
    clock: Clock,
    publisher: Arc<dyn Publish>,
    /// What the bodies of webhooks need; absent where none are written.
    webhook_bodies: Option<WebhookBodies>,
    /// Told when there is something to deliver.
    outbox: Notify,
    /// The ends of transactions that are under way, whoever still waits for them.
    endings: TaskTracker,
    /// The turns of writers to the same object.
    turns: turns::Turns,
    /// Statements run so far.
    statements: Arc<AtomicU64>,
    /// Texts that a search walks before it asks the index.
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

    /// The clock that stamps what is written.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The number of SQL statements run so far, transactions' own begin and commit not counted.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.0.statements.load(Ordering::Relaxed)
    }

    /// Sets how many texts a search walks before it asks the index: with 0 it always does. What is found is the
    /// same.
    pub fn set_walked(&self, texts: u64) {
        self.0.walked.store(texts, Ordering::Relaxed);
    }

    /// Whether the database answers, and takes writes.
    pub async fn ping(&self) -> Result<()> {
        within(self.0.readers.get_database_backend(), STATEMENT, self.0.readers.get().ping()).await?;
        self.probe().await
    }

    /// A read-only transaction that sees one state of the database throughout.
    async fn snapshot(&self) -> Result<Bounded<DatabaseTransaction>> {
        self.0.snapshot().await
    }

    /// The same for lists whose best query plan depends on their arguments.
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
