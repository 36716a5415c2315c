//! The registry of open connections: their limit, and the choice of the one to close.

use super::connection::{Connection, Overdue};
use crate::http::address::counted;
use crate::http::limits::ConnectionLimits;
use ipnet::IpNet;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Connections accepted beyond the budget: they answer health checks, and tell everybody else to come later.
const SPARE: usize = 16;
/// One of so many connections of the budget is closed at once when room is needed.
const EVICTED_OF: usize = 64;
/// The wait for a connection to end before checking again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// The interval of the sweep.
const SWEEP_EVERY: Duration = Duration::from_millis(250);
/// The interval of warnings about refused connections.
const WARN_EVERY: Duration = Duration::from_secs(30);

/// The open connections.
pub(super) struct Registry {
    limits: ConnectionLimits,
    /// Connections at once.
    budget: usize,
    /// Networks whose connections are not counted per address.
    exempt: Vec<IpNet>,
    stopping: CancellationToken,
    epoch: Instant,
    open: Mutex<Open>,
    has_closed: Notify,
}

#[derive(Default)]
struct Open {
    next: u64,
    /// All connections in the order in which they were accepted.
    all: BTreeMap<u64, Arc<Connection>>,
    of_address: HashMap<IpAddr, usize>,
    warned: Option<Instant>,
}

/// A connection's place among the open ones, until it is dropped.
pub(super) struct Entry {
    registry: Arc<Registry>,
    connection: Arc<Connection>,
}

impl Registry {
    pub(super) fn new(
        limits: ConnectionLimits,
        budget: usize,
        exempt: Vec<IpNet>,
        stopping: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            limits,
            budget,
            exempt,
            stopping,
            epoch: Instant::now(),
            open: Mutex::default(),
            has_closed: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Waits until one more connection may be accepted. Where the budget is used up, the connections that have
    /// been silent the longest are closed; where none is silent, a few more are accepted for health checks.
    pub(super) async fn room(&self) {
        loop {
            let has_closed = self.has_closed.notified();
            {
                let mut open = self.lock();
                if open.all.len() < self.budget {
                    return;
                }
                let has_evicted = open.evict(self.now(), 1 + self.budget / EVICTED_OF, |_| true);
                if open.warn() {
                    tracing::warn!(
                        connections = open.all.len(),
                        "the limit of open files is reached; refusing connections"
                    );
                }
                if !has_evicted && open.all.len() < self.budget + SPARE {
                    return;
                }
            }
            let _ = tokio::time::timeout(LOOK_AGAIN, has_closed).await;
        }
    }

    /// Closes the connections that have been silent the longest, because the machine has no descriptors left.
    pub(super) fn make_room(&self) {
        self.lock().evict(self.now(), 1 + self.budget / EVICTED_OF, |_| true);
    }

    /// Takes in a connection, unless its address has too many on which nobody has signed in, and none of them
    /// is silent.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Entry> {
        let address = address.to_canonical();
        let is_limited =
            self.limits.per_address > 0 && !self.exempt.iter().any(|network| network.contains(&address));
        let address = counted(address);
        let mut open = self.lock();
        if is_limited && !open.has_room_for(address, self.limits.per_address, self.now()) {
            if open.warn() {
                tracing::warn!(
                    %address,
                    limit = self.limits.per_address,
                    "refused connections of an address that has too many; if it is a proxy, add it to --trusted-proxies"
                );
            }
            return None;
        }
        open.next += 1;
        let is_spare = open.all.len() >= self.budget;
        let connection = Connection::new(open.next, address, is_spare, self.epoch);
        open.all.insert(connection.id, Arc::clone(&connection));
        *open.of_address.entry(address).or_default() += 1;
        Some(Entry { registry: Arc::clone(self), connection })
    }

    /// Closes connections that are overdue. Never ends.
    pub(super) async fn sweep(&self) {
        let mut ticks = tokio::time::interval(SWEEP_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = self.now();
            let overdue: Vec<_> = {
                let open = self.lock();
                let overdue = |connection: &Arc<Connection>| {
                    let overdue = connection.overdue(now, &self.limits)?;
                    Some((Arc::clone(connection), overdue))
                };
                open.all.values().filter_map(overdue).collect()
            };
            for (connection, overdue) in overdue {
                tracing::debug!(connection = connection.id, ?overdue, "closed a connection");
                match overdue {
                    Overdue::Idle => connection.retire.cancel(),
                    Overdue::NoRequest | Overdue::SlowHead | Overdue::StillThere | Overdue::Stalled => {
                        connection.cut.cancel();
                    }
                }
            }
        }
    }

    /// Closes connections on which nothing is under way, and those that are overdue, until none is left. Never ends.
    pub(super) async fn drain(&self) {
        let drained = async {
            loop {
                self.lock().evict(self.now(), usize::MAX, |_| true);
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::select! {
            () = drained => {}
            () = self.sweep() => {}
        }
    }

    /// Ends everything that is still open.
    pub(super) fn cut_all(&self) {
        for connection in self.lock().all.values() {
            connection.cut.cancel();
        }
    }
}

impl Open {
    /// Whether the address may have one more connection, after its most silent one was closed where needed.
    fn has_room_for(&self, address: IpAddr, limit: usize, now: u64) -> bool {
        if self.of_address.get(&address).is_none_or(|count| *count < limit) {
            return true;
        }
        let is_counted = |connection: &Connection| {
            connection.address == address && !connection.is_held() && !connection.cut.is_cancelled()
        };
        let counted = self.all.values().filter(|connection| is_counted(connection)).count();
        counted < limit || self.evict(now, 1, is_counted)
    }

    /// Closes up to `count` of the connections that have been silent the longest; whether there were any.
    fn evict(&self, now: u64, count: usize, is_meant: impl Fn(&Connection) -> bool) -> bool {
        let silent = |connection: &Arc<Connection>| Some((connection.silent_since(now)?, connection.id));
        let meant = self.all.values().filter(|connection| is_meant(connection));
        let mut silent: Vec<_> = meant.filter_map(silent).collect();
        silent.sort_unstable();
        silent.truncate(count);
        for (_, id) in &silent {
            if let Some(connection) = self.all.get(id) {
                connection.cut.cancel();
            }
        }
        !silent.is_empty()
    }

    /// Whether it is time to say in the log that connections are refused.
    fn warn(&mut self) -> bool {
        let is_due = self.warned.is_none_or(|warned| warned.elapsed() > WARN_EVERY);
        if is_due {
            self.warned = Some(Instant::now());
        }
        is_due
    }
}

impl Entry {
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Whether the server is about to end.
    pub(super) fn is_stopping(&self) -> bool {
        self.registry.stopping.is_cancelled()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.registry.lock();
        open.all.remove(&self.connection.id);
        if let Some(count) = open.of_address.get_mut(&self.connection.address) {
            *count -= 1;
            if *count == 0 {
                open.of_address.remove(&self.connection.address);
            }
        }
        drop(open);
        self.registry.has_closed.notify_one();
    }
}
