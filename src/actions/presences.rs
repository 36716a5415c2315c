//! Presences: users join and leave chats, and renew their presences.

use super::history::{Counted, NewEntry, add_entry, begin_presence, end_presence, take_part};
use super::write::{lock_open_chat, lock_visible_chat};
use super::{Actions, Error, Result};
use crate::domain::event::Signal;
use crate::domain::limits;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::live::Live;
use crate::store::{Tx, actors, due, participations, presences};
use chrono::TimeDelta;
use entity::{
    ActorId, ChatId, MessageType, OrganizationId, PresenceEndReason, Timestamp, actor, chat, presence,
};
use futures_util::FutureExt;
use std::sync::Arc;
use tokio::time::Instant;

/// How long presences last.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// So long after the user was last heard from.
    pub lasts: TimeDelta,
    /// None ends before this: after a start, whoever holds one may still be on the way back.
    pub none_ends_before: Timestamp,
}

impl Lease {
    /// Renews a presence of the locked chat, because the user was heard from.
    pub(super) async fn renew(self, tx: &mut Tx, mut presence: presence::Model) -> Result<presence::Model> {
        let now = tx.clock_time();
        (presence.last_seen_at, presence.expires_at) = (now, now.plus(self.lasts));
        presences::update(tx, &presence).await?;
        tx.hint(presence.chat_id, Signal::Presence(presence.clone()));
        Ok(presence)
    }

    /// Whether the user was not heard from for too long. Such a presence is absent, also before it is ended.
    pub(super) fn is_over(self, presence: &presence::Model, now: Timestamp) -> bool {
        now >= self.none_ends_before && presence.expires_at < now
    }
}

/// A user's wish to be in a chat.
#[derive(Clone, Debug)]
pub struct JoinChat {
    /// Which.
    pub chat_id: ChatId,
    /// Only if no other user is present.
    pub is_exclusive: bool,
}

/// A user is in a chat.
pub struct JoinedChat {
    /// The chat.
    pub chat: Arc<chat::Model>,
    /// Their presence, new or renewed.
    pub presence: presence::Model,
}

impl Actions {
    /// How long presences last just now: after the store was away, until everybody had the time to come back.
    pub(super) fn lease(&self) -> Lease {
        let lease = self.0.lease;
        if self.0.live.may_expire() {
            lease
        } else {
            Lease { none_ends_before: Timestamp(i64::MAX), ..lease }
        }
    }

    /// Joins the viewer to the chat; joining when present renews the lease.
    pub async fn join_chat(&self, viewer: &Viewer, input: JoinChat) -> Result<JoinedChat> {
        policy::may(viewer.role, Verb::JoinChat)?;
        let (viewer, lease) = (viewer.clone(), self.lease());
        let (presence, chat) = self
            .write_to(input.chat_id, move |tx| join(tx, viewer, input, lease).boxed())
            .await?
            .with_chat()?;
        Ok(JoinedChat { chat, presence })
    }

    /// Renews the lease of the viewer's presence.
    pub async fn keep_presence(&self, viewer: &Viewer, chat_id: ChatId) -> Result<presence::Model> {
        policy::may(viewer.role, Verb::JoinChat)?;
        let (viewer, lease) = (viewer.clone(), self.lease());
        Ok(self.write_to(chat_id, move |tx| keep(tx, viewer, chat_id, lease).boxed()).await?.value)
    }

    /// Shows the others that the viewer types, or no longer does. A signal: nothing is stored.
    pub async fn set_typing(
        &self,
        viewer: &Viewer,
        chat_id: ChatId,
        is_typing: bool,
    ) -> Result<Arc<chat::Model>> {
        policy::may(viewer.role, Verb::ActInChat)?;
        let not_found = || Error::from(Refused::NotFound { what: "chat", field: "chatId".into() });
        let chat = self.chat(viewer, chat_id).await?.ok_or_else(not_found)?;
        let participation = participations::find_of_actor(&self.0.store, chat_id, viewer.actor_id).await?;
        let participates = participation.is_some_and(|participation| participation.ended_at.is_none());
        if !policy::acts_in_chat(viewer, &chat, participates) {
            return Err(Refused::NotParticipant.into());
        }
        if chat.ended_at.is_some() {
            return Err(Refused::ChatEnded.into());
        }
        self.0.live.set_typing(chat_id, viewer.actor_id, is_typing);
        Ok(Arc::new(chat))
    }

    /// Ends the presences whose lease ran out: the server's own clock does this. Answers how many chats it
    /// looked at.
    pub async fn expire_presences(&self) -> Result<usize> {
        let (began, now) = (Instant::now(), self.now());
        let found = presences::chats_with_expired(&self.0.store, now, 100).await;
        self.0.live.has_looked(began, found.is_ok());
        let (chat_ids, lease) = (found?, self.lease());
        if now < lease.none_ends_before {
            return Ok(0);
        }
        for chat_id in &chat_ids {
            let chat_id = *chat_id;
            let live = self.0.live.clone();
            let expired = self.write_to(chat_id, move |tx| expire(tx, live, chat_id, lease).boxed()).await;
            if let Err(error) = expired {
                tracing::warn!(%chat_id, %error, "could not end the presences of a chat");
            }
        }
        Ok(chat_ids.len())
    }

    /// Pulls in what is due later than it can be, because the clock was ahead when it was set. A restart on SQLite and a step
    /// of the database's clock leave such rows behind.
    pub async fn pull_in_what_is_due(&self) -> Result<()> {
        let (now, (_, _, longest)) = (self.now(), limits::RING_SECONDS);
        let (rings_until, expires_at) =
            (now.plus(TimeDelta::seconds(longest.into())), now.plus(self.0.lease.lasts));
        let pulled_in = self.write(move |tx| {
            async move { Ok(due::pull_in(tx, now, rings_until, expires_at).await?) }.boxed()
        });
        let count = pulled_in.await?.value;
        if count > 0 {
            tracing::warn!(
                count,
                "moved up deadlines of sessions and presences that were set while the clock was ahead"
            );
        }
        Ok(())
    }

    /// Ends all presences of a user who signed out or was deactivated.
    pub(super) async fn end_presences_of(
        &self,
        organization_id: OrganizationId,
        user_id: ActorId,
    ) -> Result<()> {
        for chat_id in presences::all_chats_of_user(&self.0.store, user_id).await? {
            self.write_to(chat_id, move |tx| sign_out(tx, organization_id, chat_id, user_id).boxed()).await?;
        }
        Ok(())
    }
}

async fn join(tx: &mut Tx, viewer: Viewer, input: JoinChat, lease: Lease) -> Result<presence::Model> {
    let JoinChat { chat_id, is_exclusive } = input;
    lock_open_chat(tx, &viewer, chat_id).await?;
    let there = who_is_there(tx, lease).await?;
    if is_exclusive && there.present.iter().any(|presence| presence.user_id != viewer.actor_id) {
        return Err(Refused::ChatTaken.into());
    }
    let user = actors::find_in_organization(tx, viewer.organization_id, viewer.actor_id)
        .await?
        .ok_or_else(|| Error::Failed("the viewer has no row".into()))?;
    enter(tx, &user, there, lease).await
}

/// The presences of the locked chat: those that are, and those that are only still to be ended.
pub(super) struct There {
    present: Vec<presence::Model>,
    expired: Vec<presence::Model>,
}

pub(super) async fn who_is_there(tx: &Tx, lease: Lease) -> Result<There> {
    let (now, chat_id) = (tx.clock_time(), tx.chat()?.id);
    let all = presences::list_now(tx, chat_id).await?;
    let (expired, present) = all.into_iter().partition(|presence| lease.is_over(presence, now));
    Ok(There { present, expired })
}

/// Joins the user to the locked chat; when present already, renews the lease.
pub(super) async fn enter(
    tx: &mut Tx,
    user: &actor::Model,
    there: There,
    lease: Lease,
) -> Result<presence::Model> {
    let (now, There { present, expired }) = (tx.clock_time(), there);
    if let Some(own) = present.into_iter().find(|presence| presence.user_id == user.id) {
        return lease.renew(tx, own).await;
    }
    take_part(tx, user, Counted::NotYet, Some(user.id)).await?;
    let gone = end_all(tx, expired, PresenceEndReason::Expired, None).await?;
    let presence = begin_presence(tx, user.id, now.plus(lease.lasts)).await?;
    say_goodbyes(tx, gone, None).await?;
    add_entry(tx, NewEntry::notice(MessageType::Join, Some(user)), Some(user.id)).await?;
    Ok(presence)
}

async fn keep(tx: &mut Tx, viewer: Viewer, chat_id: ChatId, lease: Lease) -> Result<presence::Model> {
    lock_visible_chat(tx, &viewer, chat_id).await?;
    let now = tx.clock_time();
    let present = presences::list_now(tx, chat_id).await?;
    let own = present
        .into_iter()
        .find(|presence| presence.user_id == viewer.actor_id && !lease.is_over(presence, now))
        .ok_or(Refused::NotPresent)?;
    lease.renew(tx, own).await
}

async fn expire(tx: &mut Tx, live: Live, chat_id: ChatId, lease: Lease) -> Result<()> {
    if tx.lock_any_chat(chat_id).await?.is_none() {
        return Ok(());
    }
    let now = tx.clock_time();
    let mut expired = presences::list_now(tx, chat_id).await?;
    expired.retain(|presence| lease.is_over(presence, now) && !live.keeps_alive(presence.user_id, chat_id));
    let gone = end_all(tx, expired, PresenceEndReason::Expired, None).await?;
    say_goodbyes(tx, gone, None).await
}

async fn sign_out(
    tx: &mut Tx,
    organization_id: OrganizationId,
    chat_id: ChatId,
    user_id: ActorId,
) -> Result<()> {
    if tx.lock_chat(organization_id, chat_id).await?.is_some() {
        end_own(tx, chat_id, user_id, PresenceEndReason::SignedOut).await?;
    }
    Ok(())
}

/// Ends the user's presence in the locked chat, if there is one.
pub(super) async fn end_own(
    tx: &mut Tx,
    chat_id: ChatId,
    user_id: ActorId,
    reason: PresenceEndReason,
) -> Result<()> {
    let mut own = presences::list_now(tx, chat_id).await?;
    own.retain(|presence| presence.user_id == user_id);
    let gone = end_all(tx, own, reason, Some(user_id)).await?;
    say_goodbyes(tx, gone, Some(user_id)).await
}

/// Ends the presences; the LEAVE entries follow by [`say_goodbyes`], after all events of presences.
pub(super) async fn end_all(
    tx: &mut Tx,
    present: Vec<presence::Model>,
    reason: PresenceEndReason,
    by: Option<ActorId>,
) -> Result<Vec<presence::Model>> {
    let mut gone = Vec::with_capacity(present.len());
    for presence in present {
        gone.push(end_presence(tx, presence, reason, by).await?);
    }
    Ok(gone)
}

/// Adds a LEAVE entry for each presence that ended.
pub(super) async fn say_goodbyes(tx: &mut Tx, gone: Vec<presence::Model>, by: Option<ActorId>) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let organization_id = tx.chat()?.organization_id;
    let ids: Vec<_> = gone.iter().map(|presence| presence.user_id).collect();
    let users = actors::find_many_in_organization(tx, organization_id, &ids).await?;
    for presence in gone {
        let user = users.iter().find(|user| user.id == presence.user_id);
        add_entry(tx, NewEntry::notice(MessageType::Leave, user), by).await?;
    }
    Ok(())
}
