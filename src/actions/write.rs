//! Runs every write as a tracked task, so that a dropped connection does not cancel it, in one transaction
//! that first locks its chat. A refusal rolls everything back. Every answer waits until the data that it read
//! is on disk.

use super::{Actions, Error, Result};
use crate::domain::policy;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, participations};
use entity::{ChatId, chat, participation};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use uuid::Uuid;

/// What a committed write gave: its own result, and the chat it had locked.
pub(super) struct Written<T> {
    pub value: T,
    pub chat: Option<Arc<chat::Model>>,
}

impl<T> Written<T> {
    /// The result with the chat, for writes that lock one.
    pub(super) fn with_chat(self) -> Result<(T, Arc<chat::Model>)> {
        let chat = self.chat.ok_or_else(|| Error::Failed("the write has locked no chat".into()))?;
        Ok((self.value, chat))
    }
}

impl Actions {
    /// Runs `work` in a transaction, to its end.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<Written<T>>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.write_in_turn(None, work).await
    }

    /// Runs `work` in a transaction, to its end, in turn with others on the same thing: the one whose lock it waits for, or
    /// one that stands for it.
    pub(super) async fn write_to<T, W>(&self, key: impl Into<Uuid>, work: W) -> Result<Written<T>>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.write_in_turn(Some(key.into()), work).await
    }

    async fn write_in_turn<T, W>(&self, key: Option<Uuid>, work: W) -> Result<Written<T>>
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
            let mut tx = store.begin().await?;
            match work(&mut tx).await {
                Ok(value) => Ok(Written { value, chat: tx.commit().await? }),
                Err(error) => {
                    tx.roll_back().await?;
                    Err(error)
                }
            }
        });
        task.await.unwrap_or_else(|panic| Err(Error::Failed(format!("an action was cut off: {panic}"))))
    }
}

/// The viewer's place in a chat that was just locked.
pub(super) struct Place {
    /// The viewer's participation, also when it has ended.
    pub participation: Option<participation::Model>,
}

impl Place {
    pub(super) fn participates(&self) -> bool {
        self.participation.as_ref().is_some_and(|participation| participation.ended_at.is_none())
    }
}

/// Locks a chat that the viewer sees; to whom it is invisible it is not there.
pub(super) async fn lock_visible_chat(tx: &mut Tx, viewer: &Viewer, chat_id: ChatId) -> Result<Place> {
    let not_found = Refused::NotFound { what: "chat", field: "chatId".into() };
    if tx.lock_chat(viewer.organization_id, chat_id).await?.is_none() {
        return Err(not_found.into());
    }
    let place = Place { participation: participations::find_of_actor(tx, chat_id, viewer.actor_id).await? };
    if policy::sees_chat(viewer, tx.chat()?, place.participates()) {
        Ok(place)
    } else {
        Err(not_found.into())
    }
}

/// Locks a chat that the viewer may act in and that has not ended.
pub(super) async fn lock_open_chat(tx: &mut Tx, viewer: &Viewer, chat_id: ChatId) -> Result<Place> {
    let place = lock_visible_chat(tx, viewer, chat_id).await?;
    if !policy::acts_in_chat(viewer, tx.chat()?, place.participates()) {
        return Err(Refused::NotParticipant.into());
    }
    refuse_ended(tx)?;
    Ok(place)
}

/// Nothing is added to a chat that is over.
pub(super) fn refuse_ended(tx: &Tx) -> Result<()> {
    if tx.chat()?.ended_at.is_some() { Err(Refused::ChatEnded.into()) } else { Ok(()) }
}
