//! The worker: finds due deliveries, leases them, and posts them.
//!
//! Any number of nodes run a worker on one database. When a node dies, its leases expire, and other nodes
//! take over. Each endpoint has its own slots: eight while it works, one while it fails, so that a failing
//! endpoint delays only itself.

use super::outcome;
use super::post::{Answer, Letter, Post};
use super::{Settings, housekeeping, signature};
use crate::domain::webhook::DISABLED;
use crate::store::deliveries::Claim;
use crate::store::{Engine, Result, Store, deliveries, webhooks};
use chrono::TimeDelta;
use entity::{SecretText, Timestamp, WebhookId, webhook, webhook_delivery};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The maximum number of concurrent deliveries to one endpoint.
const PLACES: usize = 8;
/// The number of slots of a failing endpoint: enough to notice that it has recovered.
const PLACES_WHILE_FAILING: usize = 1;
/// The maximum number of concurrent deliveries of this node.
const AT_ONCE: usize = 512;
/// The maximum number of webhooks read at once.
const LOOK: u64 = 100;
/// The maximum number of deliveries of a webhook that are abandoned at once.
const GIVEN_UP_AT_ONCE: u64 = 500;
/// How long running attempts may take when the server stops.
const LAST_MOMENTS: Duration = Duration::from_secs(5);

/// The worker, which sends due deliveries.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    store: Store,
    post: Post,
    lease: TimeDelta,
    tick: Duration,
    clear: Duration,
    tracker: TaskTracker,
    shutdown: CancellationToken,
    /// The number of running deliveries to each endpoint.
    under_way: Mutex<HashMap<WebhookId, usize>>,
    /// Notified when a running delivery ends.
    freed: Notify,
}

/// A slot of an endpoint. Freed when dropped.
struct Place {
    worker: Worker,
    webhook_id: WebhookId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.worker.under_way();
        if let Some(count) = under_way.get_mut(&self.webhook_id) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.webhook_id);
            }
        }
        drop(under_way);
        self.worker.0.freed.notify_one();
    }
}

/// Releases leases of the server's previous run. Only for a database that no other server uses.
pub async fn release_all(store: &Store) -> Result<()> {
    if store.engine() != Engine::Sqlite {
        return Ok(());
    }
    let ended = store.transaction(async |tx| deliveries::end_leases(tx, tx.now()).await);
    ended.await.map(|done| done.value)
}

impl Worker {
    /// Creates a worker for a store. Attempts run on the tracker until the shutdown.
    pub fn new(
        store: Store,
        settings: &Settings,
        tracker: TaskTracker,
        shutdown: CancellationToken,
    ) -> std::result::Result<Self, impl std::error::Error + Send + Sync + 'static> {
        Post::new(settings).map(|post| {
            Self(Arc::new(Inner {
                store,
                post,
                lease: TimeDelta::from_std(settings.lease).unwrap_or(TimeDelta::MAX),
                tick: settings.tick,
                clear: settings.clear,
                tracker,
                shutdown,
                under_way: Mutex::default(),
                freed: Notify::new(),
            }))
        })
    }

    /// Runs until the server stops.
    pub async fn run(self) {
        let shutdown = self.0.shutdown.clone();
        let mut ticks = tokio::time::interval(self.0.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut from, mut clear_at) = (None, Instant::now());
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
                () = self.0.store.outbox_filled() => {}
                () = self.0.freed.notified() => {}
            }
            from = match self.look(from).await {
                Ok(from) => from,
                Err(error) => {
                    tracing::warn!(%error, "could not look for due deliveries");
                    None
                }
            };
            if Instant::now() >= clear_at {
                clear_at = match housekeeping::clear(&self.0.store).await {
                    Ok(true) => Instant::now(),
                    Ok(false) => Instant::now() + self.0.clear,
                    Err(error) => {
                        tracing::warn!(%error, "could not delete old webhook deliveries");
                        Instant::now() + self.0.clear
                    }
                };
            }
        }
    }

    /// Processes all webhooks with due deliveries once, as far as there are free slots. If slots run out,
    /// returns the webhook to start with next time, so that all have their turn.
    async fn look(&self, from: Option<WebhookId>) -> Result<Option<WebhookId>> {
        let store = &self.0.store;
        let mut after = from;
        loop {
            let due = webhooks::list_due(store, store.clock().now(), after, LOOK).await?;
            let is_last = u64::try_from(due.len()).unwrap_or(LOOK) < LOOK;
            for webhook in due {
                if self.free_at_all() == 0 || self.0.shutdown.is_cancelled() {
                    return Ok(after);
                }
                after = Some(webhook.id);
                self.take(webhook).await?;
            }
            if is_last && from.is_some() {
                // Earlier webhooks have not been processed yet.
                self.0.freed.notify_one();
            }
            if is_last {
                return Ok(None);
            }
        }
    }

    /// Claims due deliveries of one webhook, as many as it has free slots.
    async fn take(&self, webhook: webhook::Model) -> Result<()> {
        if !webhook.is_enabled {
            return self.give_up(webhook.id).await;
        }
        let free = self.free_of(&webhook).min(self.free_at_all());
        if free == 0 {
            return Ok(());
        }
        let store = &self.0.store;
        let now = store.clock().now();
        let claim = Claim {
            webhook_id: webhook.id,
            now,
            until: now.plus(self.0.lease),
            lease: store.clock().new_id(),
            limit: u64::try_from(free).unwrap_or(1),
        };
        let taken = store.transaction(async |tx| deliveries::claim(tx, claim).await).await?.value;
        let webhook = Arc::new(webhook);
        for delivery in taken {
            let place = self.place(webhook.id);
            let (worker, webhook) = (self.clone(), Arc::clone(&webhook));
            self.0.tracker.spawn(async move {
                worker.deliver(&webhook, delivery, claim).await;
                drop(place);
            });
        }
        Ok(())
    }

    /// Fails all pending deliveries of a disabled webhook, including those stored concurrently with the
    /// disabling.
    async fn give_up(&self, webhook_id: WebhookId) -> Result<()> {
        let given_up =
            self.0.store.transaction(async |tx| match webhooks::lock_any(tx, webhook_id).await? {
                Some(webhook) if webhook.is_enabled => Ok(0),
                Some(_) | None => deliveries::give_up(tx, webhook_id, DISABLED, GIVEN_UP_AT_ONCE).await,
            });
        if given_up.await?.value == GIVEN_UP_AT_ONCE {
            self.0.freed.notify_one();
        }
        Ok(())
    }

    async fn deliver(&self, webhook: &webhook::Model, delivery: webhook_delivery::Model, claim: Claim) {
        let store = &self.0.store;
        let letter = letter(webhook, &delivery, store.clock().now());
        let ending = async {
            self.0.shutdown.cancelled().await;
            tokio::time::sleep(LAST_MOMENTS).await;
        };
        let answer = tokio::select! {
            answer = self.0.post.send(letter) => answer,
            () = ending => {
                // If this fails, the lease expires.
                if let Err(error) = outcome::release(store, &delivery, claim.lease).await {
                    tracing::warn!(delivery = %delivery.id, %error, "an interrupted delivery waits until its lease expires");
                }
                return;
            }
        };
        let (id, attempt) = (delivery.id, delivery.attempts + 1);
        match answer {
            Answer::Taken(status) => tracing::debug!(delivery = %id, attempt, status, "delivered"),
            Answer::Refused { trouble, .. } => {
                tracing::info!(delivery = %id, webhook = %webhook.id, attempt, %trouble, "not delivered");
            }
        }
        if let Err(error) = outcome::settle(store, webhook, delivery, claim.lease, answer).await {
            tracing::warn!(delivery = %id, %error, "could not store the result of a delivery, so it will be repeated");
        }
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, HashMap<WebhookId, usize>> {
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, webhook_id: WebhookId) -> Place {
        *self.under_way().entry(webhook_id).or_default() += 1;
        Place { worker: self.clone(), webhook_id }
    }

    fn free_of(&self, webhook: &webhook::Model) -> usize {
        let places = if webhook.failing_since.is_some() { PLACES_WHILE_FAILING } else { PLACES };
        places.saturating_sub(self.under_way().get(&webhook.id).copied().unwrap_or_default())
    }

    fn free_at_all(&self) -> usize {
        AT_ONCE.saturating_sub(self.under_way().values().sum())
    }
}

/// The request of an attempt. All attempts of a delivery have the same id and body, but each has its own time
/// and signature.
fn letter(webhook: &webhook::Model, delivery: &webhook_delivery::Model, now: Timestamp) -> Letter {
    let id = format!("msg_{}", delivery.id.0.simple());
    let timestamp = now.0.div_euclid(1_000);
    let is_previous_valid = webhook.previous_until.is_some_and(|until| now < until);
    let previous = webhook.previous_signing_secret.as_ref().filter(|_| is_previous_valid);
    let secrets: Vec<&SecretText> = std::iter::once(&webhook.signing_secret).chain(previous).collect();
    let signatures = signature::signatures(&secrets, &id, timestamp, &delivery.body);
    Letter {
        url: webhook.url.clone(),
        headers: vec![
            ("x-webhook-api-key", webhook.api_key.clone()),
            ("x-webhook-api-secret", webhook.api_secret.expose().to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signatures),
        ],
        body: delivery.body.clone(),
    }
}
