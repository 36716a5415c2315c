//! The state of one accepted connection, shared by its socket, its requests and the sweep that closes it.

use super::http2_stream::Http2Stream;
use crate::http::limits::ConnectionLimits;
use axum::http::Version;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The minimum age in milliseconds of a connection without a request before it may be closed for another one.
/// Its request may still be in transit.
const SILENT_AFTER: u64 = 250;
/// How many milliseconds after [`ConnectionLimits::idle_within`] a connection may take to close.
const RETIRE_WITHIN: u64 = 1_000;

/// An accepted connection. Times are milliseconds since `epoch`, plus one; 0 means none.
pub(super) struct Connection {
    pub(super) id: u64,
    /// The address that counts towards the limit per address.
    pub(super) address: IpAddr,
    /// Whether it was accepted beyond the connection limit, and so serves only health checks.
    pub(super) is_spare: bool,
    epoch: Instant,
    opened: u64,
    is_http2: AtomicBool,
    is_upgraded: AtomicBool,
    has_served: AtomicBool,
    requests: AtomicUsize,
    held: AtomicUsize,
    head_since: AtomicU64,
    idle_since: AtomicU64,
    blocked_since: AtomicU64,
    /// Requests the end of the connection after its running requests.
    pub(super) retire: CancellationToken,
    /// Ends the connection at once.
    pub(super) cut: CancellationToken,
}

/// The reason why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// No first request arrived in time.
    NoRequest,
    /// The head of a request started and was not completed in time.
    SlowHead,
    /// No request arrived for too long.
    Idle,
    /// It was idle, and did not close on request.
    StillThere,
    /// The peer does not read.
    Stalled,
}

impl Connection {
    pub(super) fn new(id: u64, address: IpAddr, is_spare: bool, epoch: Instant) -> Arc<Self> {
        let connection = Self {
            id,
            address,
            is_spare,
            epoch,
            opened: 0,
            is_http2: AtomicBool::default(),
            is_upgraded: AtomicBool::default(),
            has_served: AtomicBool::default(),
            requests: AtomicUsize::default(),
            held: AtomicUsize::default(),
            head_since: AtomicU64::default(),
            idle_since: AtomicU64::default(),
            blocked_since: AtomicU64::default(),
            retire: CancellationToken::new(),
            cut: CancellationToken::new(),
        };
        let opened = connection.now();
        Arc::new(Self { opened, ..connection })
    }

    /// The current time in the format of the fields.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Records that bytes arrived.
    pub(super) fn has_read(&self) {
        let is_between_requests = self.requests.load(Ordering::Relaxed) == 0;
        if is_between_requests && self.head_since.load(Ordering::Relaxed) == 0 {
            self.head_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Records that the peer read bytes.
    pub(super) fn has_written(&self) {
        self.blocked_since.store(0, Ordering::Relaxed);
    }

    /// Records that the peer does not read at the moment.
    pub(super) fn is_refused(&self) {
        let _ = self.blocked_since.compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether bytes wait for the peer to read them.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked_since.load(Ordering::Relaxed) != 0
    }

    /// Counts a request until the result is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> UnderWay {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.has_served.store(true, Ordering::Relaxed);
        self.is_http2.store(version == Version::HTTP_2, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// Records that the connection was upgraded to another protocol, which has deadlines of its own.
    pub(super) fn upgrade(&self) {
        self.is_upgraded.store(true, Ordering::Relaxed);
    }

    /// Whether a signed-in actor has a stream on it.
    pub(super) fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed) > 0
    }

    pub(super) fn is_without_requests(&self) -> bool {
        self.requests.load(Ordering::Relaxed) == 0
    }

    /// The time since which the connection has had no request, if it may be closed in favor of another one.
    pub(super) fn silent_since(&self, now: u64) -> Option<u64> {
        let is_busy = !self.is_without_requests() || self.is_upgraded.load(Ordering::Relaxed);
        if is_busy || self.cut.is_cancelled() {
            return None;
        }
        let since = self.idle_since.load(Ordering::Relaxed).max(self.opened);
        (since.saturating_add(SILENT_AFTER) <= now).then_some(since)
    }

    /// The reason to close the connection now.
    pub(super) fn overdue(&self, now: u64, limits: &ConnectionLimits) -> Option<Overdue> {
        let is_past = |since: u64, within: Duration| {
            since != 0 && now.saturating_sub(since) > u64::try_from(within.as_millis()).unwrap_or(u64::MAX)
        };
        if is_past(self.blocked_since.load(Ordering::Relaxed), limits.write_within) {
            return Some(Overdue::Stalled);
        }
        if self.is_upgraded.load(Ordering::Relaxed) || !self.is_without_requests() {
            return None;
        }
        if !self.has_served.load(Ordering::Relaxed) {
            return is_past(self.opened, limits.head_within).then_some(Overdue::NoRequest);
        }
        // HTTP/2 frames also arrive between requests.
        let is_http2 = self.is_http2.load(Ordering::Relaxed);
        if !is_http2 && is_past(self.head_since.load(Ordering::Relaxed), limits.head_within) {
            return Some(Overdue::SlowHead);
        }
        let idle_since = self.idle_since.load(Ordering::Relaxed);
        if is_past(idle_since, limits.idle_within + Duration::from_millis(RETIRE_WITHIN)) {
            return Some(Overdue::StillThere);
        }
        is_past(idle_since, limits.idle_within).then_some(Overdue::Idle)
    }
}

/// A request whose response has not ended.
pub(super) struct UnderWay(Arc<Connection>);

impl UnderWay {
    /// The current time on the connection's clock.
    pub(super) fn now(&self) -> u64 {
        self.0.now()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.now(), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request handler's view of its connection.
#[derive(Clone)]
pub(in crate::http) struct Link {
    pub(super) connection: Arc<Connection>,
    /// The HTTP/2 stream. Older protocols have one request at a time.
    pub(super) stream: Option<Arc<Http2Stream>>,
}

impl Link {
    /// Ends the request's HTTP/2 stream or, on older protocols, its connection at once, even if the peer does
    /// not read.
    pub(in crate::http) fn cut(&self) {
        match &self.stream {
            Some(stream) => stream.cut.cancel(),
            None => self.connection.cut.cancel(),
        }
    }

    /// Whether the peer does not read.
    pub(in crate::http) fn is_blocked(&self) -> bool {
        self.connection.is_blocked() || self.stream.as_ref().is_some_and(|stream| stream.is_waiting())
    }

    /// Records, until the result is dropped, that a signed-in actor uses the connection.
    pub(in crate::http) fn hold(&self) -> Hold {
        self.connection.held.fetch_add(1, Ordering::Relaxed);
        Hold(Arc::clone(&self.connection))
    }
}

/// Counts the connection as used by a signed-in actor.
pub(in crate::http) struct Hold(Arc<Connection>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn connection() -> Arc<Connection> {
        Connection::new(1, IpAddr::V4(Ipv4Addr::LOCALHOST), false, Instant::now())
    }

    fn later(connection: &Connection, seconds: u64) -> u64 {
        connection.now() + seconds * 1_000 + 500
    }

    #[test]
    fn a_connection_without_a_request_is_closed_after_10_seconds() {
        let (connection, limits) = (connection(), ConnectionLimits::default());
        connection.has_read();
        assert_eq!(connection.overdue(later(&connection, 9), &limits), None);
        assert_eq!(connection.overdue(later(&connection, 10), &limits), Some(Overdue::NoRequest));
    }

    #[test]
    fn an_idle_connection_is_kept_for_75_seconds_and_a_slow_head_for_10() {
        let (connection, limits) = (connection(), ConnectionLimits::default());
        drop(connection.begin(Version::HTTP_11));
        assert_eq!(connection.overdue(later(&connection, 74), &limits), None);
        assert_eq!(connection.overdue(later(&connection, 75), &limits), Some(Overdue::Idle));
        assert_eq!(connection.overdue(later(&connection, 77), &limits), Some(Overdue::StillThere));
        connection.has_read();
        assert_eq!(connection.overdue(later(&connection, 10), &limits), Some(Overdue::SlowHead));
        // An HTTP/2 frame need not start a request.
        drop(connection.begin(Version::HTTP_2));
        connection.has_read();
        assert_eq!(connection.overdue(later(&connection, 74), &limits), None);
    }

    #[test]
    fn a_request_under_way_and_an_upgrade_have_deadlines_of_their_own() {
        let (connection, limits) = (connection(), ConnectionLimits::default());
        let request = connection.begin(Version::HTTP_11);
        assert_eq!(connection.overdue(later(&connection, 1_000), &limits), None);
        connection.upgrade();
        drop(request);
        assert_eq!(connection.overdue(later(&connection, 1_000), &limits), None);
        assert_eq!(connection.silent_since(later(&connection, 1_000)), None);
    }

    #[test]
    fn a_write_without_progress_is_overdue_after_14_seconds() {
        let (connection, limits) = (connection(), ConnectionLimits::default());
        let _request = connection.begin(Version::HTTP_11);
        connection.is_refused();
        assert_eq!(connection.overdue(later(&connection, 13), &limits), None);
        assert_eq!(connection.overdue(later(&connection, 14), &limits), Some(Overdue::Stalled));
        connection.has_written();
        assert_eq!(connection.overdue(later(&connection, 15), &limits), None);
    }
}
