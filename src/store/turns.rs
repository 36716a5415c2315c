//! Turns at writing to one chat, on PostgreSQL. Writers that wait for the lock of a chat wait here without a
//! connection, so that a busy chat leaves connections of the pool to others.
//!
//! One writer is admitted at a time, so a node that stalls holds only one open transaction on a chat.

use super::{Engine, Error, Result, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// Transactions on one thing at a time.
const AT_ONCE: usize = 1;
/// The time that a writer waits for a turn: nearly as long as an operation may take.
const WITHIN: Duration = Duration::from_secs(8);

/// The turns of writers, by object.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Uuid, Arc<Semaphore>>>);

/// A turn to write, for as long as this lives.
pub struct Turn {
    _place: Option<Place>,
}

/// A place in the queue for a thing, or at its head.
struct Place {
    store: Store,
    key: Uuid,
    queue: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Store {
    /// Waits for a turn to write to a thing, first come, first served. Whoever has one takes no other.
    pub async fn turn(&self, key: Uuid) -> Result<Turn> {
        if self.engine() == Engine::Sqlite {
            // There one transaction writes at a time, and those that wait share a flush.
            return Ok(Turn { _place: None });
        }
        let queue = Arc::clone(self.0.turns.lock().entry(key).or_insert_with(new_queue));
        let mut place = Place { store: self.clone(), key, queue, permit: None };
        let permit = tokio::time::timeout(WITHIN, Arc::clone(&place.queue).acquire_owned()).await;
        let too_late = || Error::Unavailable(format!("too many write to {key}"));
        place.permit = Some(permit.map_err(|_| too_late())?.map_err(|_| too_late())?);
        Ok(Turn { _place: Some(place) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut queues = self.store.0.turns.lock();
        // The map's and this one: nobody else waits or writes, and nobody can begin to meanwhile.
        if Arc::strong_count(&self.queue) == 2 {
            queues.remove(&self.key);
        }
    }
}

impl Turns {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Semaphore>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_queue() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(AT_ONCE))
}
