//! Scheduling of operations: each actor has a few lanes, and expensive operations share the remaining
//! processors. However much one actor requests, others wait for only a few of that actor's fields.

use crate::domain::viewer::Viewer;
use async_graphql::parser::types::OperationType;
use entity::ActorId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// The maximum number of concurrent queries and mutations.
const RUNNING: usize = 1_000;
/// The maximum number of concurrent queries of one actor.
const QUERIES: usize = 8;
/// The maximum number of concurrently resolved subscription items of one actor.
const ITEMS: usize = 4;
/// The cost in units below which an operation needs no lane: about 1 ms.
const LIGHT: u64 = 250;
/// The cost in units from which an operation counts as expensive: about 12 ms.
const DEAR: u64 = 2_500;
/// The maximum number of waiting queries and mutations. Further ones are refused at once.
const WAITING: usize = 2_000;
/// The number of turns after which inactive actors are forgotten.
const FORGET_EVERY: usize = 1_000;

/// The lanes of one actor.
struct Lanes {
    queries: Arc<Semaphore>,
    items: Arc<Semaphore>,
    dear: Arc<Semaphore>,
}

/// Grants turns.
pub(super) struct Turns {
    running: Arc<Semaphore>,
    waiting: Semaphore,
    /// One for each processor except one.
    dear: Arc<Semaphore>,
    actors: Mutex<HashMap<ActorId, Arc<Lanes>>>,
    taken: AtomicUsize,
}

/// Held while an operation runs.
pub(super) struct Turn {
    _permits: Vec<OwnedSemaphorePermit>,
    /// Keeps the actor's lanes from being forgotten.
    _lanes: Arc<Lanes>,
}

impl Turns {
    pub(super) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            running: Arc::new(Semaphore::new(RUNNING)),
            waiting: Semaphore::new(WAITING),
            dear: Arc::new(Semaphore::new(processors.saturating_sub(1).max(1))),
            actors: Mutex::default(),
            taken: AtomicUsize::new(0),
        }
    }

    /// Waits for a turn for a query or a mutation. `None` if there is none before the deadline, or too many
    /// are waiting.
    ///
    /// Mutations have no lane, because their rate is limited and they wait for locks more than they compute.
    pub(super) async fn take(
        &self,
        viewer: &Viewer,
        kind: OperationType,
        units: u64,
        deadline: Instant,
    ) -> Option<Turn> {
        let lanes = self.lanes(viewer.actor_id);
        let own = (kind == OperationType::Query).then(|| Arc::clone(&lanes.queries));
        let wanted = async {
            let mut permits = self.permits(&lanes, own, units).await?;
            permits.push(Arc::clone(&self.running).acquire_owned().await.ok()?);
            Some(permits)
        };
        let _waiting = self.waiting.try_acquire().ok()?;
        let permits = timeout_at(deadline, wanted).await.ok()??;
        Some(Turn { _permits: permits, _lanes: lanes })
    }

    /// Waits for a turn for an item of a subscription, without a time limit.
    pub(super) async fn take_item(&self, viewer: &Viewer, units: u64) -> Turn {
        let lanes = self.lanes(viewer.actor_id);
        let own = Some(Arc::clone(&lanes.items));
        let permits = self.permits(&lanes, own, units).await.unwrap_or_default();
        Turn { _permits: permits, _lanes: lanes }
    }

    /// Waits for the actor's own lane first, so that each actor has one operation in the common queue.
    async fn permits(
        &self,
        lanes: &Lanes,
        own: Option<Arc<Semaphore>>,
        units: u64,
    ) -> Option<Vec<OwnedSemaphorePermit>> {
        let mut permits = Vec::new();
        if units >= DEAR {
            permits.push(Arc::clone(&lanes.dear).acquire_owned().await.ok()?);
            permits.push(Arc::clone(&self.dear).acquire_owned().await.ok()?);
        } else if let Some(own) = own.filter(|_| units >= LIGHT) {
            permits.push(own.acquire_owned().await.ok()?);
        }
        Some(permits)
    }

    fn lanes(&self, actor_id: ActorId) -> Arc<Lanes> {
        let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        if self.taken.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            actors.retain(|_, lanes| Arc::strong_count(lanes) > 1);
        }
        let lanes = actors.entry(actor_id).or_insert_with(|| {
            let lane = |permits| Arc::new(Semaphore::new(permits));
            Arc::new(Lanes { queries: lane(QUERIES), items: lane(ITEMS), dear: lane(1) })
        });
        Arc::clone(lanes)
    }
}
