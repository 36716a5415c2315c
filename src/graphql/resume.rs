//! The state that a subscription shares with its transport: the cursor of the request, whether the stream has
//! started, the cursor of the current item, and whether an item must be resolved again.

use super::turn::{self, Gate};
use crate::live::Turn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The state of resuming an operation, part of its context data.
#[derive(Default)]
pub struct Resume {
    after: Option<String>,
    /// The gate where items wait until their viewer may have another one.
    gate: Option<Gate>,
    state: Mutex<State>,
    started: Notify,
}

#[derive(Default)]
struct State {
    /// The item whose answer is being resolved.
    item: Option<Item>,
    /// Whether the stream repeats its last item.
    is_again: bool,
}

/// An item whose answer is being resolved.
struct Item {
    cursor: Option<String>,
    turn: Turn,
    own_turn: Option<turn::Turn>,
}

/// An item whose answer is complete.
#[derive(Debug)]
pub struct Resolved {
    /// The cursor after the item, for `extensions.cursor`. Absent for an item that ends its stream.
    pub cursor: Option<String>,
}

impl Resume {
    /// For an operation whose request has this `extensions.after`.
    #[must_use]
    pub fn new(after: Option<String>) -> Self {
        Self { after, ..Self::default() }
    }

    /// Makes each item wait at this gate before it is resolved.
    #[must_use]
    pub fn with_gate(self, gate: Gate) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// Waits at the gate. An item passes it before it takes a turn at the database, for which others wait.
    pub(super) async fn pass(&self) -> Option<turn::Turn> {
        match &self.gate {
            Some(gate) => Some(gate.pass().await),
            None => None,
        }
    }

    /// The cursor to resume from, if the request has one. It takes precedence over the field's argument.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Records that the stream has started.
    pub(super) fn start(&self) {
        self.started.notify_one();
    }

    /// Waits until the stream has started. For one caller.
    pub async fn started(&self) {
        self.started.notified().await;
    }

    /// Records the item that the stream yields. Items are resolved one at a time, so the next answer is this
    /// item's.
    pub(super) fn set_item(&self, cursor: Option<String>, own_turn: Option<turn::Turn>, turn: Turn) {
        self.state().item = Some(Item { cursor, turn, own_turn });
    }

    /// Ends the turn of the item whose answer was just completed. `None` if the answer is not an item's,
    /// because the stream could not start.
    #[must_use]
    pub fn take_item(&self) -> Option<Resolved> {
        let Item { cursor, turn, own_turn } = self.state().item.take()?;
        drop((turn, own_turn));
        Some(Resolved { cursor })
    }

    /// Makes the stream repeat its last item.
    pub fn resolve_again(&self) {
        self.state().is_again = true;
    }

    pub(super) fn takes_again(&self) -> bool {
        std::mem::take(&mut self.state().is_again)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
