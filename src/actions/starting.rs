//! Starting a chat with a visitor, or resuming a recent one. Both lock the visitor's row first, so that
//! concurrent calls find each other's result.

use super::history::{Counted, Said, take_part};
use super::messages::say;
use super::presences::{Lease, enter, who_is_there};
use super::requests::{self, Requested};
use super::{Actions, Error, Result};
use crate::domain::description::Description;
use crate::domain::event::MessageRow;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::text;
use crate::domain::viewer::{Viewer, ViewerRole};
use crate::store::{Tx, actors, chats, messages, participations, presences, rooms};
use chrono::TimeDelta;
use entity::{
    ActorId, ActorType, ChatId, ChatType, RequestKind, RoomId, Timestamp, WebPage, actor, chat, presence,
    room,
};
use futures_util::FutureExt;
use std::sync::Arc;

/// A chat between a visitor and the organization, to start in a room.
#[derive(Clone, Debug, Hash)]
pub struct StartChat {
    /// Where.
    pub room_id: RoomId,
    /// The visitor; a visitor's own token names none.
    pub visitor_id: Option<ActorId>,
    /// A visitor goes on with a recent chat of theirs, if there is one.
    pub auto_resume: bool,
    /// This user is joined: to a recent chat of the visitor, if there is one, or else to the new one.
    pub auto_resume_user_id: Option<ActorId>,
    /// Whether only its participants and admins see it.
    pub is_private: bool,
    /// Where the visitor is.
    pub page: Option<WebPage>,
    /// The text of a first message.
    pub message: Option<String>,
    /// Makes starting again safe.
    pub request_id: Option<String>,
}

/// A chat that was started or resumed.
pub struct StartedChat {
    /// The chat.
    pub chat: Arc<chat::Model>,
    /// What else came of it.
    pub start: Start,
}

/// What a start made, beside the chat.
pub struct Start {
    /// Whether the chat was there before.
    pub is_resumed: bool,
    /// That of the user who was joined, if one was.
    pub presence: Option<presence::Model>,
    /// The message, if one was sent with it.
    pub message: Option<MessageRow>,
}

impl Actions {
    /// Starts a chat with a visitor in a room, or resumes one where that is asked for.
    pub async fn start_chat(&self, viewer: &Viewer, input: StartChat) -> Result<StartedChat> {
        let verb = match viewer.role {
            ViewerRole::Visitor | ViewerRole::Widget => Verb::StartOwnChat,
            ViewerRole::Admin | ViewerRole::Operator | ViewerRole::ApiClient => Verb::StartChatFor,
        };
        policy::may(viewer.role, verb)?;
        if let Some(user_id) = input.auto_resume_user_id {
            let is_own = user_id == viewer.actor_id;
            policy::may(viewer.role, if is_own { Verb::JoinChat } else { Verb::JoinChatFor })?;
        }
        let (viewer, lease) = (viewer.clone(), self.lease());
        let visitor_id = input.visitor_id.unwrap_or(viewer.actor_id);
        let (start, chat) = self
            .write_to(visitor_id, move |tx| start(tx, viewer, input, lease).boxed())
            .await?
            .with_chat()?;
        Ok(StartedChat { chat, start })
    }
}

/// Who is concerned, locked.
struct People {
    caller: actor::Model,
    visitor: actor::Model,
    /// The user who is to be joined; absent where none is named, or where there is no such user.
    joining: Option<actor::Model>,
}

impl People {
    /// Who writes the first message.
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

async fn start(tx: &mut Tx, viewer: Viewer, mut input: StartChat, lease: Lease) -> Result<Start> {
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
    let room = room.ok_or(Refused::NotFound { what: "room", field: "roomId".into() })?;
    if let Some(page) = input.page.clone()
        && people.visitor.page().as_ref() != Some(&page)
    {
        people.visitor.set_page(page);
        actors::update(tx, &people.visitor).await?;
    }
    let who = joining.as_ref().or(input.auto_resume.then_some(&people.visitor));
    let is_resumed = match who {
        Some(who) => resume(tx, &viewer, &people.visitor, &room, &Wish::new(tx, &room, who, &input)).await?,
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

/// What can be told from the call alone.
fn check(viewer: &Viewer, input: &mut StartChat) -> Result<()> {
    if let Some(message) = &input.message {
        text::message("message", message)?;
    }
    if let Some(page) = &mut input.page {
        text::page("page", page)?;
    }
    if input.auto_resume && viewer.role != ViewerRole::Visitor {
        let reason = "Only visitors can set `autoResume`. Set `autoResumeUserId` instead.";
        return Err(Refused::Invalid { field: "autoResume".into(), reason }.into());
    }
    Ok(())
}

/// Locks the caller, the visitor and who is to be joined.
async fn lock_people(tx: &Tx, viewer: &Viewer, input: &StartChat) -> Result<People> {
    let visitor_id = match (viewer.role, input.visitor_id) {
        (ViewerRole::Visitor, None) => viewer.actor_id,
        (ViewerRole::Visitor, Some(visitor_id)) if visitor_id == viewer.actor_id => visitor_id,
        (ViewerRole::Admin | ViewerRole::Operator | ViewerRole::ApiClient, Some(visitor_id)) => visitor_id,
        (ViewerRole::Visitor, Some(_)) | (ViewerRole::Widget, _) => return Err(no_visitor()),
        (ViewerRole::Admin | ViewerRole::Operator | ViewerRole::ApiClient, None) => {
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

/// What the same call came to before.
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

/// Which chat will do.
struct Wish {
    /// A visitor, or the user who is to be joined: who goes on with it.
    who: ActorId,
    is_user: bool,
    /// Active at this moment or later; absent where the room resumes nothing.
    since: Option<Timestamp>,
    is_private: bool,
}

impl Wish {
    fn new(tx: &Tx, room: &room::Model, who: &actor::Model, input: &StartChat) -> Self {
        let window = TimeDelta::minutes(room.resume_window_minutes.into());
        Self {
            who: who.id,
            is_user: who.actor_type == ActorType::User,
            since: (!window.is_zero()).then(|| tx.now().minus(window)),
            is_private: input.is_private,
        }
    }

    /// A private chat is for a user who takes part in it, and what is to be private goes on in private.
    fn is_met_by(&self, viewer: &Viewer, chat: &chat::Model, takes_part: bool) -> bool {
        chat.ended_at.is_none()
            && self.since.is_some_and(|since| chat.active_at >= since)
            && (takes_part || self.is_user && !chat.is_private)
            && (chat.is_private || !self.is_private)
            && policy::sees_chat(viewer, chat, takes_part)
    }
}

/// Locks the visitor's most active chat that will do: whether there is one.
async fn resume(
    tx: &mut Tx,
    viewer: &Viewer,
    visitor: &actor::Model,
    room: &room::Model,
    wish: &Wish,
) -> Result<bool> {
    let Some(since) = wish.since else { return Ok(false) };
    for chat in chats::list_recent_of_visitor(tx, visitor, room.id, since).await? {
        if !wish.is_met_by(viewer, &chat, takes_part(tx, chat.id, wish.who).await?) {
            continue;
        }
        tx.lock_chat(viewer.organization_id, chat.id).await?;
        // It may have ended while this waited for it.
        let takes_part = takes_part(tx, chat.id, wish.who).await?;
        if wish.is_met_by(viewer, tx.chat()?, takes_part) {
            return Ok(true);
        }
        tx.leave_chat();
    }
    Ok(false)
}

async fn takes_part(tx: &Tx, chat_id: ChatId, actor_id: ActorId) -> Result<bool> {
    let found = participations::find_of_actor(tx, chat_id, actor_id).await?;
    Ok(found.is_some_and(|participation| participation.ended_at.is_none()))
}

/// Adds a chat with the visitor, and with the caller where that is a user.
async fn add(
    tx: &mut Tx,
    viewer: &Viewer,
    people: &People,
    room: &room::Model,
    is_private: bool,
) -> Result<()> {
    let mut row = super::chats::new_chat(tx, viewer, ChatType::Visitor);
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
