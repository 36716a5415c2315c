//! Steers a running clock toward its reference. Times are microseconds since the Unix epoch.
//!
//! The clock counts monotonic time. It corrects a small difference by running a tenth faster or slower. The
//! handling of a large difference depends on the reference:
//!
//! - Wall clock: a jump ahead is adopted after it has lasted a minute. A jump back is never adopted at once;
//!   the clock runs a tenth slower until the wall clock has caught up.
//! - Database clock: a jump in either direction is adopted once three readings agree on it, because all nodes
//!   follow that clock.

use super::Reading;
use std::time::{Duration, Instant};

/// The divisor of elapsed time for correcting a difference: the clock runs a tenth faster or slower.
const SLEW: i64 = 10;
/// The largest difference from the wall clock that is not a jump.
const SMALL: i64 = 1_000_000;
/// How long a jump ahead of the wall clock must last.
const LASTS: Duration = Duration::from_mins(1);
/// The largest difference from the database clock that is not a jump. A wall clock that differs more causes a
/// warning.
const SKEW: i64 = 2_000_000;
/// The number of readings of the database clock that must agree on a jump.
const READINGS: u32 = 3;
/// The interval of warnings about a wrong wall clock.
const WARN_EVERY: Duration = Duration::from_hours(1);

#[derive(Debug)]
pub(super) struct Steering {
    /// The time at `since`.
    micros: i64,
    since: Instant,
    /// The difference that is not corrected yet.
    rest: i64,
    jump: Option<Jump>,
    warned: Option<Instant>,
}

/// A difference from the reference that may be temporary.
#[derive(Clone, Copy, Debug)]
struct Jump {
    offset: i64,
    since: Instant,
    readings: u32,
}

impl Steering {
    pub(super) fn new(micros: i64, since: Instant) -> Self {
        Self { micros, since, rest: 0, jump: None, warned: None }
    }

    /// The current time. It runs backward only through [`Steering::step`].
    pub(super) fn now(&self, at: Instant) -> i64 {
        let passed = micros(at.saturating_duration_since(self.since));
        let made_up = self.rest.clamp(-passed / SLEW, passed / SLEW);
        self.micros.saturating_add(passed).saturating_add(made_up)
    }

    pub(super) fn follow_wall(&mut self, wall: i64, at: Instant) {
        let offset = wall.saturating_sub(self.now(at));
        if offset <= SMALL {
            if offset < -SMALL && self.is_time_to_warn(at) {
                tracing::warn!(
                    seconds = -offset / 1_000_000,
                    "the system clock was set back: the server's clock runs a tenth slower until they agree; \
                     a restart takes the system's time over at once"
                );
            }
            self.jump = None;
            self.make_up(offset, at);
            return;
        }
        let jump = self.seen(offset, at);
        if at.saturating_duration_since(jump.since) >= LASTS {
            tracing::warn!(seconds = offset / 1_000_000, "the system clock was set ahead; following it");
            self.step(offset, at);
        } else {
            self.make_up(0, at);
        }
    }

    pub(super) fn follow_database(&mut self, reading: Reading, wall: i64, at: Instant) {
        let database = self.warn_of_wall(reading, wall, at);
        let offset = database.saturating_sub(self.now(at));
        if offset.abs() <= micros(reading.within) {
            self.jump = None;
            self.make_up(0, at);
        } else if offset.abs() <= SKEW {
            self.jump = None;
            self.make_up(offset, at);
        } else if self.seen(offset, at).readings >= READINGS {
            tracing::warn!(milliseconds = offset / 1_000, "the database's clock was set; following it");
            self.step(offset, at);
        } else {
            self.make_up(0, at);
        }
    }

    pub(super) fn set(&mut self, reading: Reading, wall: i64, at: Instant) {
        let database = self.warn_of_wall(reading, wall, at);
        self.step(database.saturating_sub(self.now(at)), at);
    }

    /// The current time of the database clock. Warns if the wall clock differs.
    fn warn_of_wall(&mut self, reading: Reading, wall: i64, at: Instant) -> i64 {
        let database = reading.micros.saturating_add(micros(at.saturating_duration_since(reading.at)));
        let ahead = wall.saturating_sub(database);
        if ahead.abs() > SKEW.saturating_add(micros(reading.within)) {
            if self.is_time_to_warn(at) {
                tracing::warn!(
                    milliseconds = ahead / 1_000,
                    "the system clock differs from the database's clock, which the server uses; synchronize them"
                );
            }
        } else {
            self.warned = None;
        }
        database
    }

    fn is_time_to_warn(&mut self, at: Instant) -> bool {
        if self.warned.is_some_and(|warned| at.saturating_duration_since(warned) < WARN_EVERY) {
            return false;
        }
        self.warned = Some(at);
        true
    }

    /// Records a jump. A jump of another size starts a new record.
    fn seen(&mut self, offset: i64, at: Instant) -> Jump {
        let same = self.jump.filter(|jump| offset.abs_diff(jump.offset) <= SMALL.unsigned_abs());
        let jump = match same {
            Some(jump) => Jump { readings: jump.readings + 1, ..jump },
            None => Jump { offset, since: at, readings: 1 },
        };
        self.jump = Some(jump);
        jump
    }

    /// Starts correcting a difference gradually.
    fn make_up(&mut self, offset: i64, at: Instant) {
        (self.micros, self.since, self.rest) = (self.now(at), at, offset);
    }

    /// Corrects a difference at once.
    fn step(&mut self, offset: i64, at: Instant) {
        self.make_up(0, at);
        self.micros = self.micros.saturating_add(offset);
        self.jump = None;
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000_000_000;
    const SECOND: i64 = 1_000_000;
    const HOUR: i64 = 3_600 * SECOND;

    /// A clock with a wall clock that is checked every second.
    struct Test {
        steering: Steering,
        start: Instant,
        seconds: u64,
    }

    impl Test {
        fn new() -> Self {
            let start = Instant::now();
            Self { steering: Steering::new(START, start), start, seconds: 0 }
        }

        fn at(&self) -> Instant {
            self.start + Duration::from_secs(self.seconds)
        }

        /// Real time.
        fn real(&self) -> i64 {
            START + micros(Duration::from_secs(self.seconds))
        }

        /// The difference of the clock from real time.
        fn ahead(&self) -> i64 {
            self.steering.now(self.at()) - self.real()
        }

        /// Lets seconds pass with the wall clock ahead by this much. The clock never runs backward.
        fn pass(&mut self, seconds: u64, wall_ahead: i64) {
            for _ in 0..seconds {
                let before = self.steering.now(self.at());
                self.seconds += 1;
                self.steering.follow_wall(self.real() + wall_ahead, self.at());
                assert!(self.steering.now(self.at()) > before);
            }
        }

        /// Like [`Test::pass`], on a database whose clock is ahead by this much and is read every second.
        fn pass_on_database(&mut self, seconds: u64, database_ahead: i64) {
            for _ in 0..seconds {
                self.seconds += 1;
                let at = self.at();
                let micros = self.real() + database_ahead;
                let reading = Reading { micros, at, within: Duration::from_millis(1) };
                self.steering.follow_database(reading, self.real(), at);
            }
        }
    }

    #[test]
    fn wall_clock_that_is_more_than_two_seconds_off_the_database_is_warned_of_once_an_hour() {
        let mut test = Test::new();
        test.pass_on_database(1, 1_900_000);
        assert_eq!(test.steering.warned, None);
        test.pass_on_database(1, 2_100_000);
        let warned = test.steering.warned;
        assert_eq!(warned, Some(test.at()));
        test.pass_on_database(3_599, 2_100_000);
        assert_eq!(test.steering.warned, warned);
        test.pass_on_database(1, 2_100_000);
        assert_eq!(test.steering.warned, Some(test.at()));
        test.pass_on_database(1, -2_100_000);
        assert!(test.steering.warned.is_some());
        test.pass_on_database(1, 0);
        assert_eq!(test.steering.warned, None);
    }

    #[test]
    fn brief_jump_of_the_wall_clock_is_ignored() {
        let mut test = Test::new();
        test.pass(5, 24 * HOUR);
        assert_eq!(test.ahead(), 0);
        test.pass(5, -HOUR);
        // It ran slower for at most five seconds.
        assert!((-SECOND..=0).contains(&test.ahead()), "{}", test.ahead());
        test.pass(20, 0);
        assert_eq!(test.ahead(), 0);
    }

    #[test]
    fn jump_ahead_that_lasts_is_followed_after_a_minute() {
        let mut test = Test::new();
        test.pass(59, HOUR);
        assert_eq!(test.ahead(), 0);
        test.pass(3, HOUR);
        assert_eq!(test.ahead(), HOUR);
    }

    #[test]
    fn jump_back_slows_the_clock_by_a_tenth_until_it_agrees() {
        let mut test = Test::new();
        test.pass(100, -20 * SECOND);
        let ahead = test.ahead();
        assert!((-10 * SECOND..=-9 * SECOND).contains(&ahead), "{ahead}");
        test.pass(200, -20 * SECOND);
        let ahead = test.ahead();
        assert!((ahead + 20 * SECOND).abs() < SECOND / 10, "{ahead}");
    }

    #[test]
    fn slow_drift_is_made_up() {
        let mut test = Test::new();
        for step in 0..100 {
            test.pass(1, step * 1_000);
        }
        test.pass(10, 100_000);
        assert_eq!(test.ahead(), 100_000);
    }

    #[test]
    fn database_is_followed_at_once_when_opened_and_after_three_readings_later() {
        let mut test = Test::new();
        let at = test.at();
        let reading = Reading { micros: START - 90 * SECOND, at, within: Duration::from_millis(1) };
        test.steering.set(reading, START, at);
        assert_eq!(test.ahead(), -90 * SECOND);
        test.pass_on_database(10, -90 * SECOND);
        assert_eq!(test.ahead(), -90 * SECOND);
        for ahead in [HOUR, -HOUR] {
            test.pass_on_database(2, ahead);
            assert_ne!(test.ahead(), ahead);
            test.pass_on_database(1, ahead);
            assert_eq!(test.ahead(), ahead);
        }
        // A single wrong reading is not a jump.
        test.pass_on_database(1, 0);
        test.pass_on_database(5, -HOUR);
        assert_eq!(test.ahead(), -HOUR);
    }

    #[test]
    fn small_difference_from_the_database_is_made_up_gradually() {
        let mut test = Test::new();
        test.pass_on_database(2, SECOND);
        let ahead = test.ahead();
        assert!((0..SECOND / 2).contains(&ahead), "{ahead}");
        test.pass_on_database(20, SECOND);
        assert!((test.ahead() - SECOND).abs() <= 1_000);
    }
}
