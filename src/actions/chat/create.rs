//! Creates DIRECT and GROUP chats.

use super::add::find_or_add;
use super::named::lock_named;
use crate::actions::requests::{self, Requested};
use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Result};
use crate::domain::description::Description;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::Tx;
use entity::{ActorId, ChatId, ChatType, RequestKind, chat};
use std::sync::Arc;

/// A chat with named participants to create.
#[derive(Clone, Debug, Hash)]
pub struct CreateChat {
    /// DIRECT or GROUP.
    pub chat_type: ChatType,
    /// The participants. The caller is added if missing.
    pub participant_ids: Vec<ActorId>,
    /// The owner, one of the participants. Defaults to the caller.
    pub owner_id: Option<ActorId>,
    /// The chat's name.
    pub name: Option<String>,
    /// The chat's description.
    pub description: Option<String>,
    /// The id under which a retry returns the same chat.
    pub request_id: Option<String>,
}

/// A chat that was created or found.
pub struct CreatedChat {
    pub chat: Arc<chat::Model>,
    /// Whether the chat existed before.
    pub is_existing: bool,
}

impl Actions {
    /// Creates a DIRECT or GROUP chat. Two actors have at most one DIRECT chat, so an existing one is
    /// returned.
    pub async fn create_chat(&self, viewer: &Viewer, input: CreateChat) -> Result<CreatedChat> {
        let permit = self.permit(viewer, Verb::CreateChat)?;
        let (is_existing, chat) = permit.write_to(viewer.actor_id, create, input).await?.with_chat()?;
        Ok(CreatedChat { chat, is_existing })
    }
}

impl CreateChat {
    fn description(&self) -> Description {
        Description::of("createChat")
            .with("type", Some(self.chat_type.as_str()))
            .with_each("participantIds", &self.participant_ids)
            .with("ownerId", self.owner_id)
            .with("name", self.name.as_ref())
            .with("description", self.description.as_ref())
    }
}

async fn create(tx: &mut Tx, viewer: Viewer, mut input: CreateChat) -> Result<bool> {
    let call = input.description();
    let field = match input.chat_type {
        ChatType::Direct => "participantId",
        ChatType::Group | ChatType::Visitor => "participantIds",
    };
    if let Some(name) = &mut input.name {
        text::name("name", name)?;
    }
    if let Some(description) = &input.description {
        text::note("description", description, limits::DETAIL)?;
    }
    let named = lock_named(tx, &viewer, &input.participant_ids, field).await?;
    let request =
        requests::find(tx, &viewer, &[RequestKind::Chat], input.request_id.as_deref(), &call).await?;
    if let Requested::Before(_, chat_id) = request {
        lock_visible_chat(tx, &viewer, ChatId(chat_id))
            .await
            .map_err(|error| requests::if_gone(error, "chat"))?;
        return Ok(true);
    }
    let participants = named.all()?;
    let owner_id = input.owner_id.unwrap_or(viewer.actor_id);
    if !participants.iter().any(|actor| actor.id == owner_id) {
        return Err(Refused::Invalid {
            field: "ownerId".into(),
            reason: "The owner must be one of the participants.",
        }
        .into());
    }
    if input.chat_type == ChatType::Direct && participants.len() != 2 {
        return Err(Refused::Invalid {
            field: field.into(),
            reason: "`participantId` must not be your own id.",
        }
        .into());
    }
    let is_existing = find_or_add(tx, &viewer, input.chat_type, &participants, |row| {
        row.owner_id = Some(owner_id);
        row.name = input.name;
        row.detail = input.description;
    })
    .await?;
    let chat_id = tx.chat()?.id;
    requests::remember(tx, &viewer, RequestKind::Chat, request, chat_id.0).await?;
    Ok(is_existing)
}
