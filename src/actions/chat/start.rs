//! Starts a chat with a visitor, or resumes a recent one. Both lock the visitor's row first, so that
//! concurrent calls find each other's chat.

use super::resume::{Wish, resume};
use crate::actions::history::{Counted, Said, take_part};
use crate::actions::message::say::say;
use crate::actions::presence::join::{enter, who_is_there};
use crate::actions::presence::lease::Lease;
use crate::actions::requests::{self, Requested};
use crate::actions::{Actions, Error, Result};
use crate::domain::description::Description;
use crate::domain::event::MessageRow;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::text;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, messages, presences, principals, rooms};
use entity::{
    ActorId, ActorType, ChatId, ChatType, RequestKind, RoomId, WebPage, actor, chat, presence, room,
};
use std::sync::Arc;

/// A chat between a visitor and the organization, to start in a room.
#[derive(Clone, Debug, Hash)]
pub struct StartChat {
    /// The room of the chat.
    pub room_id: RoomId,
    /// The visitor. Absent if the caller is the visitor.
    pub visitor_id: Option<ActorId>,
    /// Whether a recent chat of the visitor is resumed, if there is one.
    pub auto_resume: bool,
    /// The user to join to a recent chat of the visitor, or to a new one.
    pub auto_resume_user_id: Option<ActorId>,
    /// Whether only participants and admins see the chat.
    pub is_private: bool,
    /// The page that the visitor is on.
    pub page: Option<WebPage>,
    /// The text of a first message.
    pub message: Option<String>,
    /// The id under which a retry returns the same chat.
    pub request_id: Option<String>,
}

/// A chat that was started or resumed.
pub struct StartedChat {
    pub chat: Arc<chat::Model>,
    /// The other results of the start.
    pub start: Start,
}

/// The results of a start besides the chat.
#[derive(Default)]
pub struct Start {
    /// Whether the chat existed before.
    pub is_resumed: bool,
    /// The presence of the user who was joined, if any.
    pub presence: Option<presence::Model>,
    /// The first message, if one was sent.
    pub message: Option<MessageRow>,
}

impl Actions {
    /// Starts a chat with a visitor in a room, or resumes one if requested.
    pub async fn start_chat(&self, viewer: &Viewer, input: StartChat) -> Result<StartedChat> {
        let starts_own = policy::may(viewer.role, Verb::StartOwnChat).is_ok();
        let verb = if starts_own { Verb::StartOwnChat } else { Verb::StartChatFor };
        let permit = self.permit(viewer, verb)?;
        if let Some(user_id) = input.auto_resume_user_id {
            let is_own = user_id == viewer.actor_id;
            policy::may(viewer.role, if is_own { Verb::JoinChat } else { Verb::JoinChatFor })?;
        }
        let visitor_id = input.visitor_id.unwrap_or(viewer.actor_id);
        let (start, chat) = permit.write_to(visitor_id, start, (input, self.lease())).await?.with_chat()?;
        Ok(StartedChat { chat, start })
    }
}

/// The actors involved, locked.
struct People {
    caller: actor::Model,
    visitor: actor::Model,
    /// The user to join. Absent if none is named or the user does not exist.
    joining: Option<actor::Model>,
}

impl People {
    /// The sender of the first message.
    fn sender(&self) -> &actor::Model {
        if self.caller.actor_type == ActorType::User { &self.caller } else { &self.visitor }
    }
}

impl StartChat {
    fn description(&self) -> Description {
        Description::of("startChat")
            .with("roomId", Some(self.room_id))
            .with("visitorId", self.visitor_id)
            .with_flag("autoResume", self.auto_resume)
            .with("autoResumeUserId", self.auto_resume_user_id)
            .with_flag("isPrivate", self.is_private)
            .with("page.url", self.page.as_ref().map(|page| &page.url))
            .with("page.title", self.page.as_ref().and_then(|page| page.title.as_ref()))
            .with("message", self.message.as_ref())
    }
}

async fn start(tx: &mut Tx, viewer: Viewer, (mut input, lease): (StartChat, Lease)) -> Result<Start> {
    let asked = input.clone();
    check(&viewer, &mut input)?;
    let mut people = lock_people(tx, &viewer, &input).await?;
    let kinds = [RequestKind::Chat, RequestKind::ResumedChat];
    let request =
        requests::find(tx, &viewer, &kinds, asked.request_id.as_deref(), &asked.description()).await?;
    if let Requested::Before(kind, id) = request {
        return again(tx, &viewer, &people, &input, (kind, ChatId(id))).await;
    }
    let joining = people.joining.take();
    if input.auto_resume_user_id.is_some() && joining.is_none() {
        return Err(Refused::NotFound { what: "user", field: "autoResumeUserId".into() }.into());
    }
    let room = rooms::find_in_organization(tx, viewer.organization_id, input.room_id).await?;
    let viewer = if policy::is_bound_to_rooms(viewer.role) {
        principals::with_current_rooms(tx, &viewer).await?
    } else {
        viewer
    };
    let room = room
        .filter(|room| policy::sees_room(&viewer, room))
        .ok_or(Refused::NotFound { what: "room", field: "roomId".into() })?;
    if let Some(page) = input.page.clone()
        && people.visitor.page().as_ref() != Some(&page)
    {
        people.visitor.set_page(page);
        actors::update(tx, &people.visitor).await?;
    }
    let who = joining.as_ref().or(input.auto_resume.then_some(&people.visitor));
    let is_resumed = match who {
        Some(who) => {
            resume(tx, &viewer, &people.visitor, &room, &Wish::new(tx, &room, who, input.is_private)).await?
        }
        None => false,
    };
    if !is_resumed {
        add(tx, &viewer, &people, &room, input.is_private).await?;
    }
    let kind = if is_resumed { RequestKind::ResumedChat } else { RequestKind::Chat };
    let chat_id = tx.chat()?.id;
    requests::remember(tx, &viewer, kind, request, chat_id.0).await?;
    let presence = match &joining {
        Some(user) => {
            let there = who_is_there(tx, lease).await?;
            Some(enter(tx, user, there, lease).await?)
        }
        None => None,
    };
    let message = match input.message {
        Some(message) => {
            let said = Said { text: Some(message), external_id: input.request_id, ..Said::default() };
            Some(say(tx, people.sender(), said, Some(viewer.actor_id), lease).await?)
        }
        None => None,
    };
    Ok(Start { is_resumed, presence, message })
}

/// Checks everything that does not depend on stored data.
fn check(viewer: &Viewer, input: &mut StartChat) -> Result<()> {
    if let Some(message) = &input.message {
        text::message("message", message)?;
    }
    if let Some(page) = &mut input.page {
        text::page("page", page)?;
    }
    if input.auto_resume && policy::may(viewer.role, Verb::StartOwnChat).is_err() {
        let reason = "`autoResume` is only for visitors. Users must set `autoResumeUserId`.";
        return Err(Refused::Invalid { field: "autoResume".into(), reason }.into());
    }
    Ok(())
}

/// Locks the caller, the visitor and the user to join.
async fn lock_people(tx: &Tx, viewer: &Viewer, input: &StartChat) -> Result<People> {
    let starts_for_others = policy::may(viewer.role, Verb::StartChatFor).is_ok();
    let visitor_id = match input.visitor_id {
        Some(visitor_id) if starts_for_others || visitor_id == viewer.actor_id => visitor_id,
        None if !starts_for_others => viewer.actor_id,
        Some(_) => return Err(no_visitor()),
        None => {
            return Err(
                Refused::Invalid { field: "visitorId".into(), reason: "`visitorId` is required." }.into()
            );
        }
    };
    let mut ids = vec![viewer.actor_id, visitor_id];
    ids.extend(input.auto_resume_user_id);
    let actors = actors::lock_in_organization(tx, viewer.organization_id, &ids).await?;
    let is = |id: ActorId, actor_type: ActorType| {
        let found = actors.iter().find(|actor| actor.id == id && actor.actor_type == actor_type);
        found.filter(|actor| actor.deactivated_at.is_none()).cloned()
    };
    let caller = actors.iter().find(|actor| actor.id == viewer.actor_id).cloned();
    Ok(People {
        caller: caller.ok_or_else(no_visitor)?,
        visitor: is(visitor_id, ActorType::Visitor).ok_or_else(no_visitor)?,
        joining: input.auto_resume_user_id.and_then(|id| is(id, ActorType::User)),
    })
}

fn no_visitor() -> Error {
    Refused::NotFound { what: "visitor", field: "visitorId".into() }.into()
}

/// The result of an earlier identical call.
async fn again(
    tx: &mut Tx,
    viewer: &Viewer,
    people: &People,
    input: &StartChat,
    (kind, chat_id): (RequestKind, ChatId),
) -> Result<Start> {
    let organization_id = viewer.organization_id;
    let started = tx.lock_chat(organization_id, chat_id).await?;
    if started.is_none_or(|chat| chat.deleted_at.is_some()) {
        return Err(requests::made_but_gone("chat"));
    }
    let request_id = input.request_id.as_deref().unwrap_or_default();
    let message =
        messages::find_by_external_id(tx, organization_id, chat_id, people.sender().id, request_id).await?;
    let mut there = presences::list_now(tx, chat_id).await?;
    there.retain(|presence| Some(presence.user_id) == input.auto_resume_user_id);
    Ok(Start { is_resumed: kind == RequestKind::ResumedChat, presence: there.pop(), message })
}

/// Adds a chat with the visitor, and with the caller if that is a user.
async fn add(
    tx: &mut Tx,
    viewer: &Viewer,
    people: &People,
    room: &room::Model,
    is_private: bool,
) -> Result<()> {
    let mut row = crate::actions::chat::add::new_chat(tx, viewer, ChatType::Visitor);
    row.room_id = Some(room.id);
    row.visitor_id = Some(people.visitor.id);
    row.is_private = is_private;
    tx.add_chat(row).await?;
    take_part(tx, &people.visitor, Counted::Yes, Some(viewer.actor_id)).await?;
    if people.caller.actor_type == ActorType::User {
        take_part(tx, &people.caller, Counted::NotYet, Some(viewer.actor_id)).await?;
    }
    Ok(())
}
