//! Rate limits of viewers.

use crate::domain::viewer::{Viewer, ViewerRole};

/// The limits of one actor, before the configured factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Mutations per second.
    pub per_second: u32,
    /// The burst size of mutations.
    pub burst: u32,
    /// Cost units per second, and the burst size.
    pub units: (u32, u32),
    /// The maximum number of concurrent sockets and event streams.
    pub open_streams: usize,
}

impl Allowance {
    /// All allowances. No two have the same number of mutations per second.
    pub const ALL: [Self; 4] = [Self::VISITOR, Self::USER, Self::API_CLIENT, Self::WIDGET];

    const VISITOR: Self = Self { per_second: 2, burst: 10, units: (20_000, 100_000), open_streams: 5 };
    const USER: Self = Self { per_second: 10, burst: 50, units: (50_000, 250_000), open_streams: 20 };
    const API_CLIENT: Self =
        Self { per_second: 50, burst: 200, units: (250_000, 1_000_000), open_streams: 200 };
    /// A widget only signs visitors in, which is limited per room and address.
    const WIDGET: Self =
        Self { per_second: 1_000, burst: 1_000, units: (1_000_000, 1_000_000), open_streams: 0 };
}

/// The allowance of the viewer.
#[must_use]
pub fn allowance(viewer: &Viewer) -> Allowance {
    match viewer.role {
        ViewerRole::Visitor => Allowance::VISITOR,
        ViewerRole::Operator | ViewerRole::Supervisor | ViewerRole::Admin => Allowance::USER,
        ViewerRole::ApiClient => Allowance::API_CLIENT,
        ViewerRole::Widget => Allowance::WIDGET,
    }
}

/// Whether the configured daily quota of uploads applies to the viewer.
#[must_use]
pub fn has_upload_quota(viewer: &Viewer) -> bool {
    viewer.role == ViewerRole::Visitor
}
