//! Who may come in just now: how often an actor changes things, and how much runs at once. Counted on this node
//! alone.

use crate::domain::viewer::{Viewer, ViewerRole};
use entity::ActorId;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Queries and mutations that run at once.
const RUNNING: usize = 1_000;
/// How long one more waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(1);
/// After so many looks, actors who have been quiet are forgotten.
const FORGET_EVERY: usize = 10_000;

/// Changes a second and at once, of one actor.
struct Allowance {
    per_second: u32,
    burst: u32,
}

fn allowance(role: ViewerRole) -> Allowance {
    match role {
        ViewerRole::Visitor => Allowance { per_second: 2, burst: 10 },
        ViewerRole::Operator | ViewerRole::Admin => Allowance { per_second: 10, burst: 50 },
        ViewerRole::ApiClient => Allowance { per_second: 50, burst: 200 },
        // It only signs in, which is counted by room and address.
        ViewerRole::Widget => Allowance { per_second: 1_000, burst: 1_000 },
    }
}

/// Sign-ins by widgets, a second and at once: of one address, and of one room.
const SIGN_INS: [(u32, u32); 2] = [(1, 30), (50, 500)];

/// Counts who is in, and who comes how often.
pub(super) struct Admission {
    /// A limiter for each allowance; nothing where rates are lifted.
    rates: Option<HashMap<u32, DefaultKeyedRateLimiter<ActorId>>>,
    /// By address and by room.
    sign_ins: Option<(DefaultKeyedRateLimiter<IpAddr>, DefaultKeyedRateLimiter<ActorId>)>,
    clock: DefaultClock,
    looks: AtomicUsize,
    running: Arc<Semaphore>,
}

impl Admission {
    /// `factor` multiplies the rates; 0 lifts them.
    pub(super) fn new(factor: u32) -> Arc<Self> {
        let roles = [ViewerRole::Visitor, ViewerRole::Operator, ViewerRole::ApiClient, ViewerRole::Widget];
        let limiters =
            roles.map(allowance).into_iter().filter_map(|Allowance { per_second, burst, .. }| {
                Some((per_second, RateLimiter::keyed(quota(per_second, burst, factor)?)))
            });
        let [of_address, of_room] = SIGN_INS.map(|(per_second, burst)| quota(per_second, burst, factor));
        let sign_ins = of_address.zip(of_room);
        Arc::new(Self {
            sign_ins: sign_ins.map(|(address, room)| (RateLimiter::keyed(address), RateLimiter::keyed(room))),
            rates: (factor > 0).then(|| limiters.collect()),
            clock: DefaultClock::default(),
            looks: AtomicUsize::new(0),
            running: Arc::new(Semaphore::new(RUNNING)),
        })
    }

    /// Lets so many changes pass, or says how long to wait.
    pub(super) fn change(&self, viewer: &Viewer, count: usize) -> Result<(), Duration> {
        let Some(count) = u32::try_from(count).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        let limiter = self.rates.as_ref().and_then(|rates| rates.get(&allowance(viewer.role).per_second));
        let Some(limiter) = limiter else { return Ok(()) };
        if self.looks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            limiter.retain_recent();
        }
        match limiter.check_key_n(&viewer.actor_id, count) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(self.clock.now())),
            // More at once than ever fits: the document's own limit comes first.
            Err(_) => Err(Duration::from_secs(1)),
        }
    }

    /// Lets a widget sign somebody in, or says how long to wait. Who is refused by their address does not use up what
    /// the room has for others.
    pub(super) fn sign_in(&self, viewer: &Viewer, address: Option<IpAddr>) -> Result<(), Duration> {
        let Some((of_address, of_room)) = &self.sign_ins else { return Ok(()) };
        if self.looks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            of_address.retain_recent();
            of_room.retain_recent();
        }
        let wait = |not_until: governor::NotUntil<_>| not_until.wait_time_from(self.clock.now());
        if let Some(address) = address {
            of_address.check_key(&address).map_err(wait)?;
        }
        of_room.check_key(&viewer.actor_id).map_err(wait)
    }

    /// A turn to run, unless none comes in time.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.running).acquire_owned();
        tokio::time::timeout(TURN_WITHIN, turn).await.ok()?.ok()
    }
}

fn quota(per_second: u32, burst: u32, factor: u32) -> Option<Quota> {
    let quota = Quota::per_second(NonZeroU32::new(per_second.saturating_mul(factor))?);
    Some(quota.allow_burst(NonZeroU32::new(burst.saturating_mul(factor))?))
}
