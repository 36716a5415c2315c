//! Runs every write as a tracked task, so that a dropped connection does not cancel it, and in one
//! transaction. A refusal rolls it back. Every response waits until the data it shows is on disk.

use super::{Actions, Error, Result};
use crate::domain::policy::{self, ChatAccess, Ties, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Committed, Tx, participations, principals};
use entity::{ChatId, participation};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use uuid::Uuid;

/// The body of a write by the server itself: an `async fn` of the transaction and its input.
pub(super) trait Body<'t, I, T>: Send + 'static {
    type Running: Future<Output = Result<T>> + Send + 't;
    fn run(self, tx: &'t mut Tx, input: I) -> Self::Running;
}

impl<'t, I, T, F, R> Body<'t, I, T> for F
where
    F: FnOnce(&'t mut Tx, I) -> R + Send + 'static,
    R: Future<Output = Result<T>> + Send + 't,
{
    type Running = R;

    fn run(self, tx: &'t mut Tx, input: I) -> R {
        self(tx, input)
    }
}

/// The body of a write by a viewer: an `async fn` of the transaction, the viewer and its input.
pub(super) trait ViewersBody<'t, I, T>: Send + 'static {
    type Running: Future<Output = Result<T>> + Send + 't;
    fn run(self, tx: &'t mut Tx, viewer: Viewer, input: I) -> Self::Running;
}

impl<'t, I, T, F, R> ViewersBody<'t, I, T> for F
where
    F: FnOnce(&'t mut Tx, Viewer, I) -> R + Send + 'static,
    R: Future<Output = Result<T>> + Send + 't,
{
    type Running = R;

    fn run(self, tx: &'t mut Tx, viewer: Viewer, input: I) -> R {
        self(tx, viewer, input)
    }
}

/// A viewer whose role permits the verb. Writes for a viewer require one.
#[derive(Clone, Copy)]
pub(super) struct Permit<'a> {
    actions: &'a Actions,
    viewer: &'a Viewer,
}

impl Permit<'_> {
    /// Runs `body` for the viewer in a transaction.
    pub(super) async fn write<I, T, B>(self, body: B, input: I) -> Result<Committed<T>>
    where
        I: Send + 'static,
        T: Send + 'static,
        B: for<'t> ViewersBody<'t, I, T>,
    {
        let viewer = self.viewer.clone();
        self.actions.run(None, move |tx| body.run(tx, viewer, input).boxed()).await
    }

    /// Like [`Permit::write`], queued behind other writes with the same key: the id of the row whose lock it
    /// waits for, or of a related row.
    pub(super) async fn write_to<I, T, B>(
        self,
        key: impl Into<Uuid>,
        body: B,
        input: I,
    ) -> Result<Committed<T>>
    where
        I: Send + 'static,
        T: Send + 'static,
        B: for<'t> ViewersBody<'t, I, T>,
    {
        let viewer = self.viewer.clone();
        self.actions.run(Some(key.into()), move |tx| body.run(tx, viewer, input).boxed()).await
    }
}

impl Actions {
    /// Checks that the viewer's role permits `verb`.
    pub(super) fn permit<'a>(&'a self, viewer: &'a Viewer, verb: Verb) -> Result<Permit<'a>> {
        policy::may(viewer.role, verb)?;
        Ok(Permit { actions: self, viewer })
    }

    /// Runs `body` in a transaction, for the server itself.
    pub(super) async fn write<I, T, B>(&self, body: B, input: I) -> Result<Committed<T>>
    where
        I: Send + 'static,
        T: Send + 'static,
        B: for<'t> Body<'t, I, T>,
    {
        self.run(None, move |tx| body.run(tx, input).boxed()).await
    }

    /// Runs `body` in a transaction for the server itself, queued behind other writes with the same key.
    pub(super) async fn write_to<I, T, B>(
        &self,
        key: impl Into<Uuid>,
        body: B,
        input: I,
    ) -> Result<Committed<T>>
    where
        I: Send + 'static,
        T: Send + 'static,
        B: for<'t> Body<'t, I, T>,
    {
        self.run(Some(key.into()), move |tx| body.run(tx, input).boxed()).await
    }

    async fn run<T, W>(&self, key: Option<Uuid>, work: W) -> Result<Committed<T>>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let store = self.0.store.clone();
        let task = self.0.tracker.spawn(async move {
            let _turn = match key {
                Some(key) => Some(store.turn(key).await?),
                None => None,
            };
            store.transaction(async move |tx: &mut Tx| work(tx).await).await
        });
        task.await.unwrap_or_else(|panic| Err(Error::Failed(format!("an action was cut off: {panic}"))))
    }
}

/// The viewer's participation and access in a locked chat.
pub(super) struct Place {
    /// The viewer's participation, which may have ended.
    pub participation: Option<participation::Model>,
    /// What the viewer may do in the chat.
    pub access: ChatAccess,
}

/// Locks a chat that the viewer sees. Invisible chats are not found.
pub(super) async fn lock_visible_chat(tx: &mut Tx, viewer: &Viewer, chat_id: ChatId) -> Result<Place> {
    let not_found = Refused::NotFound { what: "chat", field: "chatId".into() };
    if tx.lock_chat(viewer.organization_id, chat_id).await?.is_none() {
        return Err(not_found.into());
    }
    let participation = participations::find_of_actor(tx, chat_id, viewer.actor_id).await?;
    let ties = Ties::of(participation.as_ref());
    let mut access = ChatAccess::of(viewer, tx.chat()?, ties);
    if policy::is_bound_to_rooms(viewer.role) && access.sees() && !ties.participates() {
        // Whoever joined a chat by what a connection knew of their rooms would keep it.
        access = ChatAccess::of(&principals::with_current_rooms(tx, viewer).await?, tx.chat()?, ties);
    }
    if access.sees() { Ok(Place { participation, access }) } else { Err(not_found.into()) }
}

/// Locks an open chat in which the viewer may act.
pub(super) async fn lock_open_chat(tx: &mut Tx, viewer: &Viewer, chat_id: ChatId) -> Result<Place> {
    let place = lock_visible_chat(tx, viewer, chat_id).await?;
    if !place.access.acts() {
        return Err(Refused::NotParticipant.into());
    }
    refuse_ended(tx)?;
    Ok(place)
}

/// Refuses changes to an ended chat.
pub(super) fn refuse_ended(tx: &Tx) -> Result<()> {
    if tx.chat()?.ended_at.is_some() { Err(Refused::ChatEnded.into()) } else { Ok(()) }
}
