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

/// The number of connections accepted beyond the limit. They serve health checks and return 503 for
/// everything else.
const SPARE: usize = 16;
/// To make room, one connection is closed, plus one for this many of the limit.
const EVICTED_OF: usize = 64;
/// How long to wait for a connection to close before checking again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// The interval of the sweep.
const SWEEP_EVERY: Duration = Duration::from_millis(250);
/// The interval of warnings about refused connections.
const WARN_EVERY: Duration = Duration::from_secs(30);

/// The open connections.
pub(super) struct Registry {
    limits: ConnectionLimits,
    /// The maximum number of connections.
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
    /// All connections in the order of acceptance.
    all: BTreeMap<u64, Arc<Connection>>,
    of_address: HashMap<IpAddr, usize>,
    warned: Option<Instant>,
}

/// A connection's entry in the registry, removed when dropped.
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

    /// Waits until another connection may be accepted. At the limit, the longest silent connections are
    /// closed. If none is silent, a few more are accepted for health checks.
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

    /// Closes the longest silent connections, because no file descriptors are left.
    pub(super) fn make_room(&self) {
        self.lock().evict(self.now(), 1 + self.budget / EVICTED_OF, |_| true);
    }

    /// Adds a connection. `None` if its address has too many connections without a signed-in actor, and none
    /// of them is silent.
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

    /// Closes overdue connections. Never returns.
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

    /// Closes connections without running requests and overdue ones until none is left. Never returns.
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

    /// Closes all remaining connections at once.
    pub(super) fn cut_all(&self) {
        for connection in self.lock().all.values() {
            connection.cut.cancel();
        }
    }
}

impl Open {
    /// Whether the address may have another connection. Closes its longest silent one if necessary.
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

    /// Closes up to `count` of the longest silent connections. Returns whether there were any.
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

    /// Whether a warning about refused connections is due.
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

    /// Whether the server is stopping.
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
