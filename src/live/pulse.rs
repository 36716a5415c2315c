//! The time at which something was last received on a connection. The transport reports it to the leases that
//! it keeps alive.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Shared by a connection's transport, which records received data, and its streams, which keep presences
/// alive.
#[derive(Clone, Debug)]
pub struct Pulse(Option<Arc<Heard>>);

#[derive(Debug)]
struct Heard {
    start: Instant,
    /// The time of the last received data, in microseconds after `start`.
    last: AtomicU64,
    within: Duration,
}

impl Pulse {
    /// A connection that receives data at least every `within` while the client is there.
    #[must_use]
    pub fn within(within: Duration) -> Self {
        Self(Some(Arc::new(Heard { start: Instant::now(), last: AtomicU64::default(), within })))
    }

    /// A connection that counts as alive while it is open.
    #[must_use]
    pub fn steady() -> Self {
        Self(None)
    }

    /// Records that data was received.
    pub fn beat(&self) {
        if let Some(heard) = &self.0 {
            let elapsed = u64::try_from(heard.start.elapsed().as_micros()).unwrap_or(u64::MAX);
            heard.last.store(elapsed, Ordering::Relaxed);
        }
    }

    /// The time since data was last received.
    #[must_use]
    pub fn silent_for(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |heard| {
            heard.start.elapsed().saturating_sub(Duration::from_micros(heard.last.load(Ordering::Relaxed)))
        })
    }

    /// Whether data was received recently enough.
    #[must_use]
    pub fn is_beating(&self) -> bool {
        self.0.as_ref().is_none_or(|heard| self.silent_for() <= heard.within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pulse_beats_until_nothing_was_heard_for_too_long() {
        let (short, long) = (Pulse::within(Duration::ZERO), Pulse::within(Duration::from_hours(1)));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!short.is_beating() && long.is_beating() && Pulse::steady().is_beating());
        assert!(long.silent_for() >= Duration::from_millis(20));
        let before = long.silent_for();
        long.beat();
        assert!(long.silent_for() < before);
        assert_eq!(Pulse::steady().silent_for(), Duration::ZERO);
    }
}
