//! Deletes old deliveries, and webhooks that were removed.

use crate::domain::webhook::LEDGER;
use crate::store::{Result, Store, Tx, deliveries, webhooks};
use chrono::TimeDelta;

/// Rows of one transaction.
const ROWS: u64 = 500;
/// The time for which a deleted webhook is kept, so that running attempts can still store their results.
const REST: TimeDelta = TimeDelta::minutes(10);

/// Takes a part of it away: whether there is more.
pub(super) async fn clear(store: &Store) -> Result<bool> {
    let now = store.clock().now();
    let mut is_more = in_transaction(store, async |tx| {
        Ok(deliveries::forget_before(tx, now.minus(LEDGER), ROWS).await? == ROWS)
    })
    .await?;
    for webhook in webhooks::list_deleted(store, now.minus(REST), 10).await? {
        is_more |= in_transaction(store, async |tx| {
            if deliveries::forget_webhook(tx, webhook.id, ROWS).await? == ROWS {
                return Ok(true);
            }
            webhooks::remove(tx, webhook.id).await?;
            Ok(false)
        })
        .await?;
    }
    Ok(is_more)
}

async fn in_transaction<T>(store: &Store, work: impl AsyncFnOnce(&Tx) -> Result<T>) -> Result<T> {
    let tx = store.begin().await?;
    match work(&tx).await {
        Ok(value) => tx.commit().await.map(|_| value),
        Err(error) => {
            tx.roll_back().await?;
            Err(error)
        }
    }
}
