//! Limits the database connections that streams use. However many streams start, catch up or resolve at once,
//! the rest of the server keeps connections of the pool for itself.

use super::{Live, LiveError};
use crate::store::Engine;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The maximum number of streams that wait to start. Further ones are refused and must retry later.
const STARTING: usize = 10_000;
/// The number of reading connections on SQLite.
const SQLITE_CONNECTIONS: usize = 8;
/// The first pause after a failed attempt to start. It doubles with each attempt, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The queues in which streams wait for the database, each first come, first served. A starting stream may
/// wait for a shared read, but a shared read never waits for a start.
pub(super) struct Turns {
    starts: Semaphore,
    reads: Arc<Semaphore>,
    resolves: Arc<Semaphore>,
    starting: AtomicUsize,
}

/// A turn to use the database. Ends when dropped.
#[derive(Debug)]
pub struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

/// Counts a stream as starting while it exists.
struct Starting<'a>(&'a AtomicUsize);

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turns {
    /// Turns for a pool with this many connections: a quarter of them starts streams, a quarter reads logs,
    /// and half resolves items.
    pub(super) fn new(engine: Engine, connections: u32) -> Self {
        let connections = match engine {
            Engine::Sqlite => SQLITE_CONNECTIONS,
            Engine::Postgres => usize::try_from(connections).unwrap_or(SQLITE_CONNECTIONS),
        };
        Self {
            starts: Semaphore::new((connections / 4).max(1)),
            reads: Arc::new(Semaphore::new((connections / 4).max(1))),
            resolves: Arc::new(Semaphore::new((connections / 2).max(1))),
            starting: AtomicUsize::new(0),
        }
    }

    /// The queue of reads.
    pub(super) fn reads(&self) -> Arc<Semaphore> {
        Arc::clone(&self.reads)
    }
}

impl Live {
    /// Waits for a turn to read missed entries.
    pub(super) async fn reading(&self) -> Turn {
        Turn { _permit: self.0.turns.reads().acquire_owned().await.ok() }
    }

    /// Waits for a turn to resolve an item, with no time limit.
    pub async fn turn(&self) -> Turn {
        // The semaphore is never closed; if it were, items would be resolved without turns.
        Turn { _permit: Arc::clone(&self.0.turns.resolves).acquire_owned().await.ok() }
    }

    /// Starts a stream in its turn, and retries while the database is unavailable. Fails with
    /// [`LiveError::Unavailable`] if that takes longer than the settings allow.
    pub(super) async fn start<'a, T>(
        &self,
        open: impl Fn() -> BoxFuture<'a, Result<T, LiveError>>,
    ) -> Result<T, LiveError> {
        let turns = &self.0.turns;
        let waiting = turns.starting.fetch_add(1, Ordering::Relaxed);
        let _starting = Starting(&turns.starting);
        if waiting >= STARTING {
            return Err(LiveError::Unavailable);
        }
        let started = async {
            let mut pause = FIRST_PAUSE;
            loop {
                let turn = turns.starts.acquire().await;
                match open().await {
                    Err(LiveError::Unavailable) => {}
                    other => return other,
                }
                drop(turn);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        tokio::time::timeout(self.0.settings.start_within, started)
            .await
            .unwrap_or(Err(LiveError::Unavailable))
    }
}
