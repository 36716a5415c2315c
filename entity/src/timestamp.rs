//! A time in whole milliseconds, so that it is the same value in Rust, SQLite, PostgreSQL and JSON.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC. Stored as a 64-bit integer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, DeriveValueType, Serialize, Deserialize,
)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The time for chrono. A number outside chrono's range (some 262,000 years) is clamped.
    #[must_use]
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// The time `delta` later (earlier if it is negative), saturating.
    #[must_use]
    pub fn plus(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_add(delta.num_milliseconds()))
    }

    /// The time `delta` earlier, saturating.
    #[must_use]
    pub fn minus(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_sub(delta.num_milliseconds()))
    }

    /// The duration from `earlier` to this time. Negative if this time is before it.
    #[must_use]
    pub fn since(self, earlier: Self) -> TimeDelta {
        TimeDelta::milliseconds(self.0.saturating_sub(earlier.0))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_millis())
    }
}
