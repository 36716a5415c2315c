//! Finds a chat for a visitor to resume.

use crate::actions::Result;
use crate::domain::policy::{self, Ties};
use crate::domain::viewer::Viewer;
use crate::store::{Tx, chats, participations};
use chrono::TimeDelta;
use entity::{ActorId, ActorType, Timestamp, actor, chat, room};

/// The requirements of a chat to resume.
pub(super) struct Wish {
    /// The actor who resumes: the visitor, or the user to be joined.
    who: ActorId,
    is_user: bool,
    /// The earliest last activity. Absent if the room does not resume chats.
    since: Option<Timestamp>,
    is_private: bool,
}

impl Wish {
    pub(in crate::actions) fn new(tx: &Tx, room: &room::Model, who: &actor::Model, is_private: bool) -> Self {
        let window = TimeDelta::minutes(room.resume_window_minutes.into());
        Self {
            who: who.id,
            is_user: who.actor_type == ActorType::User,
            since: (!window.is_zero()).then(|| tx.now().minus(window)),
            is_private,
        }
    }

    /// Whether a chat meets the requirements. Only participants can resume a private chat. A caller who asks
    /// for a private chat cannot resume a public one.
    fn is_met_by(&self, viewer: &Viewer, chat: &chat::Model, ties: Ties) -> bool {
        chat.ended_at.is_none()
            && self.since.is_some_and(|since| chat.active_at >= since)
            && (ties.participates() || self.is_user && !chat.is_private)
            && (chat.is_private || !self.is_private)
            && policy::sees_chat(viewer, chat, ties)
    }
}

/// Locks the visitor's most recently active chat that meets the requirements. Returns whether there is one.
pub(super) async fn resume(
    tx: &mut Tx,
    viewer: &Viewer,
    visitor: &actor::Model,
    room: &room::Model,
    wish: &Wish,
) -> Result<bool> {
    let Some(since) = wish.since else { return Ok(false) };
    for chat in chats::list_recent_of_visitor(tx, visitor, room.id, since).await? {
        let ties = participations::ties_of(tx, chat.id, wish.who).await?;
        if !wish.is_met_by(viewer, &chat, ties) {
            continue;
        }
        tx.lock_chat(viewer.organization_id, chat.id).await?;
        // The chat may have ended while this waited for the lock.
        let ties = participations::ties_of(tx, chat.id, wish.who).await?;
        if wish.is_met_by(viewer, tx.chat()?, ties) {
            return Ok(true);
        }
        tx.leave_chat();
    }
    Ok(false)
}
