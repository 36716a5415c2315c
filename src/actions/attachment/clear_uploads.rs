//! Removes uploads that were never sent, and the bytes of removed attachments.

use crate::actions::{Actions, Result};
use crate::files::Unreachable;
use crate::store::{Tx, attachments};
use chrono::TimeDelta;
use entity::{AttachmentId, AttachmentKind, Timestamp, attachment};

/// How long an unsent upload is kept.
const UNSENT: TimeDelta = TimeDelta::days(1);

/// The maximum number of attachments removed per run.
const CLEARED: u64 = 100;

impl Actions {
    /// Removes uploads that were not sent within a day, and the bytes and rows of removed attachments.
    /// Returns their number.
    pub async fn clear_uploads(&self) -> Result<usize> {
        let now = self.now();
        let unsent = attachments::list_unsent(&self.0.store, now.minus(UNSENT), CLEARED).await?;
        if !unsent.is_empty() {
            let ids: Vec<_> = unsent.iter().map(|row| row.id).collect();
            self.write(remove_unsent, (ids, now)).await?;
        }
        let removed = attachments::list_removed(&self.0.store, CLEARED).await?;
        let mut gone = Vec::new();
        for row in &removed {
            // The row stays until its bytes are gone, so that a crash in between leaves no orphaned bytes.
            match self.remove_bytes(row).await {
                Ok(()) => gone.push(row.id),
                Err(error) => tracing::warn!(%error, attachment = %row.id, "a file could not be taken away"),
            }
        }
        let count = gone.len();
        if count > 0 {
            self.write(forget, gone).await?;
        }
        Ok(count)
    }

    async fn remove_bytes(&self, row: &attachment::Model) -> std::result::Result<(), Unreachable> {
        match row.kind {
            AttachmentKind::File => self.0.files.remove(row.id).await,
            AttachmentKind::Link | AttachmentKind::Contact => Ok(()),
        }
    }
}

async fn remove_unsent(tx: &mut Tx, (ids, now): (Vec<AttachmentId>, Timestamp)) -> Result<()> {
    Ok(attachments::remove_unsent(tx, &ids, now).await?)
}

async fn forget(tx: &mut Tx, ids: Vec<AttachmentId>) -> Result<()> {
    Ok(attachments::forget(tx, &ids).await?)
}
