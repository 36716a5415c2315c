//! The root fields of queries.

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

/// An object with a global id, which `node` can fetch.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "Result<ID>",
    desc = "The global id. It is opaque, unique across all \
                                                        types, and never changes."
))]
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

/// Read operations on the API.
pub struct Query;

/// A visitor, by one of two ids.
#[derive(OneofObject)]
enum VisitorByInput {
    /// The global id of the visitor.
    Id(ID),
    /// The id of the visitor in the organization's own systems.
    ExternalId(String),
}

/// Read operations on the API.
#[Object]
impl Query {
    /// The viewer: the actor who makes the request.
    async fn viewer(&self) -> Viewer {
        Viewer
    }

    /// Returns an object by its global id. Null if it does not exist or the viewer cannot see it. A malformed
    /// id is a `BAD_USER_INPUT` error.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global id of the object.")] id: ID,
    ) -> Result<Option<Node>> {
        node(caller(context)?, &id).await
    }

    /// Returns objects by their global ids, up to 100, in the order of the ids. Null for each one that does
    /// not exist or that the viewer cannot see.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global ids of the objects.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > usize::try_from(limits::PAGE_MAX).unwrap_or_default() {
            return Err(Fault::new(Code::LimitExceeded, "ids has more than 100 items."));
        }
        let caller = caller(context)?;
        futures_util::future::try_join_all(ids.iter().map(|id| node(caller, id))).await
    }

    /// The organization that the viewer belongs to.
    async fn organization(&self, context: &Context<'_>) -> Result<Organization> {
        Organization::of_viewer(context).await
    }

    /// Returns a room of the organization. Null if it does not exist.
    async fn room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the room.")] id: ID,
    ) -> Result<Option<Room>> {
        match Kind::Room.decode(&id)? {
            Some(id) => Ok(caller(context)?.load(RoomId(id)).await?.map(Room)),
            None => Ok(None),
        }
    }

    /// Returns a user of the organization. Null if the user does not exist.
    async fn user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the user.")] id: ID,
    ) -> Result<Option<User>> {
        Ok(match actor(caller(context)?, Kind::User, &id).await? {
            Some(Actor::User(user)) => Some(user),
            Some(Actor::Visitor(_)) | None => None,
        })
    }

    /// Returns a visitor of the organization. Null if the visitor does not exist; visitors can only read
    /// themselves.
    async fn visitor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the visitor, of either kind.")] by: VisitorByInput,
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

    /// Returns a chat. Null if it does not exist or the viewer cannot see it.
    async fn chat(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the chat.")] id: ID,
    ) -> Result<Option<Chat>> {
        match Kind::Chat.decode(&id)? {
            Some(id) => Ok(caller(context)?.load(ChatId(id)).await?.map(Chat::new)),
            None => Ok(None),
        }
    }

    /// Returns a chat session. Null if it does not exist or the viewer cannot see it.
    async fn chat_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the chat session.")] id: ID,
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
