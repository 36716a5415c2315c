//! Joins users to chats.

use super::end::{end_all, say_goodbyes};
use super::lease::Lease;
use crate::actions::history::{Counted, NewEntry, add_entry, begin_presence, take_part};
use crate::actions::write::lock_open_chat;
use crate::actions::{Actions, Error, Result};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, presences};
use entity::{ChatId, MessageType, PresenceEndReason, actor, chat, presence};
use std::sync::Arc;

/// A chat to join.
#[derive(Clone, Debug)]
pub struct JoinChat {
    /// The chat.
    pub chat_id: ChatId,
    /// Whether joining fails if another user is present.
    pub is_exclusive: bool,
}

/// The result of joining a chat.
pub struct JoinedChat {
    pub chat: Arc<chat::Model>,
    /// The viewer's presence, new or renewed.
    pub presence: presence::Model,
}

impl Actions {
    /// Joins the viewer to the chat. If they are already present, renews the lease.
    pub async fn join_chat(&self, viewer: &Viewer, input: JoinChat) -> Result<JoinedChat> {
        let permit = self.permit(viewer, Verb::JoinChat)?;
        let (presence, chat) =
            permit.write_to(input.chat_id, join, (input, self.lease())).await?.with_chat()?;
        Ok(JoinedChat { chat, presence })
    }
}

async fn join(tx: &mut Tx, viewer: Viewer, (input, lease): (JoinChat, Lease)) -> Result<presence::Model> {
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

/// The presences in the locked chat: current ones, and expired ones that were not ended yet.
pub(in crate::actions) struct There {
    present: Vec<presence::Model>,
    expired: Vec<presence::Model>,
}

pub(in crate::actions) async fn who_is_there(tx: &Tx, lease: Lease) -> Result<There> {
    let (now, chat_id) = (tx.clock_time(), tx.chat()?.id);
    let all = presences::list_now(tx, chat_id).await?;
    let (expired, present) = all.into_iter().partition(|presence| lease.is_over(presence, now));
    Ok(There { present, expired })
}

/// Joins the user to the locked chat. If they are already present, renews the lease.
pub(in crate::actions) async fn enter(
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
