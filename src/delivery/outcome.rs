//! The result of an attempt. It is stored under the attempt's lease, so that an attempt that outlived its
//! lease cannot overwrite a later one.

use super::post::{Answer, RetryAfter};
use super::trouble::Trouble;
use crate::domain::webhook::{DEFERRED_FOR, FAILING_MOST, RETRY_AFTER, delay_after, delay_while_deferred};
use crate::store::{Result, Store, Tx, deliveries, webhooks};
use chrono::TimeDelta;
use entity::{Timestamp, WebhookDeliveryState, webhook, webhook_delivery};
use rand::RngExt;
use uuid::Uuid;

/// The reason for disabling a webhook whose receiver answered 410.
const GONE: &str = "The receiver answered 410 Gone.";
/// The reason for disabling a webhook after long failure.
const FAILED_LONG: &str = "No delivery succeeded for five days.";

/// Makes a delivery due again whose attempt was interrupted when the server stopped. The attempt is not
/// counted.
pub(super) async fn release(store: &Store, delivery: &webhook_delivery::Model, lease: Uuid) -> Result<()> {
    let released = store.transaction(async |tx| deliveries::release(tx, delivery.id, lease, tx.now()).await);
    released.await.map(|done| done.value)
}

/// Stores the result of an attempt, and counts it.
pub(super) async fn settle(
    store: &Store,
    webhook: &webhook::Model,
    delivery: webhook_delivery::Model,
    lease: Uuid,
    answer: Answer,
) -> Result<()> {
    let settled = store.transaction(async |tx| write(tx, webhook, delivery, lease, answer).await);
    settled.await.map(|done| done.value)
}

async fn write(
    tx: &mut Tx,
    seen: &webhook::Model,
    mut delivery: webhook_delivery::Model,
    lease: Uuid,
    answer: Answer,
) -> Result<()> {
    let now = tx.now();
    delivery.lease = None;
    delivery.attempts = delivery.attempts.saturating_add(1);
    match answer {
        Answer::Taken(status) => {
            delivery.state = WebhookDeliveryState::Delivered;
            (delivery.delivered_at, delivery.next_attempt_at) = (Some(now), None);
            (delivery.last_status, delivery.last_error) = (Some(status.into()), None);
            if seen.failing_since.is_some() || seen.resume_at.is_some() {
                recover(tx, seen).await?;
            }
            deliveries::update_leased(tx, &delivery, lease).await?;
        }
        Answer::Refused { trouble, retry_after } => {
            let wait = retry_after.map(|after| wait(after, now));
            delivery.last_status = trouble.status().map(Into::into);
            delivery.last_error = Some(trouble.to_string());
            let Some(mut webhook) = webhooks::lock_any(tx, seen.id).await? else { return Ok(()) };
            match next_delay(&mut delivery, trouble, wait, now) {
                Some(delay) => delivery.next_attempt_at = Some(now.plus(delay)),
                None => give_up(&mut delivery),
            }
            // If an admin changed the URL meanwhile, the failure does not count against the new one.
            let disabled = webhook.url == seen.url && fail(&mut webhook, trouble, wait, now);
            if disabled {
                give_up(&mut delivery);
            }
            webhooks::update(tx, &webhook).await?;
            deliveries::update_leased(tx, &delivery, lease).await?;
            if disabled {
                // Wakes the worker, which abandons the other pending deliveries.
                tx.fill_outbox();
                tracing::warn!(webhook = %webhook.id, reason = webhook.disabled_reason, "a webhook was disabled");
            }
        }
    }
    Ok(())
}

/// The wait before the next attempt. `None` if that was the last one. For a day, responses 429 and 503 do not
/// use up attempts. `Retry-After` overrides the schedule.
fn next_delay(
    delivery: &mut webhook_delivery::Model,
    trouble: Trouble,
    wait: Option<TimeDelta>,
    now: Timestamp,
) -> Option<TimeDelta> {
    let jitter = rand::rng().random();
    if matches!(trouble, Trouble::Status(429 | 503)) {
        let deferred_for = now.since(*delivery.deferred_since.get_or_insert(now));
        if deferred_for < DEFERRED_FOR {
            delivery.deferrals = delivery.deferrals.saturating_add(1);
            return Some(wait.unwrap_or_else(|| delay_while_deferred(deferred_for, jitter)));
        }
    }
    let scheduled = delay_after(delivery.attempts - delivery.deferrals, jitter)?;
    Some(wait.unwrap_or(scheduled))
}

/// Records a success: the endpoint no longer counts as failing.
async fn recover(tx: &Tx, seen: &webhook::Model) -> Result<()> {
    let Some(mut webhook) = webhooks::lock_any(tx, seen.id).await? else { return Ok(()) };
    (webhook.failing_since, webhook.resume_at) = (None, None);
    webhooks::update(tx, &webhook).await
}

fn give_up(delivery: &mut webhook_delivery::Model) {
    delivery.state = WebhookDeliveryState::Failed;
    delivery.next_attempt_at = None;
}

/// Records a failure of the endpoint. Returns whether the webhook must be disabled.
fn fail(webhook: &mut webhook::Model, trouble: Trouble, wait: Option<TimeDelta>, now: Timestamp) -> bool {
    let since = *webhook.failing_since.get_or_insert(now);
    if let Some(wait) = wait {
        let until = now.plus(wait);
        webhook.resume_at = Some(webhook.resume_at.map_or(until, |at| at.max(until)));
    }
    let reason = if trouble == Trouble::Status(410) {
        GONE
    } else if now.since(since) >= FAILING_MOST {
        FAILED_LONG
    } else {
        return false;
    };
    if !webhook.is_enabled {
        return false;
    }
    (webhook.is_enabled, webhook.disabled_reason) = (false, Some(reason.into()));
    true
}

/// The wait that the receiver requested, limited to between a second and a day.
fn wait(after: RetryAfter, now: Timestamp) -> TimeDelta {
    let wait = match after {
        RetryAfter::In(wait) => wait,
        RetryAfter::At(at) => at.since(now),
    };
    wait.clamp(RETRY_AFTER.0, RETRY_AFTER.1)
}
