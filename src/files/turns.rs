//! How many uploads come in at once: few of one actor, and so many of all that memory and descriptors last.

use entity::ActorId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Of all actors, on a node.
const ALL: usize = 128;
/// Of one actor, on a node: what browsers do at once over one connection.
const OF_ONE: usize = 6;

/// Counts the uploads under way.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<ActorId, usize>>);

/// An upload under way; it is counted for as long as this lives.
pub(super) struct Turn {
    turns: Arc<Turns>,
    actor_id: ActorId,
}

impl Turns {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Counts one more of the actor, unless there are too many.
    pub(super) fn take(self: &Arc<Self>, actor_id: ActorId) -> Option<Turn> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.get(&actor_id).copied().unwrap_or_default();
        if own >= OF_ONE || open.values().sum::<usize>() >= ALL {
            return None;
        }
        open.insert(actor_id, own + 1);
        Some(Turn { turns: Arc::clone(self), actor_id })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut open = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.actor_id) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.actor_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn one_actor_takes_no_more_than_their_turns_and_gives_them_back() {
        let turns = Turns::new();
        let actor = |number| ActorId(Uuid::from_u128(number));
        let own: Vec<_> = (0..OF_ONE).map(|_| turns.take(actor(1))).collect();
        assert!(own.iter().all(Option::is_some) && turns.take(actor(1)).is_none());
        assert!(turns.take(actor(2)).is_some());
        drop(own);
        assert!(turns.take(actor(1)).is_some());
        let all: Vec<_> = (0..ALL as u128).map(|number| turns.take(actor(number + 10))).collect();
        assert!(all.iter().all(Option::is_some) && turns.take(actor(9)).is_none());
    }
}
