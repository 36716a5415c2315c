//! Ending a chat: by its members, or automatically when it is idle.

use super::history::{NewEntry, add_entry, end_presence, record_chat, record_session};
use super::presences::say_goodbyes;
use super::write::lock_visible_chat;
use super::{Actions, Result};
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::session;
use crate::domain::session_action::SessionAction;
use crate::domain::viewer::{Viewer, ViewerRole};
use crate::store::{Tx, actors, idle, presences, sessions};
use entity::{ChatId, ChatType, EventKind, MessageType, PresenceEndReason, actor, chat};
use futures_util::FutureExt;
use std::sync::Arc;

/// Idle chats that are ended at one tick.
const AT_ONCE: u64 = 100;

impl Actions {
    /// Ends a chat, with every presence and every session of it that is not over.
    pub async fn end_chat(&self, viewer: &Viewer, chat_id: ChatId) -> Result<Arc<chat::Model>> {
        policy::may(viewer.role, Verb::ActInChat)?;
        let viewer = viewer.clone();
        Ok(self.write_to(chat_id, move |tx| end(tx, viewer, chat_id).boxed()).await?.with_chat()?.1)
    }

    /// Ends the chats in which nothing happened for as long as their room waits: the server's own clock does this.
    /// Answers how many it looked at.
    pub async fn end_idle_chats(&self) -> Result<usize> {
        let idle = idle::list_idle(&self.0.store, self.now(), AT_ONCE).await?;
        for chat_id in &idle {
            let chat_id = *chat_id;
            if let Err(error) = self.write_to(chat_id, move |tx| end_idle(tx, chat_id).boxed()).await {
                tracing::warn!(%chat_id, %error, "could not end an idle chat");
            }
        }
        Ok(idle.len())
    }
}

async fn end(tx: &mut Tx, viewer: Viewer, chat_id: ChatId) -> Result<()> {
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    let chat = tx.chat()?;
    if !policy::acts_in_chat(&viewer, chat, place.participates()) {
        return Err(Refused::NotParticipant.into());
    }
    if chat.ended_at.is_some() {
        return Ok(());
    }
    match chat.chat_type {
        ChatType::Visitor => {}
        ChatType::Direct => {
            return Err(
                Refused::Invalid { field: "chatId".into(), reason: "DIRECT chats cannot end." }.into()
            );
        }
        ChatType::Group => {
            if chat.owner_id != Some(viewer.actor_id) && viewer.role != ViewerRole::Admin {
                let reason = "Only the owner or an admin can end a GROUP chat.";
                return Err(Refused::Invalid { field: "chatId".into(), reason }.into());
            }
        }
    }
    close(tx, &viewer).await?;
    record_chat(tx, Some(viewer.actor_id))
}

/// Ends the locked chat, with every presence in it and every session of it that is not over. That the chat changed is
/// the caller's to record.
pub(super) async fn close(tx: &mut Tx, viewer: &Viewer) -> Result<()> {
    let caller = actors::find_in_organization(tx, viewer.organization_id, viewer.actor_id).await?;
    finish(tx, caller.as_ref()).await
}

/// The same by whomever; without an actor the server itself does it.
async fn finish(tx: &mut Tx, actor: Option<&actor::Model>) -> Result<()> {
    let (chat_id, by) = (tx.chat()?.id, actor.map(|actor| actor.id));
    let mut gone = Vec::new();
    for presence in presences::list_now(tx, chat_id).await? {
        gone.push(end_presence(tx, presence, PresenceEndReason::ChatEnded, by).await?);
    }
    let mut finished = Vec::new();
    for mut row in sessions::list_not_over(tx, chat_id).await? {
        let from = row.session.state;
        if let Some(transition) = session::transition(from, SessionAction::Finish) {
            session::stamp(&mut row.session, SessionAction::Finish, transition, by, tx.now());
            sessions::update_from(tx, &mut row.session, from).await?;
            record_session(tx, EventKind::SessionFinished, &row, by).await?;
            finished.push(row);
        }
    }
    say_goodbyes(tx, gone, by).await?;
    for row in &finished {
        let notice = NewEntry::notice(MessageType::Session, actor);
        add_entry(tx, NewEntry { session: Some(row), ..notice }, by).await?;
    }
    let now = tx.now();
    let chat = tx.chat_mut()?;
    (chat.ended_at, chat.waiting_since) = (Some(now), None);
    Ok(())
}

/// Something may have happened while this waited for the chat.
async fn end_idle(tx: &mut Tx, chat_id: ChatId) -> Result<()> {
    if tx.lock_any_chat(chat_id).await?.is_some() && idle::is_idle(tx, chat_id, tx.clock_time()).await? {
        finish(tx, None).await?;
        record_chat(tx, None)?;
    }
    Ok(())
}
