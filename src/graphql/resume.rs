//! What a subscription needs to be resumed by clients that resend their first variables unchanged: the
//! cursor that came back with the request, and the cursor of the item that goes out.

use std::sync::{Mutex, PoisonError};

/// One of these accompanies each operation, in its context data.
#[derive(Debug, Default)]
pub struct Resume {
    after: Option<String>,
    cursor: Mutex<Option<String>>,
}

impl Resume {
    /// For an operation whose request carried this `extensions.after`.
    #[must_use]
    pub fn new(after: Option<String>) -> Self {
        Self { after, cursor: Mutex::default() }
    }

    /// Where to go on, if the request says: it wins over the field's own argument.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Notes the cursor of the item that the stream yields. Items are resolved one by one, so the answer
    /// that is made next is this item's.
    pub fn set_cursor(&self, cursor: String) {
        *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor);
    }

    /// The cursor of the item whose answer was just made, for its `extensions.cursor`.
    #[must_use]
    pub fn take_cursor(&self) -> Option<String> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
