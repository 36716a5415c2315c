//! Limits on concurrent uploads of a node: a few per actor, a share for all visitors so that they do not
//! block staff, and a total that bounds memory, file descriptors and disk.

use entity::ActorId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The limit of all actors.
const ALL: usize = 128;
/// The limit of all visitors.
const OF_VISITORS: usize = 96;
/// The limit of one actor: the number of concurrent requests that a browser sends to one host.
const OF_ONE: usize = 6;

/// The actor of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploader {
    pub actor_id: ActorId,
    /// Whether the actor is a visitor, rather than a user or an API client.
    pub is_visitor: bool,
}

/// Counts the running uploads.
#[derive(Default)]
pub(super) struct Turns(Mutex<Open>);

#[derive(Default)]
struct Open {
    by_actor: HashMap<ActorId, usize>,
    all: usize,
    of_visitors: usize,
    /// The total number of their announced bytes.
    bytes: u64,
}

/// A running upload. No longer counted when dropped.
pub(super) struct Turn {
    turns: Arc<Turns>,
    uploader: Uploader,
    bytes: u64,
}

impl Turns {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Counts one more upload of the actor. `None` if there are too many.
    pub(super) fn take(self: &Arc<Self>, uploader: Uploader, bytes: u64) -> Option<Turn> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.by_actor.get(&uploader.actor_id).copied().unwrap_or_default();
        let is_full =
            own >= OF_ONE || open.all >= ALL || (uploader.is_visitor && open.of_visitors >= OF_VISITORS);
        if is_full {
            return None;
        }
        open.by_actor.insert(uploader.actor_id, own + 1);
        open.all += 1;
        open.of_visitors += usize::from(uploader.is_visitor);
        open.bytes = open.bytes.saturating_add(bytes);
        Some(Turn { turns: Arc::clone(self), uploader, bytes })
    }

    /// The total number of announced bytes of the running uploads.
    pub(super) fn bytes(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut open = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        open.of_visitors -= usize::from(self.uploader.is_visitor);
        open.bytes -= self.bytes.min(open.bytes);
        if let Some(own) = open.by_actor.get_mut(&self.uploader.actor_id) {
            *own -= 1;
            if *own == 0 {
                open.by_actor.remove(&self.uploader.actor_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn uploader(number: u128, is_visitor: bool) -> Uploader {
        Uploader { actor_id: ActorId(Uuid::from_u128(number)), is_visitor }
    }

    #[test]
    fn one_actor_takes_no_more_than_their_turns_and_gives_them_back() {
        let turns = Turns::new();
        let take = |number| turns.take(uploader(number, false), 10);
        let own: Vec<_> = (0..OF_ONE).map(|_| take(1)).collect();
        assert!(own.iter().all(Option::is_some) && take(1).is_none());
        assert_eq!(turns.bytes(), 60);
        assert!(take(2).is_some());
        drop(own);
        assert!(take(1).is_some());
        assert_eq!(turns.bytes(), 0);
        let all: Vec<_> = (0..ALL as u128).map(|number| take(number + 10)).collect();
        assert!(all.iter().all(Option::is_some) && take(9).is_none());
    }

    #[test]
    fn visitors_leave_turns_to_those_who_answer_them() {
        let turns = Turns::new();
        let visitors: Vec<_> =
            (0..OF_VISITORS as u128).map(|number| turns.take(uploader(number, true), 1)).collect();
        assert!(visitors.iter().all(Option::is_some));
        assert!(turns.take(uploader(1_000, true), 1).is_none());
        assert!(turns.take(uploader(1_001, false), 1).is_some());
    }
}
