//! Queues of writers to the same chat, on PostgreSQL. Writers that wait for the lock of a chat wait here
//! without a connection, so that a busy chat leaves connections of the pool to others.
//!
//! One writer is admitted at a time, so a node that stalls holds only one open transaction on a chat.

use super::{Engine, Error, Result, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// The maximum number of concurrent transactions per object.
const AT_ONCE: usize = 1;
/// How long a writer waits in the queue: nearly as long as an operation may take.
const WITHIN: Duration = Duration::from_secs(8);

/// The queues of writers, by object.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Uuid, Arc<Semaphore>>>);

/// Permission to write to an object. Ends when dropped.
pub struct Turn {
    _place: Option<Place>,
}

/// A place in the queue of an object, or at its head.
struct Place {
    store: Store,
    key: Uuid,
    queue: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Store {
    /// Waits in the queue of an object, first come, first served. A caller that holds a turn must not wait
    /// for another.
    pub async fn turn(&self, key: Uuid) -> Result<Turn> {
        if self.engine() == Engine::Sqlite {
            // On SQLite, one transaction writes at a time, and waiting ones share a flush.
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
        // Only the map and this reference are left, so the queue is unused and nobody can join it meanwhile.
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
