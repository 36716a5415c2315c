//! Corrects due times that were set while the clock was ahead.

use super::{Actions, Result};
use crate::domain::limits;
use crate::store::due;
use chrono::TimeDelta;
use futures_util::FutureExt;

impl Actions {
    /// Pulls in what is due later than it can be, because the clock was ahead when it was set. A restart on SQLite and a step
    /// of the database's clock leave such rows behind.
    pub async fn pull_in_what_is_due(&self) -> Result<()> {
        let (now, (_, _, longest)) = (self.now(), limits::RING_SECONDS);
        let (rings_until, expires_at) =
            (now.plus(TimeDelta::seconds(longest.into())), now.plus(self.0.lease.lasts));
        let pulled_in = self.write(move |tx| {
            async move { Ok(due::pull_in(tx, now, rings_until, expires_at).await?) }.boxed()
        });
        let count = pulled_in.await?.value;
        if count > 0 {
            tracing::warn!(
                count,
                "sessions and presences were due too late: the clock was ahead when they began"
            );
        }
        Ok(())
    }
}
