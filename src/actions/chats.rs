//! Chats: create, change and end them.

use super::history::{Counted, record_chat, take_part};
use super::requests::{self, Requested};
use super::write::lock_visible_chat;
use super::{Actions, Result};
use crate::domain::description::Description;
use crate::domain::field_path::FieldPath;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, actors};
use entity::{ActorId, ActorType, ChatId, ChatType, RequestKind, actor, chat};
use futures_util::FutureExt;
use std::sync::Arc;

/// A chat among named actors.
#[derive(Clone, Debug, Hash)]
pub struct CreateChat {
    /// DIRECT or GROUP.
    pub chat_type: ChatType,
    /// The caller is added where missing.
    pub participant_ids: Vec<ActorId>,
    /// One of the participants; the caller, where absent.
    pub owner_id: Option<ActorId>,
    /// What to call it.
    pub name: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// Makes creating again safe.
    pub request_id: Option<String>,
}

/// A chat that was created or found.
pub struct CreatedChat {
    /// The chat.
    pub chat: Arc<chat::Model>,
    /// Whether it was there before.
    pub is_existing: bool,
}

/// Changes of a chat's own fields.
#[derive(Clone, Debug)]
pub struct UpdateChat {
    /// Which.
    pub chat_id: ChatId,
    /// `None` leaves it, `Some(None)` takes it away.
    pub name: Option<Option<String>>,
    /// `None` leaves it, `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// Whether only its participants and admins see it.
    pub is_private: Option<bool>,
}

impl Actions {
    /// Creates a DIRECT or GROUP chat; of a pair there is one DIRECT chat, which is then answered.
    pub async fn create_chat(&self, viewer: &Viewer, input: CreateChat) -> Result<CreatedChat> {
        policy::may(viewer.role, Verb::CreateChat)?;
        let viewer = viewer.clone();
        let (is_existing, chat) =
            self.write_to(viewer.actor_id, move |tx| create(tx, viewer, input).boxed()).await?.with_chat()?;
        Ok(CreatedChat { chat, is_existing })
    }

    /// Changes a chat's name, description or privacy.
    pub async fn update_chat(&self, viewer: &Viewer, input: UpdateChat) -> Result<Arc<chat::Model>> {
        policy::may(viewer.role, Verb::UpdateChat)?;
        let viewer = viewer.clone();
        Ok(self.write_to(input.chat_id, move |tx| update(tx, viewer, input).boxed()).await?.with_chat()?.1)
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
            reason: "`ownerId` must be one of the participants.",
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

/// Locks the chat that these actors have as a pair, or adds one: whether it was there before. Whoever of a pair has left
/// participates again. The caller has locked the actors.
pub(super) async fn find_or_add(
    tx: &mut Tx,
    viewer: &Viewer,
    chat_type: ChatType,
    participants: &[actor::Model],
    fill: impl FnOnce(&mut chat::Model),
) -> Result<bool> {
    let pair_key = match (chat_type, participants) {
        (ChatType::Direct, [one, other]) => Some(format!("{}:{}", one.id, other.id)),
        (ChatType::Direct | ChatType::Group | ChatType::Visitor, _) => None,
    };
    if let Some(pair_key) = &pair_key
        && tx.lock_chat_of_pair(viewer.organization_id, pair_key).await?.is_some()
    {
        take_part_all(tx, viewer, participants).await?;
        if tx.chat()?.owner_id.is_none() {
            tx.chat_mut()?.owner_id = Some(viewer.actor_id);
            record_chat(tx, Some(viewer.actor_id))?;
        }
        return Ok(true);
    }
    let mut row = new_chat(tx, viewer, chat_type);
    row.pair_key = pair_key;
    fill(&mut row);
    tx.add_chat(row).await?;
    take_part_all(tx, viewer, participants).await?;
    Ok(false)
}

async fn take_part_all(tx: &mut Tx, viewer: &Viewer, participants: &[actor::Model]) -> Result<()> {
    for participant in participants {
        take_part(tx, participant, Counted::Yes, Some(viewer.actor_id)).await?;
    }
    Ok(())
}

/// The actors that a call names, and the caller, locked.
pub(super) struct Named {
    field: FieldPath,
    /// The ids as they were given.
    given: Vec<ActorId>,
    count: usize,
    found: Vec<actor::Model>,
}

impl Named {
    /// All of them, ordered by id, if each may take part.
    pub(super) fn all(self) -> Result<Vec<actor::Model>> {
        let is_person = |actor: &actor::Model| {
            actor.deactivated_at.is_none() && matches!(actor.actor_type, ActorType::User | ActorType::Visitor)
        };
        if self.found.len() == self.count && self.found.iter().all(is_person) {
            Ok(self.found)
        } else {
            let is_missing =
                |id: &ActorId| !self.found.iter().any(|actor| actor.id == *id && is_person(actor));
            let field = match self.given.iter().position(is_missing) {
                Some(index) if self.field.name() == "participantIds" => self.field.item(index),
                _ => self.field,
            };
            Err(Refused::NotFound { what: "participant", field }.into())
        }
    }
}

/// Locks the named actors and the caller, who is always one of them, in the order of their ids. Whether they may
/// take part is asked only after the call is known to be no retry.
pub(super) async fn lock_named(
    tx: &Tx,
    viewer: &Viewer,
    ids: &[ActorId],
    field: impl Into<FieldPath>,
) -> Result<Named> {
    let (field, given) = (field.into(), ids.to_vec());
    let mut ids = given.clone();
    ids.push(viewer.actor_id);
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > limits::PARTICIPANTS {
        return Err(Refused::TooMany { field, limit: limits::PARTICIPANTS }.into());
    }
    let found = actors::lock_in_organization(tx, viewer.organization_id, &ids).await?;
    Ok(Named { field, given, count: ids.len(), found })
}

/// A chat as it is before anything happened in it.
pub(super) fn new_chat(tx: &Tx, viewer: &Viewer, chat_type: ChatType) -> chat::Model {
    let mut row = chat::Model::new(ChatId(tx.new_id()), viewer.organization_id, chat_type, tx.now());
    row.token = super::tokens::unguessable();
    row
}

async fn update(tx: &mut Tx, viewer: Viewer, input: UpdateChat) -> Result<()> {
    let UpdateChat { chat_id, mut name, description, is_private } = input;
    if let Some(Some(name)) = &mut name {
        text::name("name", name)?;
    }
    if let Some(Some(description)) = &description {
        text::note("description", description, limits::DETAIL)?;
    }
    let place = lock_visible_chat(tx, &viewer, chat_id).await?;
    let chat = tx.chat()?;
    if !policy::changes_chat(&viewer, chat, place.participates()) {
        return Err(match chat.chat_type {
            ChatType::Visitor | ChatType::Direct => Refused::NotParticipant.into(),
            ChatType::Group => {
                let reason = "Only the owner or an admin can change a GROUP chat.";
                Refused::Invalid { field: "chatId".into(), reason }.into()
            }
        });
    }
    let chat = tx.chat_mut()?;
    if is_private == Some(true) && chat.chat_type != ChatType::Visitor {
        let reason = "`isPrivate` can be set only for VISITOR chats. Other chats are always private.";
        return Err(Refused::Invalid { field: "isPrivate".into(), reason }.into());
    }
    let before = chat.clone();
    if let Some(name) = name {
        chat.name = name;
    }
    if let Some(description) = description {
        chat.detail = description;
    }
    if let Some(is_private) = is_private {
        chat.is_private = is_private;
    }
    if *chat == before { Ok(()) } else { record_chat(tx, Some(viewer.actor_id)) }
}
