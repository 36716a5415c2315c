//! A fair queue for a few slots. Users and visitors take turns, and so do the actors of each kind, however
//! many requests one of them has waiting.

use super::turns::Uploader;
use entity::ActorId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Grants a limited number of slots.
pub(super) struct Queue(Mutex<State>);

/// A slot. Freed when dropped.
pub(super) struct Place(Arc<Queue>);

struct State {
    free: usize,
    /// The lane of users and API clients, and the lane of visitors.
    lanes: [Lane; 2],
    /// The lane that is served next.
    turn: usize,
}

#[derive(Default)]
struct Lane {
    /// The waiting actors, in the order in which they are served.
    actors: VecDeque<ActorId>,
    waiting: HashMap<ActorId, VecDeque<oneshot::Sender<()>>>,
}

/// A waiting request. If it is dropped after it was granted a slot, the next one gets the slot.
struct Waiter {
    queue: Arc<Queue>,
    granted: oneshot::Receiver<()>,
    is_done: bool,
}

impl Queue {
    pub(super) fn new(places: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: places, lanes: [Lane::default(), Lane::default()], turn: 0 })))
    }

    /// Waits for a slot.
    pub(super) async fn enter(self: &Arc<Self>, uploader: Uploader) -> Place {
        let (grant, granted) = oneshot::channel();
        {
            let mut state = self.state();
            let lane = &mut state.lanes[usize::from(uploader.is_visitor)];
            let waiting = lane.waiting.entry(uploader.actor_id).or_default();
            if waiting.is_empty() {
                lane.actors.push_back(uploader.actor_id);
            }
            waiting.push_back(grant);
            state.grant();
        }
        let mut waiter = Waiter { queue: Arc::clone(self), granted, is_done: false };
        // The sender is dropped only with the queue, which the waiter holds.
        let _ = (&mut waiter.granted).await;
        waiter.is_done = true;
        Place(Arc::clone(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self) {
        let mut state = self.state();
        state.free += 1;
        state.grant();
    }
}

impl State {
    /// Grants free slots to waiting requests.
    fn grant(&mut self) {
        while self.free > 0 {
            let Some(next) = self.next() else { return };
            // A request that was dropped meanwhile takes no slot.
            if next.send(()).is_ok() {
                self.free -= 1;
            }
        }
    }

    fn next(&mut self) -> Option<oneshot::Sender<()>> {
        let lane =
            [self.turn, 1 - self.turn].into_iter().find(|lane| !self.lanes[*lane].actors.is_empty())?;
        self.turn = 1 - lane;
        self.lanes[lane].next()
    }
}

impl Lane {
    fn next(&mut self) -> Option<oneshot::Sender<()>> {
        let actor_id = self.actors.pop_front()?;
        let waiting = self.waiting.get_mut(&actor_id)?;
        let next = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(&actor_id);
        } else {
            self.actors.push_back(actor_id);
        }
        next
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.granted.close();
        if !self.is_done && self.granted.try_recv().is_ok() {
            self.queue.leave();
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test ends the tasks that it starts")]
mod tests {
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    fn uploader(number: u128, is_visitor: bool) -> Uploader {
        Uploader { actor_id: ActorId(Uuid::from_u128(number)), is_visitor }
    }

    /// The order in which uploaders are served when each takes one slot in turn.
    async fn order(who: &[Uploader]) -> Vec<u128> {
        let queue = Queue::new(1);
        let first = queue.enter(uploader(0, false)).await;
        let (done, mut served) = tokio::sync::mpsc::unbounded_channel();
        let mut tasks = Vec::new();
        for uploader in who {
            let (queue, done, uploader) = (Arc::clone(&queue), done.clone(), *uploader);
            let waiting = Arc::clone(&queue);
            let before = waits(&waiting);
            tasks.push(tokio::spawn(async move {
                let place = queue.enter(uploader).await;
                done.send(uploader.actor_id.0.as_u128()).expect("heard");
                drop(place);
            }));
            while waits(&waiting) == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        drop((first, done));
        let mut order = Vec::new();
        while let Some(number) = served.recv().await {
            order.push(number);
        }
        order
    }

    fn waits(queue: &Queue) -> usize {
        queue.state().lanes.iter().flat_map(|lane| lane.waiting.values()).map(VecDeque::len).sum()
    }

    #[tokio::test]
    async fn actors_take_turns_and_so_do_visitors_and_users() {
        let visitors = [1, 1, 1, 2, 2, 3].map(|number| uploader(number, true));
        let users = [uploader(9, false), uploader(9, false)];
        let order = order(&[&visitors[..], &users].concat()).await;
        assert_eq!(order, [1, 9, 2, 9, 3, 1, 2, 1]);
    }

    #[tokio::test]
    async fn whoever_stops_waiting_takes_no_place() {
        let queue = Queue::new(1);
        let first = queue.enter(uploader(1, true)).await;
        let gone = {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.enter(uploader(2, true)).await })
        };
        while waits(&queue) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        gone.abort();
        assert!(gone.await.is_err());
        drop(first);
        let again = tokio::time::timeout(Duration::from_mins(1), queue.enter(uploader(3, true)));
        assert!(again.await.is_ok());
    }
}
