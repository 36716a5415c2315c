//! Outages of the store, after which no presence ends until leases could be renewed.
//!
//! Every node renews what its own streams keep alive. All nodes lose the store at the same time, so a lease
//! that expired meanwhile says nothing about its user. A node that notices an outage waits for one full round
//! of its own renewals, and for as long again for the renewals of others.

use super::lock;
use chrono::TimeDelta;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// The shortest wait after the round of renewals: other nodes may have to open connections first.
const SETTLE: Duration = Duration::from_secs(10);
/// The shortest silence of the store that counts as an outage, although no statement failed.
const SILENCE: Duration = Duration::from_secs(5);

/// What this node noticed.
pub(super) struct Outages {
    /// How often leases are renewed.
    round: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the store was last away.
    noted: Option<Instant>,
    /// When a full round of renewals after that had succeeded.
    renewed: Option<Instant>,
    /// When the store last answered a look for expired presences.
    answered: Option<Instant>,
}

impl Outages {
    pub(super) fn new(presence_ttl: TimeDelta) -> Self {
        let round = presence_ttl.to_std().unwrap_or(Duration::from_mins(1)) / 3;
        Self { round: round.max(Duration::from_millis(100)), state: Mutex::default() }
    }

    /// How often leases are renewed.
    pub(super) fn round(&self) -> Duration {
        self.round
    }

    /// Notes that the store is away.
    pub(super) fn note(&self) {
        lock(&self.state).note();
    }

    /// Whether leases are to be renewed out of turn.
    pub(super) fn is_round_due(&self) -> bool {
        let state = lock(&self.state);
        state.noted.is_some() && state.renewed.is_none()
    }

    /// Notes that all leases were renewed, in a round that began then.
    pub(super) fn has_renewed(&self, began: Instant) {
        let mut state = lock(&self.state);
        if state.renewed.is_none() && state.noted.is_some_and(|noted| began > noted) {
            state.renewed = Some(Instant::now());
        }
    }

    /// Notes a look for expired presences. One that waited long, or came long after the last one, also tells of an
    /// outage: of the store, or of this node, when its process or its machine stood still.
    pub(super) fn has_looked(&self, began: Instant, has_answered: bool) {
        let mut state = lock(&self.state);
        let silent_since = state.answered.unwrap_or(began).min(began);
        if !has_answered || silent_since.elapsed() > self.round.max(SILENCE) {
            state.note();
        }
        if has_answered {
            state.answered = Some(Instant::now());
        }
    }

    /// Whether presences may end.
    pub(super) fn are_over(&self) -> bool {
        let mut state = lock(&self.state);
        if state.renewed.is_some_and(|renewed| renewed.elapsed() >= self.round.max(SETTLE)) {
            (state.noted, state.renewed) = (None, None);
        }
        state.noted.is_none()
    }
}

impl State {
    fn note(&mut self) {
        if self.noted.is_none() {
            tracing::warn!("the store was unavailable; presences do not end until leases are renewed");
        }
        (self.noted, self.renewed) = (Some(Instant::now()), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_after_an_outage_before_a_round_of_renewals_succeeded() {
        let outages = Outages::new(TimeDelta::seconds(30));
        let before = Instant::now();
        outages.has_looked(before, true);
        assert!(outages.are_over() && !outages.is_round_due());
        outages.has_looked(before, false);
        assert!(!outages.are_over() && outages.is_round_due());
        // A round that began before the outage proves nothing.
        outages.has_renewed(before);
        assert!(outages.is_round_due());
        outages.has_renewed(Instant::now());
        assert!(!outages.is_round_due() && !outages.are_over(), "other nodes have their round too");
    }
}
