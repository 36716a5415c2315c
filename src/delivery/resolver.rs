//! The resolver of host names.

use std::net::IpAddr;
use std::sync::Arc;

/// A function that returns all addresses of a name.
pub type Answer = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// The source of addresses for host names.
#[derive(Clone)]
pub enum Resolver {
    /// The machine's own resolver.
    System,
    /// A function for tests, which can return any address.
    Function(Arc<Answer>),
}

impl Resolver {
    /// All addresses of a name. Empty if it has none or cannot be resolved.
    pub(super) async fn addresses(&self, name: &str) -> Vec<IpAddr> {
        match self {
            Self::System => match tokio::net::lookup_host((name, 0)).await {
                Ok(found) => found.map(|address| address.ip()).collect(),
                Err(_) => Vec::new(),
            },
            Self::Function(answer) => answer(name),
        }
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::System => "System",
            Self::Function(_) => "Function",
        })
    }
}
