//! Time and ids. No other module reads the time, so tests can freeze it.
//!
//! A running clock counts with the machine's monotonic clock, so a change of the wall clock does not move it.
//! It is steered toward a reference: the wall clock on SQLite, and the database's clock, which all nodes
//! share, on PostgreSQL. See `docs/adr/0053-one-clock.md`.

mod steering;

use self::steering::Steering;
use entity::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::{ContextV7, Uuid};

/// The server's clock and the source of its ids.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    time: Time,
    order: Mutex<ContextV7>,
}

#[derive(Debug)]
enum Time {
    Frozen(Mutex<Timestamp>),
    Running { wall: Wall, steering: Mutex<Steering>, started: Instant },
}

/// The machine's wall clock. Tests can set it ahead or back.
#[derive(Clone, Debug, Default)]
pub struct Wall {
    ahead: Arc<AtomicI64>,
}

impl Wall {
    /// Sets it ahead of the machine's clock by this many milliseconds. Negative numbers set it back.
    pub fn set_ahead(&self, millis: i64) {
        self.ahead.store(millis, Ordering::SeqCst);
    }

    fn micros(&self) -> i64 {
        let ahead = self.ahead.load(Ordering::SeqCst).saturating_mul(1_000);
        #[expect(clippy::disallowed_methods, reason = "this is where the wall clock is read")]
        let now = chrono::Utc::now();
        now.timestamp_micros().saturating_add(ahead)
    }
}

/// A reading of the database's clock.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The time, in microseconds since the Unix epoch.
    pub micros: i64,
    /// The time of the reading, halfway between request and response.
    pub at: Instant,
    /// The possible error: half of the time between request and response.
    pub within: Duration,
}

impl Clock {
    /// A clock that starts at the machine's time.
    #[must_use]
    pub fn system() -> Self {
        Self::on(Wall::default())
    }

    /// A clock that starts at a wall clock's time.
    #[must_use]
    pub fn on(wall: Wall) -> Self {
        let started = Instant::now();
        let steering = Mutex::new(Steering::new(wall.micros(), started));
        let time = Time::Running { wall, steering, started };
        Self(Arc::new(Inner { time, order: Mutex::new(ContextV7::new()) }))
    }

    /// A clock that stands still until a test advances it.
    #[must_use]
    pub fn frozen(at: Timestamp) -> Self {
        let time = Time::Frozen(Mutex::new(at));
        Self(Arc::new(Inner { time, order: Mutex::new(ContextV7::new()) }))
    }

    /// The time, in whole milliseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0.time {
            Time::Frozen(at) => *lock(at),
            Time::Running { steering, .. } => {
                let steering = lock(steering);
                Timestamp(steering.now(Instant::now()).div_euclid(1_000))
            }
        }
    }

    /// The time since an arbitrary moment, for measuring durations. It never goes back, and it stands still
    /// while the clock is frozen.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match &self.0.time {
            Time::Frozen(at) => Duration::from_millis(u64::try_from(lock(at).0).unwrap_or_default()),
            Time::Running { started, .. } => started.elapsed(),
        }
    }

    /// Advances a frozen clock. A running clock is not affected.
    pub fn advance(&self, by: Duration) {
        if let Time::Frozen(at) = &self.0.time {
            let mut at = lock(at);
            at.0 = at.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
        }
    }

    /// Compares a running clock with the wall clock and steers it. Call it every second.
    pub fn follow_wall(&self) {
        if let Time::Running { wall, steering, .. } = &self.0.time {
            // Both clocks are read under the lock, so that the readings belong together.
            let mut steering = lock(steering);
            steering.follow_wall(wall.micros(), Instant::now());
        }
    }

    /// Compares a running clock with the database's clock and steers it. Call it every few seconds.
    pub fn follow_database(&self, reading: Reading) {
        if let Time::Running { wall, steering, .. } = &self.0.time {
            let mut steering = lock(steering);
            steering.follow_database(reading, wall.micros(), Instant::now());
        }
    }

    /// Sets a running clock to the database's time. Called once, when the database is opened.
    pub fn set(&self, reading: Reading) {
        if let Time::Running { wall, steering, .. } = &self.0.time {
            let mut steering = lock(steering);
            steering.set(reading, wall.micros(), Instant::now());
        }
    }

    /// A new `UUIDv7`, larger than the ones that this clock created before in the same millisecond.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let millis = u64::try_from(self.now().0).unwrap_or_default();
        let order = lock(&self.0.order);
        let nanos = u32::try_from(millis % 1_000).unwrap_or_default() * 1_000_000;
        #[expect(clippy::disallowed_methods, reason = "this is where ids are made")]
        Uuid::new_v7(uuid::Timestamp::from_unix(&*order, millis / 1_000, nanos))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_moment_keep_the_order_in_which_they_were_made() {
        let clock = Clock::frozen(Timestamp(1_800_000_000_123));
        let ids: Vec<_> = (0..1_000).map(|_| clock.new_id()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(ids[0].get_timestamp().map(|at| at.to_unix()), Some((1_800_000_000, 123_000_000)));
    }

    #[test]
    fn wall_clock_that_is_set_moves_nothing_by_itself() {
        let wall = Wall::default();
        let clock = Clock::on(wall.clone());
        let before = clock.now();
        for ahead in [86_400_000, -3_600_000] {
            wall.set_ahead(ahead);
            clock.follow_wall();
            let passed = clock.now().since(before).num_milliseconds();
            assert!((0..60_000).contains(&passed), "{passed} ms passed");
        }
    }
}
