//! Delivery of webhooks: signs the requests in the outbox, and posts them.
//!
//! A worker on every node leases due deliveries and posts them. Each endpoint has its own slots, so that a
//! slow endpoint does not delay the others. This module resolves names itself, checks every address, and
//! connects to an address that it has checked. It never follows redirects or proxies.

mod address;
mod housekeeping;
mod outcome;
mod post;
mod resolver;
mod signature;
mod target;
mod trouble;
mod worker;

pub use address::Allowed;
pub use resolver::Resolver;
pub use signature::new_secret;
pub use target::{BadTarget, Target};
pub use worker::{Worker, release_all};

use std::time::Duration;

/// The settings of deliveries.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The networks besides the public internet to which webhooks may be sent.
    pub allowed: Allowed,
    /// The resolver of host names. Not a setting; tests replace it.
    pub resolver: Resolver,
    /// The time limit of an attempt, from the name lookup to the end of the response. Not a setting; tests
    /// shorten it.
    pub timeout: Duration,
    /// How long an attempt belongs to the node that started it: longer than its time limit. Not a setting.
    pub lease: Duration,
    /// The interval of looking for due deliveries. Not a setting; tests shorten it.
    pub tick: Duration,
    /// The interval of deleting old rows. Not a setting; tests shorten it.
    pub clear: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowed: Allowed::default(),
            resolver: Resolver::System,
            timeout: Duration::from_secs(15),
            lease: Duration::from_secs(45),
            tick: Duration::from_secs(1),
            clear: Duration::from_mins(10),
        }
    }
}
