//! Who asks, with the means to answer: in the context of every operation.

use super::error::{Fault, Result};
use super::loaders::Reads;
use crate::actions::Actions;
use crate::domain::viewer::Viewer;
use crate::live::Live;
use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, runtime};
use futures_util::future::BoxFuture;
use std::hash::Hash;
use std::time::Duration;

/// The viewer of an operation, the actions, and loaders that belong to this operation alone.
pub(super) struct Caller {
    pub viewer: Viewer,
    pub actions: Actions,
    reads: DataLoader<Reads>,
}

impl Caller {
    pub(super) fn new(actions: Actions, viewer: Viewer) -> Self {
        let reads = Reads { actions: actions.clone(), viewer: viewer.clone() };
        let reads = DataLoader::new(reads, runtime::TokioSpawner::current(), Yield);
        Self { viewer, actions, reads }
    }

    /// Loads one of a batch. Nothing is kept: a stream that lives for hours must not show old rows.
    pub(super) async fn load<K>(&self, key: K) -> Result<Option<<Reads as Loader<K>>::Value>>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Reads: Loader<K, Error = crate::actions::Error>,
    {
        Ok(self.reads.load_one(key).await?)
    }

    /// Loads one that cannot be missing.
    pub(super) async fn need<K>(&self, key: K) -> Result<<Reads as Loader<K>>::Value>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Reads: Loader<K, Error = crate::actions::Error>,
    {
        self.load(key).await?.ok_or_else(|| Fault::internal("an edge leads nowhere"))
    }
}

/// Who asks.
pub(super) fn caller<'a>(context: &Context<'a>) -> Result<&'a Caller> {
    context.data_opt::<Caller>().ok_or_else(|| Fault::internal("an operation has no caller"))
}

/// The live streams.
pub(super) fn live<'a>(context: &Context<'a>) -> Result<&'a Live> {
    context.data_opt::<Live>().ok_or_else(|| Fault::internal("the schema has no live streams"))
}

/// Waits for the other fields of a level by letting them run, not by sleeping for a millisecond.
struct Yield;

impl runtime::Timer for Yield {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        })
    }
}
