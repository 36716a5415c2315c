//! The caller of an operation, with its actions and loaders, in the context of every operation.

use super::door::{CHAT_GONE, Code};
use super::error::{Fault, Result};
use super::loaders::{OwnParticipationIn, Reads};
use super::rounds::{AtOnce, Queue, Rounds, rounds};
use crate::actions::Actions;
use crate::domain::policy::{ChatAccess, Ties};
use crate::domain::viewer::Viewer;
use crate::live::{Live, Pulse};
use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use entity::{ChatId, chat};
use std::hash::Hash;
use std::sync::{Arc, OnceLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Searches that one operation runs at the same time.
const SEARCHES: usize = 2;

/// The viewer of an operation, the actions, and the data loaders of this operation.
pub(super) struct Caller {
    pub viewer: Viewer,
    pub actions: Actions,
    reads: DataLoader<Reads>,
    queue: Queue,
    searches: Arc<Semaphore>,
    /// The viewer whom this operation has signed in. The rest of the operation runs as that viewer.
    successor: OnceLock<Box<Self>>,
}

impl Caller {
    /// The caller, and the loads that run along with the operation.
    pub(super) fn new(actions: Actions, viewer: Viewer) -> (Self, Rounds) {
        let (queue, rounds) = rounds();
        (Self::on(queue, actions, viewer), rounds)
    }

    fn on(queue: Queue, actions: Actions, viewer: Viewer) -> Self {
        let reads = Reads { actions: actions.clone(), viewer: viewer.clone() };
        let reads = DataLoader::new(reads, queue.clone(), AtOnce);
        let searches = Arc::new(Semaphore::new(SEARCHES));
        Self { viewer, actions, reads, queue, searches, successor: OnceLock::new() }
    }

    /// Continues the operation as another viewer, or with another token, after a sign-in.
    pub(super) fn become_viewer(&self, viewer: Viewer) {
        let successor = Self::on(self.queue.clone(), self.actions.clone(), viewer);
        let _ = self.successor.set(Box::new(successor));
    }

    /// Waits until the operation may start another search. Otherwise the searches of one operation could take
    /// all database connections, and the reads of other operations would wait for them.
    pub(super) async fn search(&self) -> Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.searches).acquire_owned().await;
        permit.map_err(|_closed| Fault::internal("the searches of an operation were closed"))
    }

    fn latest(&self) -> &Self {
        self.successor.get().map_or(self, |successor| successor.latest())
    }

    /// Loads one row as part of a batch. Rows are not cached, because a subscription runs for hours and must
    /// not show old rows.
    pub(super) async fn load<K>(&self, key: K) -> Result<Option<<Reads as Loader<K>>::Value>>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Reads: Loader<K, Error = crate::actions::Error>,
    {
        Ok(self.reads.load_one(key).await?)
    }

    /// Loads a row that must exist.
    pub(super) async fn need<K>(&self, key: K) -> Result<<Reads as Loader<K>>::Value>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Reads: Loader<K, Error = crate::actions::Error>,
    {
        self.load(key).await?.ok_or_else(|| Fault::internal("an edge leads nowhere"))
    }

    /// What the viewer may do in a chat.
    pub(super) async fn access(&self, chat: &chat::Model) -> Result<ChatAccess> {
        let own = self.load(OwnParticipationIn(chat.id)).await?;
        Ok(ChatAccess::of(&self.viewer, chat, Ties::of(own.as_ref())))
    }

    /// The chat of an object that the viewer was shown. The chat may have been deleted or hidden in between.
    pub(super) async fn chat_of(&self, chat_id: ChatId) -> Result<chat::Model> {
        self.load(chat_id).await?.ok_or_else(|| Fault::new(Code::NotFound, CHAT_GONE))
    }
}

/// The caller. Fails for a widget key, which may use only what [`anybody`] serves.
pub(super) fn caller<'a>(context: &Context<'a>) -> Result<&'a Caller> {
    let caller = anybody(context)?;
    if caller.viewer.widget_room().is_some() { Err(Fault::forbidden()) } else { Ok(caller) }
}

/// The caller, also if it is a widget key.
pub(super) fn anybody<'a>(context: &Context<'a>) -> Result<&'a Caller> {
    let first = context.data_opt::<Caller>();
    first.map(Caller::latest).ok_or_else(|| Fault::internal("an operation has no caller"))
}

/// The source of live streams.
pub(super) fn live<'a>(context: &Context<'a>) -> Result<&'a Live> {
    context.data_opt::<Live>().ok_or_else(|| Fault::internal("the schema has no live streams"))
}

/// The time at which something was last received on the caller's connection. A connection that cannot report
/// this counts as alive for as long as it is open.
pub(super) fn pulse(context: &Context<'_>) -> Pulse {
    context.data_opt::<Pulse>().cloned().unwrap_or_else(Pulse::steady)
}
