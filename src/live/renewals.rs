//! Renewals of presences, and how often subscribers are informed of them.
//!
//! Users renew their presences often and on any node. Each node informs its own readers, at most once per
//! quarter of the TTL and presence. Skipped renewals are not queued, because the next one has a later end
//! anyway.

use super::lock;
use chrono::TimeDelta;
use entity::{PresenceId, Timestamp, presence};
use std::collections::HashMap;
use std::sync::Mutex;

/// The maximum number of remembered presences. Above it, all are forgotten, which may publish renewals once
/// too often.
const KEPT: usize = 200_000;

/// The time of each presence's last published renewal.
pub(super) struct Renewals {
    interval: TimeDelta,
    told: Mutex<HashMap<PresenceId, Timestamp>>,
}

impl Renewals {
    pub(super) fn new(presence_ttl: TimeDelta) -> Self {
        Self { interval: presence_ttl / 4, told: Mutex::default() }
    }

    /// The minimum time between two events of one presence.
    pub(super) fn interval(&self) -> TimeDelta {
        self.interval
    }

    /// Whether this renewal must be published. If so, it counts as published. Joining counts as the first
    /// time.
    pub(super) fn is_due(&self, row: &presence::Model) -> bool {
        let mut told = lock(&self.told);
        let last = told.get(&row.id).copied().unwrap_or(row.created_at);
        // The end of a presence is published by the log.
        if row.ended_at.is_some() || row.last_seen_at.since(last) < self.interval {
            return false;
        }
        if told.len() >= KEPT {
            told.clear();
        }
        told.insert(row.id, row.last_seen_at);
        true
    }

    /// Forgets presences that were not renewed since this time, because they have ended.
    pub(super) fn forget_before(&self, at: Timestamp) {
        lock(&self.told).retain(|_, told| *told >= at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::{ActorId, ChatId};
    use uuid::Uuid;

    const T: Timestamp = Timestamp(1_800_000_000_000);

    fn seen_after(seconds: i64) -> presence::Model {
        let at = T.plus(TimeDelta::seconds(seconds));
        presence::Model {
            id: PresenceId(Uuid::from_u128(1)),
            chat_id: ChatId(Uuid::from_u128(2)),
            user_id: ActorId(Uuid::from_u128(3)),
            created_at: T,
            last_seen_at: at,
            expires_at: at.plus(TimeDelta::seconds(60)),
            ended_at: None,
            end_reason: None,
        }
    }

    #[test]
    fn a_presence_is_told_at_most_once_a_quarter_of_its_ttl() {
        let renewals = Renewals::new(TimeDelta::seconds(60));
        let told: Vec<_> = (0..=60).filter(|at| renewals.is_due(&seen_after(*at))).collect();
        assert_eq!(told, [15, 30, 45, 60]);
        // Neither the same renewal again, nor an older one that arrives late.
        assert!(!renewals.is_due(&seen_after(60)) && !renewals.is_due(&seen_after(20)));
    }

    #[test]
    fn a_presence_that_ended_is_left_to_the_log() {
        let renewals = Renewals::new(TimeDelta::seconds(60));
        assert!(!renewals.is_due(&presence::Model { ended_at: Some(T), ..seen_after(30) }));
        assert!(renewals.is_due(&seen_after(30)));
    }

    #[test]
    fn presences_that_are_not_renewed_are_forgotten() {
        let renewals = Renewals::new(TimeDelta::seconds(60));
        renewals.is_due(&seen_after(30));
        renewals.forget_before(T.plus(TimeDelta::seconds(30)));
        assert_eq!(lock(&renewals.told).len(), 1);
        renewals.forget_before(T.plus(TimeDelta::seconds(31)));
        assert!(lock(&renewals.told).is_empty());
    }
}
