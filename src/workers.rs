//! Background work on a timer: finishes unanswered sessions, ends presences that were not renewed and idle
//! chats, and deletes uploads that were never sent.

use crate::actions::Actions;
use crate::store::Store;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// The shortest interval between comparisons of the clock with its reference.
const KEEP_TIME_EVERY: Duration = Duration::from_secs(1);
/// The interval of deleting old data.
const TIDY_EVERY: Duration = Duration::from_mins(10);

/// Deletes ended sign-ins, and moves up deadlines that are too late, until the server stops.
pub async fn tidy(actions: Actions, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(TIDY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    pull_in(&actions).await;
    // The rest does not run at the start, when the server has most to do.
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        pull_in(&actions).await;
        loop {
            match actions.forget_sign_ins().await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "could not delete ended sign-ins");
                    break;
                }
            }
        }
    }
}

async fn pull_in(actions: &Actions) {
    if let Err(error) = actions.pull_in_what_is_due().await {
        tracing::warn!(%error, "could not move up deadlines that are too late");
    }
}

/// Keeps the clock right until the server stops.
pub async fn keep_time(store: Store, tick: Duration, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(tick.max(KEEP_TIME_EVERY));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Some(Err(error)) = shutdown.run_until_cancelled(store.keep_time()).await {
            tracing::warn!(%error, "could not read the database's clock");
        }
    }
}

/// Checks all deadlines every `tick` until the server stops.
pub async fn run(actions: Actions, tick: Duration, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = actions.miss_sessions().await {
            tracing::warn!(%error, "could not finish unanswered chat sessions");
        }
        if let Err(error) = actions.expire_presences().await {
            tracing::warn!(%error, "could not end expired presences");
        }
        if let Err(error) = actions.clear_uploads().await {
            tracing::warn!(%error, "could not delete unsent uploads");
        }
        if let Err(error) = actions.end_idle_chats().await {
            tracing::warn!(%error, "could not end idle chats");
        }
    }
}
