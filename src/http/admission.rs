//! Rate limits of actors: the number of mutations and the cost of operations. Counted on this node only.

use crate::clock::Clock;
use crate::domain::policy::{self, Allowance};
use crate::domain::viewer::Viewer;
use entity::ActorId;
use governor::clock::Clock as LimiterClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The number of checks after which inactive actors are forgotten.
const FORGET_EVERY: usize = 10_000;

/// The limits of widget sign-ins, as rate per second and burst: per address, and per room.
const SIGN_INS: [(u32, u32); 2] = [(1, 30), (50, 500)];

/// The kind of spending. Each has its own budget, so that busy streams do not use up the budget of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Spending {
    /// Queries, mutations and the start of subscriptions.
    Requests,
    /// Items of subscriptions.
    Items,
}

/// The server's clock as the limiters' time, which tests can freeze.
#[derive(Clone)]
struct Elapsed(Clock);

impl LimiterClock for Elapsed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Limiter<K> = RateLimiter<K, DefaultKeyedStateStore<K>, Elapsed, NoOpMiddleware<Duration>>;

/// The limiters of one allowance.
struct Rates {
    changes: Limiter<ActorId>,
    requests: Limiter<ActorId>,
    items: Limiter<ActorId>,
    /// The time in which an actor gets back one unit, and one change.
    unit: Duration,
    change: Duration,
}

impl Rates {
    fn of(&self, spending: Spending) -> &Limiter<ActorId> {
        match spending {
            Spending::Requests => &self.requests,
            Spending::Items => &self.items,
        }
    }
}

/// Applies the rate limits.
pub(super) struct Admission {
    /// The limiters of each allowance. Absent if rates are unlimited.
    rates: Option<HashMap<u32, Rates>>,
    /// The limiters of sign-ins, by address and by room.
    sign_ins: Option<(Limiter<IpAddr>, Limiter<ActorId>)>,
    clock: Elapsed,
    looks: AtomicUsize,
}

impl Admission {
    /// Creates the limits. `factor` multiplies the rates; 0 removes them.
    pub(super) fn new(factor: u32, clock: Clock) -> Arc<Self> {
        let clock = Elapsed(clock);
        let limiters = Allowance::ALL.into_iter().filter_map(|allowance| {
            let Allowance { per_second, burst, units, open_streams: _ } = allowance;
            let of_units = quota(units.0, units.1, factor)?;
            let of_changes = quota(per_second, burst, factor)?;
            let rates = Rates {
                changes: limiter(of_changes, &clock),
                requests: limiter(of_units, &clock),
                items: limiter(of_units, &clock),
                unit: of_units.replenish_interval(),
                change: of_changes.replenish_interval(),
            };
            Some((per_second, rates))
        });
        let [of_address, of_room] = SIGN_INS.map(|(per_second, burst)| quota(per_second, burst, factor));
        let sign_ins = of_address.zip(of_room);
        Arc::new(Self {
            sign_ins: sign_ins.map(|(address, room)| (limiter(address, &clock), limiter(room, &clock))),
            rates: (factor > 0).then(|| limiters.collect()),
            clock: clock.clone(),
            looks: AtomicUsize::new(0),
        })
    }

    /// Admits this many mutations, or returns how long to wait.
    pub(super) fn change(&self, viewer: &Viewer, count: usize) -> Result<(), Duration> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.take(viewer, count, |rates| &rates.changes)
    }

    /// Takes units from the actor's budget, or returns how long to wait.
    pub(super) fn spend(&self, viewer: &Viewer, on: Spending, units: u64) -> Result<(), Duration> {
        self.take(viewer, count(units), |rates| rates.of(on))
    }

    /// The time in which an actor gets back so many units for requests and so many changes.
    pub(super) fn refill(&self, viewer: &Viewer, units: u64, changes: usize) -> Duration {
        let Some(rates) = self.rates_of(viewer) else { return Duration::ZERO };
        let changes = u32::try_from(changes).unwrap_or(u32::MAX);
        let of_units = rates.unit.saturating_mul(count(units));
        of_units.max(rates.change.saturating_mul(changes))
    }

    fn rates_of(&self, viewer: &Viewer) -> Option<&Rates> {
        self.rates.as_ref()?.get(&policy::allowance(viewer).per_second)
    }

    fn take(
        &self,
        viewer: &Viewer,
        count: u32,
        of: impl Fn(&Rates) -> &Limiter<ActorId>,
    ) -> Result<(), Duration> {
        let Some(count) = NonZeroU32::new(count) else { return Ok(()) };
        let Some(limiter) = self.rates_of(viewer).map(of) else { return Ok(()) };
        if self.looks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            limiter.retain_recent();
        }
        match limiter.check_key_n(&viewer.actor_id, count) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(self.clock.now())),
            // More than the burst can ever hold. The limit of a document prevents this.
            Err(_) => Err(Duration::from_secs(1)),
        }
    }

    /// Admits a sign-in by a widget, or returns how long to wait. A sign-in refused by address does not use
    /// up the room's budget.
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
}

fn count(units: u64) -> u32 {
    u32::try_from(units).unwrap_or(u32::MAX)
}

fn limiter<K: Clone + Eq + Hash>(quota: Quota, clock: &Elapsed) -> Limiter<K> {
    RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone())
}

fn quota(per_second: u32, burst: u32, factor: u32) -> Option<Quota> {
    let quota = Quota::per_second(NonZeroU32::new(per_second.saturating_mul(factor))?);
    Some(quota.allow_burst(NonZeroU32::new(burst.saturating_mul(factor))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rooms::Principal;
    use entity::{ActorType, OrganizationId, Timestamp, UserRole, actor};
    use uuid::Uuid;

    fn clock() -> Clock {
        Clock::frozen(Timestamp(1_800_000_000_000))
    }

    fn viewer(actor_type: ActorType, id: u128) -> Viewer {
        let (id, organization_id) = (ActorId(Uuid::from_u128(id)), OrganizationId(Uuid::from_u128(1)));
        let mut actor = actor::Model::new(id, organization_id, actor_type, Timestamp(0));
        actor.role = (actor_type == ActorType::User).then_some(UserRole::Operator);
        Viewer::of(&Principal::without_rooms(actor), Timestamp(i64::MAX), None).expect("a role")
    }

    #[test]
    fn a_budget_belongs_to_one_actor_and_one_purpose() {
        let clock = clock();
        let admission = Admission::new(1, clock.clone());
        let vera = viewer(ActorType::Visitor, 1);
        assert!(admission.spend(&vera, Spending::Requests, 100_000).is_ok());
        let wait = admission.spend(&vera, Spending::Requests, 50_000).expect_err("it is spent");
        assert_eq!(wait, Duration::from_millis(2_500));
        clock.advance(wait);
        assert!(admission.spend(&vera, Spending::Requests, 50_000).is_ok());
        assert!(admission.spend(&vera, Spending::Requests, 1).is_err());
        assert!(admission.spend(&vera, Spending::Items, 100_000).is_ok());
        assert!(admission.change(&vera, 10).is_ok());
        assert!(admission.spend(&viewer(ActorType::Visitor, 2), Spending::Requests, 100_000).is_ok());
        assert!(admission.spend(&viewer(ActorType::User, 3), Spending::Requests, 250_000).is_ok());
        assert!(admission.spend(&viewer(ActorType::ApiClient, 4), Spending::Requests, 1_000_000).is_ok());
    }

    #[test]
    fn what_was_taken_is_back_after_the_refill() {
        let clock = clock();
        let admission = Admission::new(1, clock.clone());
        let vera = viewer(ActorType::Visitor, 1);
        assert!(admission.spend(&vera, Spending::Requests, 100_000).is_ok());
        assert!(admission.change(&vera, 10).is_ok());
        let refill = admission.refill(&vera, 10_000, 1);
        assert_eq!(refill, Duration::from_millis(500));
        clock.advance(refill);
        assert!(admission.spend(&vera, Spending::Requests, 10_000).is_ok());
        assert!(admission.change(&vera, 1).is_ok());
        assert_eq!(Admission::new(0, clock).refill(&vera, 10_000, 1), Duration::ZERO);
    }

    #[test]
    fn a_factor_multiplies_budgets_and_zero_lifts_them() {
        let vera = viewer(ActorType::Visitor, 1);
        let multiplied = Admission::new(3, clock());
        assert!(multiplied.spend(&vera, Spending::Requests, 300_000).is_ok());
        assert!(multiplied.spend(&vera, Spending::Requests, 1).is_err());
        assert!(Admission::new(1_000, clock()).spend(&vera, Spending::Requests, 100_000_000).is_ok());
        let lifted = Admission::new(0, clock());
        for _ in 0..10 {
            assert!(lifted.spend(&vera, Spending::Requests, u64::MAX).is_ok());
        }
    }
}
