//! Corrects due times that were set while the clock was ahead.

use super::{Actions, Result};
use crate::domain::limits;
use crate::store::{Tx, due};
use chrono::TimeDelta;
use entity::Timestamp;

impl Actions {
    /// Shortens deadlines that lie further ahead than possible because the clock was ahead when they were
    /// set. A restart on SQLite and a jump of the database's clock leave such rows behind.
    pub async fn pull_in_what_is_due(&self) -> Result<()> {
        let (now, (_, _, longest)) = (self.now(), limits::RING_SECONDS);
        let (rings_until, expires_at) =
            (now.plus(TimeDelta::seconds(longest.into())), now.plus(self.0.lease.lasts));
        let count = self.write(pull_in, (now, rings_until, expires_at)).await?.value;
        if count > 0 {
            tracing::warn!(
                count,
                "sessions and presences were due too late: the clock was ahead when they began"
            );
        }
        Ok(())
    }
}

async fn pull_in(
    tx: &mut Tx,
    (now, rings_until, expires_at): (Timestamp, Timestamp, Timestamp),
) -> Result<u64> {
    Ok(due::pull_in(tx, now, rings_until, expires_at).await?)
}
