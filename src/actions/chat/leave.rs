//! Leaves a chat. In GROUP and DIRECT chats this ends the viewer's participation, in VISITOR chats their
//! presence.

use crate::actions::participation::end::end_part;
use crate::actions::presence::end::end_own;
use crate::actions::{Actions, Result};
use crate::domain::policy::{self, ChatAccess, Leaving, Ties, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, participations, presences};
use entity::{ChatId, PresenceEndReason, chat, participation, presence};
use std::sync::Arc;

/// The result of leaving a chat.
pub struct LeftChat {
    /// The chat; absent when the viewer can no longer see it.
    pub chat: Option<Arc<chat::Model>>,
    /// The viewer's participation, which has ended; absent where leaving does not end it.
    pub participation: Option<participation::Model>,
    /// The viewer's last presence, which has ended; absent if they never joined.
    pub presence: Option<presence::Model>,
}

struct Left {
    participation: Option<participation::Model>,
    presence: Option<presence::Model>,
    sees_chat: bool,
}

impl Actions {
    /// Leaves a chat. Idempotent: for a viewer who has already left, returns what has ended.
    pub async fn leave_chat(&self, viewer: &Viewer, chat_id: ChatId) -> Result<LeftChat> {
        let permit = self.permit(viewer, Verb::LeaveChat)?;
        let (left, chat) = permit.write_to(chat_id, leave, chat_id).await?.with_chat()?;
        let Left { participation, presence, sees_chat } = left;
        Ok(LeftChat { chat: sees_chat.then_some(chat), participation, presence })
    }
}

async fn leave(tx: &mut Tx, viewer: Viewer, chat_id: ChatId) -> Result<Left> {
    let not_found = Refused::NotFound { what: "chat", field: "chatId".into() };
    if tx.lock_chat(viewer.organization_id, chat_id).await?.is_none() {
        return Err(not_found.into());
    }
    let participation = participations::find_of_actor(tx, chat_id, viewer.actor_id).await?;
    let chat = tx.chat()?;
    let access = ChatAccess::of(&viewer, chat, Ties::of(participation.as_ref()));
    let leaving = access.leaving();
    // The sender of a retry may no longer see the chat.
    let has_left = leaving == Leaving::Participation && chat.deleted_at.is_none() && participation.is_some();
    if !access.sees() && !has_left {
        return Err(not_found.into());
    }
    let participation = match leaving {
        Leaving::Participation => {
            let row = participation.ok_or(Refused::NotParticipant)?;
            Some(end_part(tx, row, PresenceEndReason::Left, Some(viewer.actor_id)).await?)
        }
        Leaving::Presence => {
            end_own(tx, chat_id, viewer.actor_id, PresenceEndReason::Left).await?;
            None
        }
        Leaving::Nothing => {
            let reason = "Visitors cannot leave a VISITOR chat.";
            return Err(Refused::Invalid { field: "chatId".into(), reason }.into());
        }
    };
    let sees_chat = match &participation {
        Some(ended) => policy::sees_chat(&viewer, tx.chat()?, Ties::of(Some(ended))),
        None => access.sees(),
    };
    let presence = presences::find_last_of_user(tx, chat_id, viewer.actor_id).await?;
    Ok(Left { participation, presence, sees_chat })
}
