//! How long presences last.

use crate::actions::{Actions, Result};
use crate::domain::event::Signal;
use crate::store::{Tx, presences};
use chrono::TimeDelta;
use entity::{Timestamp, presence};

/// How long presences last.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// So long after the user was last heard from.
    pub lasts: TimeDelta,
    /// None ends before this: after a start, whoever holds one may still be on the way back.
    pub none_ends_before: Timestamp,
}

impl Lease {
    /// Renews a presence of the locked chat, because the user was heard from.
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

    /// Whether the user was not heard from for too long. Such a presence is absent, also before it is ended.
    pub(in crate::actions) fn is_over(self, presence: &presence::Model, now: Timestamp) -> bool {
        now >= self.none_ends_before && presence.expires_at < now
    }
}

impl Actions {
    /// How long presences last just now: after the store was away, until everybody had the time to come back.
    pub(in crate::actions) fn lease(&self) -> Lease {
        let lease = self.0.lease;
        if self.0.live.may_expire() {
            lease
        } else {
            Lease { none_ends_before: Timestamp(i64::MAX), ..lease }
        }
    }
}
