//! Where each item of a subscription waits for its turn before it is resolved.

use futures_util::future::BoxFuture;
use std::any::Any;
use std::sync::Arc;

/// Held while an item is resolved; the turn ends when it is dropped.
pub type Turn = Box<dyn Any + Send>;

type Wait = dyn Fn() -> BoxFuture<'static, Turn> + Send + Sync;

/// Waits for turns. A request that carries one has each item of its subscription wait here.
#[derive(Clone)]
pub struct Gate(Arc<Wait>);

impl Gate {
    /// A gate that waits as `wait` does.
    pub fn new(wait: impl Fn() -> BoxFuture<'static, Turn> + Send + Sync + 'static) -> Self {
        Self(Arc::new(wait))
    }

    pub(super) async fn pass(&self) -> Turn {
        (self.0)().await
    }
}
