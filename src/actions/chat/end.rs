//! Ends a chat, with its presences and sessions.

use crate::actions::history::{NewEntry, add_entry, end_presence, record_chat, record_session};
use crate::actions::presence::end::say_goodbyes;
use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::change::SessionChange;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::session;
use crate::domain::session_action::SessionAction;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, presences, sessions};
use entity::{ChatId, ChatType, MessageType, PresenceEndReason, actor, chat};
use std::sync::Arc;

impl Actions {
    /// Ends a chat with its presences and open sessions.
    pub async fn end_chat(&self, viewer: &Viewer, chat_id: ChatId) -> Result<Arc<chat::Model>> {
        let permit = self.permit(viewer, Verb::ActInChat)?;
        Ok(permit.write_to(chat_id, end, chat_id).await?.with_chat()?.1)
    }
}

async fn end(tx: &mut Tx, viewer: Viewer, chat_id: ChatId) -> Result<()> {
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    let chat = tx.chat()?;
    if !place.access.acts() {
        return Err(Refused::NotParticipant.into());
    }
    if chat.ended_at.is_some() {
        return Ok(());
    }
    if !place.access.ends() {
        let reason = match chat.chat_type {
            ChatType::Direct => "A DIRECT chat cannot end.",
            ChatType::Visitor | ChatType::Group => "Only the owner or an admin can end a GROUP chat.",
        };
        return Err(Refused::Invalid { field: "chatId".into(), reason }.into());
    }
    close(tx, &viewer).await?;
    record_chat(tx, Some(viewer.actor_id))
}

/// Ends the locked chat with its presences and open sessions. The caller records the change of the chat.
pub(super) async fn close(tx: &mut Tx, viewer: &Viewer) -> Result<()> {
    let caller = actors::find_in_organization(tx, viewer.organization_id, viewer.actor_id).await?;
    finish(tx, caller.as_ref()).await
}

/// Like [`close`], for any actor. Without an actor, the server ends the chat.
pub(super) async fn finish(tx: &mut Tx, actor: Option<&actor::Model>) -> Result<()> {
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
            record_session(tx, SessionChange::Moved(SessionAction::Finish), &row, by).await?;
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
