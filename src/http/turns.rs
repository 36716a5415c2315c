//! Scheduling of operations: each actor has a few lanes, and expensive operations share the remaining
//! processors. However much one actor requests, others wait for only a few of their fields.

use crate::domain::viewer::Viewer;
use async_graphql::parser::types::OperationType;
use entity::ActorId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Queries and mutations that run at once.
const RUNNING: usize = 1_000;
/// Queries of one actor that run at once.
const QUERIES: usize = 8;
/// Items of one actor's subscriptions that are resolved at once.
const ITEMS: usize = 4;
/// Below this cost, in units, an operation needs no lane: about 1 ms.
const LIGHT: u64 = 250;
/// The cost in units from which an operation counts as expensive: about 12 ms.
const DEAR: u64 = 2_500;
/// Queries and mutations that wait for their turn; more are refused at once.
const WAITING: usize = 2_000;
/// After so many turns, actors who have none are forgotten.
const FORGET_EVERY: usize = 1_000;

/// The lanes of one actor.
struct Lanes {
    queries: Arc<Semaphore>,
    items: Arc<Semaphore>,
    dear: Arc<Semaphore>,
}

/// Hands out turns.
pub(super) struct Turns {
    running: Arc<Semaphore>,
    waiting: Semaphore,
    /// One for each processor but one.
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

    /// A turn for a query or a mutation; nothing if none comes before the deadline, or too many wait already.
    ///
    /// Mutations have no lane: how often they come is limited, and they wait for locks more than they compute.
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

    /// A turn for an item of a subscription, however long that takes.
    pub(super) async fn take_item(&self, viewer: &Viewer, units: u64) -> Turn {
        let lanes = self.lanes(viewer.actor_id);
        let own = Some(Arc::clone(&lanes.items));
        let permits = self.permits(&lanes, own, units).await.unwrap_or_default();
        Turn { _permits: permits, _lanes: lanes }
    }

    /// First the actor's own lane, so that each actor has one operation in the common queue.
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
