//! What the server does by its own clock: sessions that rang in vain are missed, presences that were not
//! renewed end.

use crate::actions::Actions;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Looks at the clock every `tick` until the server stops. No presence ends in the first `grace`: whoever
/// holds one may still be on the way back after a restart.
pub async fn run(actions: Actions, tick: Duration, grace: Duration, shutdown: CancellationToken) {
    let may_expire_from = Instant::now() + grace;
    let mut ticks = tokio::time::interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = actions.miss_sessions().await {
            tracing::warn!(%error, "could not finish the sessions that nobody answered");
        }
        if Instant::now() >= may_expire_from
            && let Err(error) = actions.expire_presences().await
        {
            tracing::warn!(%error, "could not end the presences that were not renewed");
        }
    }
}
