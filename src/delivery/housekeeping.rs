//! Deletes old deliveries and removed webhooks.

use crate::domain::webhook::LEDGER;
use crate::store::{Result, Store, Tx, deliveries, webhooks};
use chrono::TimeDelta;

/// The maximum number of rows deleted in one transaction.
const ROWS: u64 = 500;
/// How long a deleted webhook is kept, so that running attempts can still store their results.
const REST: TimeDelta = TimeDelta::minutes(10);

/// Deletes one batch. Returns whether there is more.
pub(super) async fn clear(store: &Store) -> Result<bool> {
    let now = store.clock().now();
    let forgotten =
        store.transaction(async |tx| deliveries::forget_before(tx, now.minus(LEDGER), ROWS).await).await?;
    let mut is_more = forgotten.value == ROWS;
    for webhook in webhooks::list_deleted(store, now.minus(REST), 10).await? {
        let removed = store.transaction(async |tx: &mut Tx| -> Result<bool> {
            if deliveries::forget_webhook(tx, webhook.id, ROWS).await? == ROWS {
                return Ok(true);
            }
            webhooks::remove(tx, webhook.id).await?;
            Ok(false)
        });
        is_more |= removed.await?.value;
    }
    Ok(is_more)
}
