//! How news leaves: what the outbox holds is signed and posted to webhooks.
//!
//! A worker on every node takes what is due under a lease and posts it. Each endpoint has a few places of its own,
//! so that one that does not answer delays no other. Names are resolved here, every address is checked, and the
//! connection goes to an address that was: redirects and proxies are not followed, because nothing follows them.

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

/// What can be set of deliveries.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Networks beside the public internet that webhooks may lead to.
    pub allowed: Allowed,
    /// What answers for names. Not a setting: tests answer themselves.
    pub resolver: Resolver,
    /// How long an attempt may take, from the name to the end of the answer. Not a setting: tests make it short.
    pub timeout: Duration,
    /// How long an attempt belongs to the node that began it: longer than it may take. Not a setting.
    pub lease: Duration,
    /// How often is looked for what has become due. Not a setting: tests make it short.
    pub tick: Duration,
    /// How often is looked for what nobody needs any more. Not a setting: tests make it short.
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
