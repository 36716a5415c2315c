//! The gate where each item of a subscription waits for its turn to be resolved.

use futures_util::future::BoxFuture;
use std::any::Any;
use std::sync::Arc;

/// A turn at resolving an item. It ends when this is dropped.
pub type Turn = Box<dyn Any + Send>;

type Wait = dyn Fn() -> BoxFuture<'static, Turn> + Send + Sync;

/// Lets operations take turns. A request with a gate makes each item of its subscription wait here.
#[derive(Clone)]
pub struct Gate(Arc<Wait>);

impl Gate {
    /// A gate that calls `wait` for each turn.
    pub fn new(wait: impl Fn() -> BoxFuture<'static, Turn> + Send + Sync + 'static) -> Self {
        Self(Arc::new(wait))
    }

    pub(super) async fn pass(&self) -> Turn {
        (self.0)().await
    }
}
