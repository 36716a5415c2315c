//! Limits how often followers of a chat are told that a presence was renewed.

use super::lock;
use chrono::TimeDelta;
use entity::{PresenceId, Timestamp, presence};
use std::collections::HashMap;
use std::sync::Mutex;

/// Presences that are remembered; when there are more, all are forgotten, so that each may be told once too early.
const REMEMBERED: usize = 100_000;

/// When the last renewal of each presence was told.
#[derive(Default)]
pub(super) struct Renewals(Mutex<HashMap<PresenceId, Timestamp>>);

impl Renewals {
    /// Whether a renewed presence is to be told: at least this long after it began or was last told.
    pub(super) fn is_due(&self, presence: &presence::Model, pause: TimeDelta) -> bool {
        let mut told = lock(&self.0);
        let last = told.get(&presence.id).copied().unwrap_or(presence.created_at);
        if presence.last_seen_at < last.plus(pause) {
            return false;
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert(presence.id, presence.last_seen_at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::{ActorId, ChatId};
    use uuid::Uuid;

    #[test]
    fn renewal_is_told_once_a_pause() {
        let renewals = Renewals::default();
        let seen_after = |seconds| {
            let at = Timestamp(0).plus(TimeDelta::seconds(seconds));
            let presence = presence::Model {
                id: PresenceId(Uuid::nil()),
                chat_id: ChatId(Uuid::nil()),
                user_id: ActorId(Uuid::nil()),
                created_at: Timestamp(0),
                last_seen_at: at,
                expires_at: at.plus(TimeDelta::seconds(60)),
                ended_at: None,
                end_reason: None,
            };
            renewals.is_due(&presence, TimeDelta::seconds(15))
        };
        let told: Vec<_> = [1, 14, 15, 20, 29, 30, 44, 90].into_iter().filter(|at| seen_after(*at)).collect();
        assert_eq!(told, [15, 30, 90]);
    }
}
