//! Informs the WebSocket of an operation that its caller has a newer token, which expires later.

use crate::domain::viewer::Viewer;
use std::sync::{Mutex, PoisonError};

/// The viewer with the newest token that was issued on a WebSocket.
#[derive(Debug, Default)]
pub struct Renewal(Mutex<Option<Viewer>>);

impl Renewal {
    pub(super) fn set(&self, viewer: Viewer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(viewer);
    }

    /// The viewer, once after each renewal.
    pub fn take(&self) -> Option<Viewer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
