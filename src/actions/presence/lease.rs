//! The lease of presences.

use crate::actions::{Actions, Result};
use crate::domain::event::Signal;
use crate::store::{Tx, presences};
use chrono::TimeDelta;
use entity::{Timestamp, presence};

/// The lease of presences.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// The time from the user's last activity to the end of the lease.
    pub lasts: TimeDelta,
    /// The earliest time at which a lease ends. After a start, this gives users time to reconnect.
    pub none_ends_before: Timestamp,
}

impl Lease {
    /// Renews a presence in the locked chat, because the user was active.
    pub(in crate::actions) async fn renew(
        self,
        tx: &mut Tx,
        mut presence: presence::Model,
    ) -> Result<presence::Model> {
        let now = tx.clock_time();
        (presence.last_seen_at, presence.expires_at) = (now, now.plus(self.lasts));
        presences::update(tx, &presence).await?;
        tx.hint(presence.chat_id, Signal::Presence(presence.clone()));
        Ok(presence)
    }

    /// Whether the lease has expired. Such a presence counts as ended, even before it is ended in the store.
    pub(in crate::actions) fn is_over(self, presence: &presence::Model, now: Timestamp) -> bool {
        now >= self.none_ends_before && presence.expires_at < now
    }
}

impl Actions {
    /// The current lease. It is extended after the store was unavailable, so that users have time to
    /// reconnect.
    pub(in crate::actions) fn lease(&self) -> Lease {
        let lease = self.0.lease;
        if self.0.live.may_expire() {
            lease
        } else {
            Lease { none_ends_before: Timestamp(i64::MAX), ..lease }
        }
    }
}
