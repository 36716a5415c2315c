//! The roots of queries.

use super::actor::{Actor, User, Visitor};
use super::attachment::{Attachment, ContactAttachment, FileAttachment, LinkAttachment};
use super::caller::{Caller, caller};
use super::cart::{ShoppingCart, ShoppingCartProduct};
use super::chat::Chat;
use super::door::Code;
use super::error::{Fault, Result};
use super::id::{Kind, decode_any};
use super::loaders::Seen;
use super::message::Message;
use super::organization::Organization;
use super::participation::Participation;
use super::presence::Presence;
use super::room::Room;
use super::session::ChatSession;
use super::viewer::Viewer;
use super::webhook::{Webhook, WebhookDelivery};
use crate::domain::limits;
use async_graphql::{Context, ID, Interface, Object, OneofObject};
use entity::{
    ActorId, AttachmentId, ChatId, MessageId, ParticipationId, PresenceId, RoomId, SessionId, ShoppingCartId,
    ShoppingCartProductId, WebhookDeliveryId, WebhookId,
};

/// An object with a global id, which `node` fetches.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "Result<ID>", desc = "The global id: opaque, and the same for ever."))]
pub(super) enum Node {
    Viewer(Viewer),
    Organization(Organization),
    Room(Room),
    User(User),
    Visitor(Visitor),
    Chat(Chat),
    Message(Message),
    Presence(Presence),
    Participation(Participation),
    ChatSession(ChatSession),
    FileAttachment(FileAttachment),
    LinkAttachment(LinkAttachment),
    ContactAttachment(ContactAttachment),
    ShoppingCart(ShoppingCart),
    ShoppingCartProduct(ShoppingCartProduct),
    Webhook(Webhook),
    WebhookDelivery(WebhookDelivery),
}

/// Everything that can be asked.
pub struct Query;

/// A visitor, by one of two ids.
#[derive(OneofObject)]
enum VisitorByInput {
    /// The global id.
    Id(ID),
    /// The id in the organization's own systems.
    ExternalId(String),
}

/// Everything that can be asked.
#[Object]
impl Query {
    /// The viewer: the actor who makes the request.
    async fn viewer(&self) -> Viewer {
        Viewer
    }

    /// A thing by its global id. An id of something that is not there, or not for this viewer, is null; what is
    /// no id at all is `BAD_USER_INPUT`.
    async fn node(&self, context: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Node>> {
        node(caller(context)?, &id).await
    }

    /// Things by their global ids, in the order of the ids: up to 100.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Their ids.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > usize::try_from(limits::PAGE_MAX).unwrap_or_default() {
            return Err(Fault::new(Code::LimitExceeded, "ids has more than 100 items."));
        }
        let caller = caller(context)?;
        futures_util::future::try_join_all(ids.iter().map(|id| node(caller, id))).await
    }

    /// The viewer's organization.
    async fn organization(&self, context: &Context<'_>) -> Result<Organization> {
        Organization::of_viewer(context).await
    }

    /// A room of the organization.
    async fn room(&self, context: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Room>> {
        match Kind::Room.decode(&id)? {
            Some(id) => Ok(caller(context)?.load(RoomId(id)).await?.map(Room)),
            None => Ok(None),
        }
    }

    /// A user of the organization.
    async fn user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Their id.")] id: ID,
    ) -> Result<Option<User>> {
        Ok(match actor(caller(context)?, Kind::User, &id).await? {
            Some(Actor::User(user)) => Some(user),
            Some(Actor::Visitor(_)) | None => None,
        })
    }

    /// Returns a visitor of the organization. Visitors find only themselves.
    async fn visitor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The visitor.")] by: VisitorByInput,
    ) -> Result<Option<Visitor>> {
        let caller = caller(context)?;
        match by {
            VisitorByInput::Id(id) => Ok(match actor(caller, Kind::Visitor, &id).await? {
                Some(Actor::Visitor(visitor)) => Some(visitor),
                Some(Actor::User(_)) | None => None,
            }),
            VisitorByInput::ExternalId(id) => {
                Ok(caller.actions.visitor_by_external_id(&caller.viewer, &id).await?.map(Visitor))
            }
        }
    }

    /// A chat that the viewer may see.
    async fn chat(&self, context: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Chat>> {
        match Kind::Chat.decode(&id)? {
            Some(id) => Ok(caller(context)?.load(ChatId(id)).await?.map(Chat::new)),
            None => Ok(None),
        }
    }

    /// A session that the viewer may see.
    async fn chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<ChatSession>> {
        match Kind::ChatSession.decode(&id)? {
            Some(id) => Ok(caller(context)?.load(Seen(SessionId(id))).await?.map(ChatSession)),
            None => Ok(None),
        }
    }
}

async fn actor(caller: &Caller, kind: Kind, id: &ID) -> Result<Option<Actor>> {
    match kind.decode(id)? {
        Some(id) => Ok(caller.load(Seen(ActorId(id))).await?.and_then(Actor::new)),
        None => Ok(None),
    }
}

async fn node(caller: &Caller, id: &ID) -> Result<Option<Node>> {
    let (kind, uuid) = decode_any(id)?;
    let viewer = &caller.viewer;
    Ok(match kind {
        Kind::Viewer => (viewer.actor_id.0 == uuid).then_some(Node::Viewer(Viewer)),
        Kind::Organization if viewer.organization_id.0 == uuid => {
            Some(Node::Organization(Organization(caller.need(viewer.organization_id).await?)))
        }
        Kind::Organization => None,
        Kind::Room => caller.load(RoomId(uuid)).await?.map(Room).map(Node::Room),
        Kind::User | Kind::Visitor => match actor(caller, kind, id).await? {
            Some(Actor::User(user)) if kind == Kind::User => Some(Node::User(user)),
            Some(Actor::Visitor(visitor)) if kind == Kind::Visitor => Some(Node::Visitor(visitor)),
            Some(Actor::User(_) | Actor::Visitor(_)) | None => None,
        },
        Kind::Chat => caller.load(ChatId(uuid)).await?.map(Chat::new).map(Node::Chat),
        Kind::Message => caller.load(Seen(MessageId(uuid))).await?.map(Message).map(Node::Message),
        Kind::Presence => caller.load(Seen(PresenceId(uuid))).await?.map(Presence).map(Node::Presence),
        Kind::Participation => {
            caller.load(Seen(ParticipationId(uuid))).await?.map(Participation).map(Node::Participation)
        }
        Kind::ChatSession => {
            caller.load(Seen(SessionId(uuid))).await?.map(ChatSession).map(Node::ChatSession)
        }
        Kind::FileAttachment | Kind::LinkAttachment | Kind::ContactAttachment => {
            let found = caller.load(Seen(AttachmentId(uuid))).await?.map(Attachment::new);
            match found {
                Some(Attachment::File(file)) if kind == Kind::FileAttachment => {
                    Some(Node::FileAttachment(file))
                }
                Some(Attachment::Link(link)) if kind == Kind::LinkAttachment => {
                    Some(Node::LinkAttachment(link))
                }
                Some(Attachment::Contact(contact)) if kind == Kind::ContactAttachment => {
                    Some(Node::ContactAttachment(contact))
                }
                Some(Attachment::File(_) | Attachment::Link(_) | Attachment::Contact(_)) | None => None,
            }
        }
        Kind::ShoppingCart => {
            caller.load(Seen(ShoppingCartId(uuid))).await?.map(ShoppingCart).map(Node::ShoppingCart)
        }
        Kind::ShoppingCartProduct => caller
            .load(Seen(ShoppingCartProductId(uuid)))
            .await?
            .map(ShoppingCartProduct)
            .map(Node::ShoppingCartProduct),
        Kind::Webhook => caller.load(Seen(WebhookId(uuid))).await?.map(Webhook).map(Node::Webhook),
        Kind::WebhookDelivery => {
            caller.load(Seen(WebhookDeliveryId(uuid))).await?.map(WebhookDelivery).map(Node::WebhookDelivery)
        }
    })
}
