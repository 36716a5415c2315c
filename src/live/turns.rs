//! Turns at the database for streams. However many streams start, catch up or resolve at once, the rest of the
//! server keeps connections of the pool to itself.

use super::{Live, LiveError};
use crate::store::Engine;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Streams that wait to start at most; one more is told to come back later.
const STARTING: usize = 10_000;
/// Connections that read on SQLite.
const SQLITE_CONNECTIONS: usize = 8;
/// The first pause after a failed attempt to start; each further one is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The queues in which streams wait for the database, each first come, first served. A stream that starts may wait for
/// a shared read, but a shared read never waits for a start.
pub(super) struct Turns {
    starts: Semaphore,
    reads: Arc<Semaphore>,
    resolves: Arc<Semaphore>,
    starting: AtomicUsize,
}

/// A turn at the database; it ends when this is dropped.
#[derive(Debug)]
pub struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

/// Counts a stream as starting for as long as it lives.
struct Starting<'a>(&'a AtomicUsize);

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turns {
    /// Turns on a pool of this many connections: a quarter of them starts streams, a quarter reads logs, and half
    /// resolves items.
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
    /// A turn to read what a stream missed.
    pub(super) async fn reading(&self) -> Turn {
        Turn { _permit: self.0.turns.reads().acquire_owned().await.ok() }
    }

    /// A turn to resolve an item. Waits for as long as others resolve theirs.
    pub async fn turn(&self) -> Turn {
        // Nobody closes the semaphore; if somebody did, items would go on without turns.
        Turn { _permit: Arc::clone(&self.0.turns.resolves).acquire_owned().await.ok() }
    }

    /// Starts a stream in its turn, again and again while the database is unavailable. Gives up with
    /// [`LiveError::Unavailable`] when that takes longer than the settings allow.
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
