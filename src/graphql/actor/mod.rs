//! Users and visitors.

pub(super) mod mutation;

use super::caller::caller;
use super::cart::{ShoppingCartConnection, carts_of};
use super::chat::{ChatArguments, ChatConnection, ChatFilterInput, Place, chats_of};
use super::connection::{List, PageArguments, connection};
use super::enums::UserRole;
use super::error::Result;
use super::id::Kind;
use super::order::{
    ChatOrderField, ChatOrderInput, ParticipationOrderField, ParticipationOrderInput, ShoppingCartOrderField,
    ShoppingCartOrderInput,
};
use super::participation::{
    ParticipationArguments, ParticipationConnection, ParticipationFilterInput, participations_of,
};
use super::room::{RoomConnection, rooms_of};
use super::scalar::DateTime;
use super::web_page::WebPage;
use crate::actions::CartsOf;
use crate::domain::limits;
use crate::domain::policy::{self, Names};
use crate::domain::search::Matching;
use async_graphql::{Context, ID, Interface, Object, SimpleObject};
use entity::{ActorType, actor};

/// A participant of chats: a user or a visitor.
#[derive(Interface, Clone)]
#[graphql(
    field(name = "id", ty = "ID", desc = "The global id, for `node(id:)`."),
    field(name = "display_name", ty = "Result<String>", desc = "The name to show to this viewer."),
    field(
        name = "is_online",
        ty = "Result<bool>",
        desc = "True if the actor was active within the last 60 seconds."
    ),
    field(
        name = "last_seen_at",
        ty = "Option<DateTime>",
        desc = "The time at which the actor was last active. Null if they never were."
    )
)]
pub(super) enum Actor {
    User(User),
    Visitor(Visitor),
}

impl Actor {
    /// The actor of a row. API clients are not actors.
    pub(super) fn new(row: actor::Model) -> Option<Self> {
        match row.actor_type {
            ActorType::User => Some(Self::User(User(row))),
            ActorType::Visitor => Some(Self::Visitor(Visitor(row))),
            ActorType::ApiClient => None,
        }
    }
}

/// The name of an actor to a viewer who reads these names of users. `None` if the actor has no such name.
pub(super) fn name_shown(names: Names, row: &actor::Model) -> Option<&String> {
    match (row.actor_type, names) {
        (ActorType::User, Names::Public) => row.public_name.as_ref(),
        (ActorType::User, Names::Internal) | (ActorType::Visitor | ActorType::ApiClient, _) => {
            row.name.as_ref()
        }
    }
}

/// The same, with a word for those who have no name.
pub(super) fn display_name(names: Names, row: &actor::Model) -> String {
    let fallback = || match row.actor_type {
        ActorType::Visitor => "Visitor".to_owned(),
        ActorType::User | ActorType::ApiClient => "User".to_owned(),
    };
    name_shown(names, row).cloned().unwrap_or_else(fallback)
}

fn is_online(context: &Context<'_>, row: &actor::Model) -> Result<bool> {
    let now = caller(context)?.actions.now();
    Ok(row.last_seen_at.is_some_and(|seen| now.since(seen) <= limits::ONLINE))
}

/// A person who works for the organization, such as an operator, an agent or a clinician.
#[derive(Clone)]
pub(super) struct User(pub actor::Model);

impl User {
    /// The user, if the row is one.
    fn new(row: actor::Model) -> Option<Self> {
        (row.actor_type == ActorType::User).then_some(Self(row))
    }
}

/// A person who works for the organization, such as an operator, an agent or a clinician.
#[Object]
impl User {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::User.encode(self.0.id.0)
    }

    /// The name to show to this viewer: `publicName` for visitors, `name` for staff.
    pub(super) async fn display_name(&self, context: &Context<'_>) -> Result<String> {
        Ok(display_name(policy::names(&caller(context)?.viewer), &self.0))
    }

    /// True if the user was active within the last 60 seconds.
    pub(super) async fn is_online(&self, context: &Context<'_>) -> Result<bool> {
        is_online(context, &self.0)
    }

    /// The time at which the user was last active. Null if they never were.
    pub(super) async fn last_seen_at(&self) -> Option<DateTime> {
        self.0.last_seen_at.map(DateTime)
    }

    /// The name that visitors see.
    async fn public_name(&self) -> String {
        display_name(Names::Public, &self.0)
    }

    /// The name that staff see. Null for visitors.
    async fn name(&self, context: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.0.name.as_deref().filter(|_| is_for_staff(context)))
    }

    /// The role of the user. Null for visitors.
    async fn role(&self, context: &Context<'_>) -> Result<Option<UserRole>> {
        Ok(self.0.role.map(UserRole::from).filter(|_| is_for_staff(context)))
    }

    /// The id of the user in the organization's own systems. Null if there is none, or for visitors.
    async fn external_id(&self, context: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.0.external_id.as_deref().filter(|_| is_for_staff(context)))
    }

    /// The time at which the user was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The time at which the user was deactivated. Null while the user is active.
    async fn deactivated_at(&self) -> Option<DateTime> {
        self.0.deactivated_at.map(DateTime)
    }

    /// The user's chats that the viewer can see.
    #[allow(clippy::too_many_arguments)]
    async fn chats(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only chats that match this filter.")] filter: Option<ChatFilterInput>,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(ChatOrderInput::ascending(ChatOrderField::StartedAt))"
        )]
        order_by: Option<ChatOrderInput>,
        #[graphql(desc = "True to include chats that the viewer has hidden.", default_with = "true")]
        include_hidden: bool,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ChatConnection> {
        let place = Place::Participant(self.0.id);
        let page = PageArguments { first, after, last, before };
        chats_of(context, place, ChatArguments { filter, order_by, include_hidden, page }).await
    }

    /// The chats in which the user is present now and that the viewer can see.
    #[allow(clippy::too_many_arguments)]
    async fn current_chats(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only chats that match this filter.")] filter: Option<ChatFilterInput>,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(ChatOrderInput::ascending(ChatOrderField::StartedAt))"
        )]
        order_by: Option<ChatOrderInput>,
        #[graphql(desc = "True to include chats that the viewer has hidden.", default_with = "true")]
        include_hidden: bool,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ChatConnection> {
        let place = Place::PresentUser(self.0.id);
        let page = PageArguments { first, after, last, before };
        chats_of(context, place, ChatArguments { filter, order_by, include_hidden, page }).await
    }

    /// The rooms that the user is a member of and the viewer can see, the earliest membership first. Null for
    /// visitors.
    async fn rooms(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<RoomConnection>> {
        rooms_of(context, self.0.id, PageArguments { first, after, last, before }).await
    }

    /// The user's participations in chats. Null unless the viewer is this user or an admin.
    #[allow(clippy::too_many_arguments)]
    async fn participations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only participations that match this filter.")] filter: Option<
            ParticipationFilterInput,
        >,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(ParticipationOrderInput::descending(ParticipationOrderField::ActiveAt))"
        )]
        order_by: Option<ParticipationOrderInput>,
        #[graphql(desc = "True to include participations whose `isHidden` is true.", default)]
        include_hidden: bool,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<ParticipationConnection>> {
        let page = PageArguments { first, after, last, before };
        let arguments = ParticipationArguments { filter, order_by, include_hidden, page };
        participations_of(context, self.0.id, arguments).await
    }
}

fn is_for_staff(context: &Context<'_>) -> bool {
    caller(context).is_ok_and(|caller| policy::sees_staff_fields(&caller.viewer))
}

/// A custom attribute: a name and a value.
#[derive(SimpleObject)]
pub(super) struct Attribute {
    /// The name of the attribute.
    name: String,
    /// The value of the attribute.
    value: String,
}

/// A person whom the organization serves, such as a website visitor, a customer or a patient.
#[derive(Clone)]
pub(super) struct Visitor(pub actor::Model);

/// A person whom the organization serves, such as a website visitor, a customer or a patient.
#[Object]
impl Visitor {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::Visitor.encode(self.0.id.0)
    }

    /// The name of the visitor, or "Visitor" if there is none.
    pub(super) async fn display_name(&self, context: &Context<'_>) -> Result<String> {
        Ok(display_name(policy::names(&caller(context)?.viewer), &self.0))
    }

    /// True if the visitor was active within the last 60 seconds.
    pub(super) async fn is_online(&self, context: &Context<'_>) -> Result<bool> {
        is_online(context, &self.0)
    }

    /// The time at which the visitor was last active. Null if they never were.
    pub(super) async fn last_seen_at(&self) -> Option<DateTime> {
        self.0.last_seen_at.map(DateTime)
    }

    /// The id of the visitor in the organization's own systems. Null if there is none, or for other visitors.
    async fn external_id(&self, context: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.0.external_id.as_deref().filter(|_| self.is_open_to(context)))
    }

    /// The time at which the visitor was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Custom attributes of the visitor. Null for visitors.
    async fn attributes(&self, context: &Context<'_>) -> Result<Option<Vec<Attribute>>> {
        if !is_for_staff(context) {
            return Ok(None);
        }
        let pairs = self.0.attributes.0.iter().cloned();
        Ok(Some(pairs.map(|(name, value)| Attribute { name, value }).collect()))
    }

    /// The last known page of the website that the visitor was on. Null if none is known, or for
    /// other visitors.
    async fn current_page(&self, context: &Context<'_>) -> Result<Option<WebPage>> {
        Ok(self.0.page().filter(|_| self.is_open_to(context)).map(Into::into))
    }

    /// The visitor's chats that the viewer can see.
    #[allow(clippy::too_many_arguments)]
    async fn chats(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only chats that match this filter.")] filter: Option<ChatFilterInput>,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(ChatOrderInput::ascending(ChatOrderField::StartedAt))"
        )]
        order_by: Option<ChatOrderInput>,
        #[graphql(desc = "True to include chats that the viewer has hidden.", default_with = "true")]
        include_hidden: bool,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ChatConnection> {
        let place = Place::Visitor(self.0.id);
        let page = PageArguments { first, after, last, before };
        chats_of(context, place, ChatArguments { filter, order_by, include_hidden, page }).await
    }

    /// The visitor's shopping carts in the organization's shop. Null for other visitors.
    async fn shopping_carts(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(ShoppingCartOrderInput::ascending(ShoppingCartOrderField::OpenedAt))"
        )]
        order_by: Option<ShoppingCartOrderInput>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<ShoppingCartConnection>> {
        if !self.is_open_to(context) {
            return Ok(None);
        }
        let page = PageArguments { first, after, last, before };
        carts_of(context, CartsOf::Visitor(self.0.id), order_by, page).await.map(Some)
    }
}

impl Visitor {
    fn is_open_to(&self, context: &Context<'_>) -> bool {
        caller(context).is_ok_and(|caller| policy::sees_actor(&caller.viewer, &self.0))
    }
}

connection! {
    /// A page of users.
    UserConnection,
    /// A user in a list.
    UserEdge of User,
    fields {}
}

connection! {
    /// A page of visitors.
    VisitorConnection,
    /// A visitor in a list.
    VisitorEdge of Visitor,
    fields {}
}

/// The organization's users.
pub(super) async fn users(context: &Context<'_>, page: PageArguments) -> Result<UserConnection> {
    let (caller, list) = (caller(context)?, List::named("users"));
    let page = caller.actions.users(&caller.viewer, &page.request(context, list)?).await?;
    Ok(UserConnection::new(page, |_, key| list.cursor(key), User))
}

/// The organization's visitors.
pub(super) async fn visitors(
    context: &Context<'_>,
    query: Option<(&str, Matching)>,
    page: PageArguments,
) -> Result<VisitorConnection> {
    let (caller, list) = (caller(context)?, List::named("visitors"));
    let page = page.request(context, list)?;
    let _permit = caller.search().await?;
    let page = caller.actions.visitors(&caller.viewer, query, &page).await?;
    Ok(VisitorConnection::new(page, |_, key| list.cursor(key), Visitor))
}
