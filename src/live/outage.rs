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

/// The minimum wait after the round of renewals, in which other nodes can open connections.
const SETTLE: Duration = Duration::from_secs(10);
/// The minimum time without a response of the store that counts as an outage, even if no statement failed.
const SILENCE: Duration = Duration::from_secs(5);

/// The outages noticed by this node.
pub(super) struct Outages {
    /// The interval of renewals.
    round: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The time of the latest outage.
    noted: Option<Instant>,
    /// The time at which a full round of renewals after it succeeded.
    renewed: Option<Instant>,
    /// The time at which the store last responded to a search for expired presences.
    answered: Option<Instant>,
}

impl Outages {
    pub(super) fn new(presence_ttl: TimeDelta) -> Self {
        let round = presence_ttl.to_std().unwrap_or(Duration::from_mins(1)) / 3;
        Self { round: round.max(Duration::from_millis(100)), state: Mutex::default() }
    }

    /// The interval of renewals.
    pub(super) fn round(&self) -> Duration {
        self.round
    }

    /// Records an outage.
    pub(super) fn note(&self) {
        lock(&self.state).note();
    }

    /// Whether leases must be renewed before the next interval.
    pub(super) fn is_round_due(&self) -> bool {
        let state = lock(&self.state);
        state.noted.is_some() && state.renewed.is_none()
    }

    /// Records that all leases were renewed, in a round that began at this time.
    pub(super) fn has_renewed(&self, began: Instant) {
        let mut state = lock(&self.state);
        if state.renewed.is_none() && state.noted.is_some_and(|noted| began > noted) {
            state.renewed = Some(Instant::now());
        }
    }

    /// Records a search for expired presences. One that took long, or came long after the previous one, also
    /// reveals an outage: of the store, or of this node if its process or machine was paused.
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

    /// Whether outages are over, so that presences may end.
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
