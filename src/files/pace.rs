//! The minimum speed of an upload: after a short grace period, 1 KiB per second on average, and never a pause
//! of more than 30 seconds.

use std::time::Duration;

/// The minimum speed, in bytes per second.
const SLOWEST: u64 = 1024;
/// The longest pause, however fast the bytes before it arrived.
const STILL: Duration = Duration::from_secs(30);

/// The waiting time left for a sender. Waiting for bytes uses it up; received bytes add to it.
pub(super) struct Pace {
    left: Duration,
    most: Duration,
}

impl Pace {
    pub(super) fn new(patience: Duration) -> Self {
        Self { left: patience, most: patience.max(STILL) }
    }

    /// The maximum wait for the next bytes.
    pub(super) fn left(&self) -> Duration {
        self.left
    }

    /// Records that bytes arrived after a wait.
    pub(super) fn came(&mut self, bytes: usize, after: Duration) {
        let earned = Duration::from_millis(bytes as u64 * 1_000 / SLOWEST);
        self.left = self.left.saturating_sub(after).saturating_add(earned).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of seconds until a sender of this many bytes at this interval in seconds is given up, at
    /// most an hour.
    fn lasts(bytes: usize, every: u64) -> u64 {
        let (mut pace, mut passed) = (Pace::new(Duration::from_secs(10)), 0);
        while passed < 3_600 {
            if pace.left() < Duration::from_secs(every) {
                return passed + pace.left().as_secs();
            }
            passed += every;
            pace.came(bytes, Duration::from_secs(every));
        }
        passed
    }

    #[test]
    fn slow_sender_is_given_up_and_steady_one_is_not() {
        assert_eq!(lasts(0, 60), 10);
        assert_eq!(lasts(1, 5), 10);
        assert!(lasts(512, 1) <= 20);
        assert_eq!(lasts(1_024, 1), 3_600);
        assert_eq!(lasts(8 * 1_024, 8), 3_600);
    }

    #[test]
    fn burst_makes_up_for_half_a_minute_at_most() {
        let mut pace = Pace::new(Duration::from_secs(10));
        pace.came(50_000_000, Duration::from_secs(1));
        assert_eq!(pace.left(), Duration::from_secs(30));
    }
}
