//! What the server does by its own clock: sessions that rang in vain are missed, presences that were not
//! renewed end.

use crate::actions::Actions;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

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
    }
}
