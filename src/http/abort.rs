//! Tasks that are aborted when the future that waits for them is dropped.

use tokio::task::AbortHandle;

/// Aborts a task when dropped.
pub(super) struct AbortOnDrop(pub AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
