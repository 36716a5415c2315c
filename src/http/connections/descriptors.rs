//! File descriptors: raises the limit as far as the system allows, and reserves some for everything except
//! connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The number of descriptors reserved besides the database's: for files, webhooks, the bus and health checks.
const RESERVED: u64 = 64;
/// The minimum connection limit, however few descriptors there are.
const FEWEST: u64 = 16;

/// Raises this process's limit of open files to the system's maximum. Returns the new limit, or `None` if
/// there is none.
pub fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, "could not raise the limit of open files");
        }
    }
    getrlimit(Resource::Nofile).current
}

/// The number of connections that fit into the limit of open files, besides the files that are already open
/// and `database_connections` more.
#[must_use]
pub fn connections_within_limit(database_connections: u32) -> usize {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return usize::MAX };
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let taken = RESERVED + u64::from(database_connections) + u64::try_from(open).unwrap_or(0);
    usize::try_from(limit.saturating_sub(taken).max(FEWEST)).unwrap_or(usize::MAX)
}
