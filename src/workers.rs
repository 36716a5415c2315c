//! What the server does by its own clock: sessions that rang in vain are missed, presences that were not
//! renewed end, and so do chats in which nothing happens any more; what was uploaded and never sent is removed.

use crate::actions::Actions;
use crate::store::Store;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often the clock is compared with its reference at most.
const KEEP_TIME_EVERY: Duration = Duration::from_secs(1);
/// How often what ended long ago is cleared away.
const TIDY_EVERY: Duration = Duration::from_mins(10);

/// Clears away sign-ins that ended, and pulls in what is due too late, until the server stops.
pub async fn tidy(actions: Actions, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(TIDY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    pull_in(&actions).await;
    // The rest not at the start, when there is most to do.
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        pull_in(&actions).await;
        loop {
            match actions.forget_sign_ins().await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "could not forget the sign-ins that ended");
                    break;
                }
            }
        }
    }
}

async fn pull_in(actions: &Actions) {
    if let Err(error) = actions.pull_in_what_is_due().await {
        tracing::warn!(%error, "could not pull in what is due too late");
    }
}

/// Keeps the clock right until the server stops.
pub async fn keep_time(store: Store, tick: Duration, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(tick.max(KEEP_TIME_EVERY));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Some(Err(error)) = shutdown.run_until_cancelled(store.keep_time()).await {
            tracing::warn!(%error, "the database's clock could not be read");
        }
    }
}

/// Looks at the clock every `tick` until the server stops.
pub async fn run(actions: Actions, tick: Duration, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = actions.miss_sessions().await {
            tracing::warn!(%error, "could not finish the sessions that nobody answered");
        }
        if let Err(error) = actions.expire_presences().await {
            tracing::warn!(%error, "could not end the presences that were not renewed");
        }
        if let Err(error) = actions.clear_uploads().await {
            tracing::warn!(%error, "could not clear away the uploads that nobody sent");
        }
        if let Err(error) = actions.end_idle_chats().await {
            tracing::warn!(%error, "could not end the chats that are idle");
        }
    }
}
