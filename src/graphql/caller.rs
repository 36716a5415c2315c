//! Who asks, with the means to answer: in the context of every operation.

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

/// Searches of one operation at a time.
const SEARCHES: usize = 2;

/// The viewer of an operation, the actions, and loaders that belong to this operation alone.
pub(super) struct Caller {
    pub viewer: Viewer,
    pub actions: Actions,
    reads: DataLoader<Reads>,
    queue: Queue,
    searches: Arc<Semaphore>,
    /// Who this operation signed in: it goes on as they.
    successor: OnceLock<Box<Self>>,
}

impl Caller {
    /// The caller, and what loads the edges of their operation.
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

    /// Lets the operation go on as somebody else, or with another token: whoever was signed in by it.
    pub(super) fn become_viewer(&self, viewer: Viewer) {
        let successor = Self::on(self.queue.clone(), self.actions.clone(), viewer);
        let _ = self.successor.set(Box::new(successor));
    }

    /// Waits until the operation may search again. Its searches would else take all connections to the database, and
    /// the reads of other operations would wait behind them.
    pub(super) async fn search(&self) -> Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.searches).acquire_owned().await;
        permit.map_err(|_closed| Fault::internal("the searches of an operation were closed"))
    }

    fn latest(&self) -> &Self {
        self.successor.get().map_or(self, |successor| successor.latest())
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

    /// What the viewer may do in a chat.
    pub(super) async fn access(&self, chat: &chat::Model) -> Result<ChatAccess> {
        let own = self.load(OwnParticipationIn(chat.id)).await?;
        Ok(ChatAccess::of(&self.viewer, chat, Ties::of(own.as_ref())))
    }

    /// The chat of something that the viewer was shown. Between the two it may have been deleted, or hidden from
    /// them.
    pub(super) async fn chat_of(&self, chat_id: ChatId) -> Result<chat::Model> {
        self.load(chat_id).await?.ok_or_else(|| Fault::new(Code::NotFound, CHAT_GONE))
    }
}

/// Who asks. A widget is nobody, and may ask for nothing but what [`anybody`] answers.
pub(super) fn caller<'a>(context: &Context<'a>) -> Result<&'a Caller> {
    let caller = anybody(context)?;
    if caller.viewer.widget_room().is_some() { Err(Fault::forbidden()) } else { Ok(caller) }
}

/// Who asks, also where that is a widget.
pub(super) fn anybody<'a>(context: &Context<'a>) -> Result<&'a Caller> {
    let first = context.data_opt::<Caller>();
    first.map(Caller::latest).ok_or_else(|| Fault::internal("an operation has no caller"))
}

/// The live streams.
pub(super) fn live<'a>(context: &Context<'a>) -> Result<&'a Live> {
    context.data_opt::<Live>().ok_or_else(|| Fault::internal("the schema has no live streams"))
}

/// When the other end of the caller's connection was last heard from. One that is never heard counts as there for
/// as long as it is open.
pub(super) fn pulse(context: &Context<'_>) -> Pulse {
    context.data_opt::<Pulse>().cloned().unwrap_or_else(Pulse::steady)
}
