//! What the server does by its own clock: sessions that rang in vain are missed, presences that were not
//! renewed end, and what was uploaded and never sent is removed.

use crate::actions::Actions;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often what ended long ago is cleared away.
const TIDY_EVERY: Duration = Duration::from_mins(10);

/// Clears away sign-ins that ended, until the server stops.
pub async fn tidy(actions: Actions, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(TIDY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Not at the start, when there is most to do.
    ticks.tick().await;
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
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
    }
}
