//! Time and ids: the only place that asks what time it is. Tests freeze it.

use entity::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::{ContextV7, Uuid};

/// The server's clock and the maker of its ids.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    frozen: Option<Mutex<Timestamp>>,
    order: Mutex<ContextV7>,
}

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Inner { frozen: None, order: Mutex::new(ContextV7::new()) }))
    }

    /// A clock that stands still until it is advanced.
    #[must_use]
    pub fn frozen(at: Timestamp) -> Self {
        Self(Arc::new(Inner { frozen: Some(Mutex::new(at)), order: Mutex::new(ContextV7::new()) }))
    }

    /// The time, in whole milliseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0.frozen {
            Some(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
            None => Timestamp::from(chrono::Utc::now()),
        }
    }

    /// Moves a frozen clock on; the machine's own clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Some(at) = &self.0.frozen {
            let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
            at.0 = at.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
        }
    }

    /// A new `UUIDv7`, larger than the ones this clock made before in the same millisecond.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let millis = u64::try_from(self.now().0).unwrap_or_default();
        let order = self.0.order.lock().unwrap_or_else(PoisonError::into_inner);
        let nanos = u32::try_from(millis % 1_000).unwrap_or_default() * 1_000_000;
        Uuid::new_v7(uuid::Timestamp::from_unix(&*order, millis / 1_000, nanos))
    }
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
}
