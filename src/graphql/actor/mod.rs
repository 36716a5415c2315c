//! Users and visitors.

pub(super) mod mutation;

use super::caller::caller;
use super::cart::{ShoppingCartConnection, carts_of};
use super::chat::{ChatConnection, ChatFilterInput, ChatOrderInput, Place, chats_of};
use super::connection::{List, PageArguments, connection};
use super::enums::UserRole;
use super::error::Result;
use super::id::Kind;
use super::participation::{ParticipationConnection, participations_of};
use super::scalar::DateTime;
use super::web_page::WebPage;
use crate::actions::CartsOf;
use crate::domain::policy::{self, Names};
use crate::domain::search::Matching;
use async_graphql::{Context, ID, Interface, Object, SimpleObject};
use chrono::TimeDelta;
use entity::{ActorType, actor};

/// An actor counts as online for this long after they were last heard from.
const ONLINE: TimeDelta = TimeDelta::seconds(60);

/// A user or a visitor: whoever can take part in a chat.
#[derive(Interface, Clone)]
#[graphql(
    field(name = "id", ty = "ID", desc = "The global id."),
    field(name = "display_name", ty = "Result<String>", desc = "The name as this viewer may see it."),
    field(
        name = "is_online",
        ty = "Result<bool>",
        desc = "Whether the actor was heard from within the last minute."
    ),
    field(
        name = "last_seen_at",
        ty = "Option<DateTime>",
        desc = "The time at which the actor was last active."
    )
)]
pub(super) enum Actor {
    User(User),
    Visitor(Visitor),
}

impl Actor {
    /// The actor of a row; an API client is nobody whom others meet.
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
    Ok(row.last_seen_at.is_some_and(|seen| now.since(seen) <= ONLINE))
}

/// A person who works for the organization: operator, agent, clinician.
#[derive(Clone)]
pub(super) struct User(pub actor::Model);

impl User {
    /// The user, if the row is one.
    fn new(row: actor::Model) -> Option<Self> {
        (row.actor_type == ActorType::User).then_some(Self(row))
    }
}

/// A person who works for the organization: operator, agent, clinician.
#[Object]
impl User {
    /// The global id.
    pub(super) async fn id(&self) -> ID {
        Kind::User.encode(self.0.id.0)
    }

    /// The name as this viewer may see it: `publicName` to visitors, `name` to colleagues.
    pub(super) async fn display_name(&self, context: &Context<'_>) -> Result<String> {
        Ok(display_name(policy::names(&caller(context)?.viewer), &self.0))
    }

    /// Whether the user was heard from within the last minute.
    pub(super) async fn is_online(&self, context: &Context<'_>) -> Result<bool> {
        is_online(context, &self.0)
    }

    /// The time at which the user was last active.
    pub(super) async fn last_seen_at(&self) -> Option<DateTime> {
        self.0.last_seen_at.map(DateTime)
    }

    /// The name as visitors see it.
    async fn public_name(&self) -> String {
        display_name(Names::Public, &self.0)
    }

    /// The name as colleagues see it; null to visitors.
    async fn name(&self, context: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.0.name.as_deref().filter(|_| is_for_staff(context)))
    }

    /// The user's role. Null for visitors.
    async fn role(&self, context: &Context<'_>) -> Result<Option<UserRole>> {
        Ok(self.0.role.map(UserRole::from).filter(|_| is_for_staff(context)))
    }

    /// The user's id in the organization's own systems; null to visitors.
    async fn external_id(&self, context: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.0.external_id.as_deref().filter(|_| is_for_staff(context)))
    }

    /// The creation time.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The time at which the user was deactivated. Null while the user is active.
    async fn deactivated_at(&self) -> Option<DateTime> {
        self.0.deactivated_at.map(DateTime)
    }

    /// The chats that the user takes part in and the viewer may see. Sorted by when they started, oldest
    /// first, unless asked for otherwise.
    #[allow(clippy::too_many_arguments)]
    async fn chats(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only chats for which all of this holds.")] filter: Option<ChatFilterInput>,
        #[graphql(desc = "The order of the items.")] order_by: Option<ChatOrderInput>,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<ChatConnection>> {
        let place = Place::Participant(self.0.id);
        chats_of(context, place, filter, order_by, PageArguments { first, after, last, before })
            .await
            .map(Some)
    }

    /// The chats that the user is present in now and the viewer may see, oldest first.
    async fn current_chats(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<ChatConnection>> {
        let place = Place::PresentUser(self.0.id);
        chats_of(context, place, None, None, PageArguments { first, after, last, before }).await.map(Some)
    }

    /// The chats in which the user takes part, most recent activity first: what each of them is for the user
    /// alone. For
    /// the user and for admins; null to everybody else.
    #[allow(clippy::too_many_arguments)]
    async fn participations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Also of chats that the user has hidden.", default)] include_hidden: bool,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<ParticipationConnection>> {
        let page = PageArguments { first, after, last, before };
        participations_of(context, self.0.id, include_hidden, page).await
    }
}

fn is_for_staff(context: &Context<'_>) -> bool {
    caller(context).is_ok_and(|caller| policy::sees_staff_fields(&caller.viewer))
}

/// A name and a value.
#[derive(SimpleObject)]
pub(super) struct Attribute {
    /// The name of the attribute.
    name: String,
    /// The value.
    value: String,
}

/// A person the organization serves: site visitor, customer, patient.
#[derive(Clone)]
pub(super) struct Visitor(pub actor::Model);

/// A person the organization serves: site visitor, customer, patient.
#[Object]
impl Visitor {
    /// The global id.
    pub(super) async fn id(&self) -> ID {
        Kind::Visitor.encode(self.0.id.0)
    }

    /// The visitor's name, or "Visitor" where none is known.
    pub(super) async fn display_name(&self, context: &Context<'_>) -> Result<String> {
        Ok(display_name(policy::names(&caller(context)?.viewer), &self.0))
    }

    /// Whether the visitor was heard from within the last minute.
    pub(super) async fn is_online(&self, context: &Context<'_>) -> Result<bool> {
        is_online(context, &self.0)
    }

    /// The time at which the visitor was last active.
    pub(super) async fn last_seen_at(&self) -> Option<DateTime> {
        self.0.last_seen_at.map(DateTime)
    }

    /// The visitor's id in the organization's own systems; null to other visitors.
    async fn external_id(&self, context: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.0.external_id.as_deref().filter(|_| self.is_open_to(context)))
    }

    /// The creation time.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The organization's attributes of the visitor. Null for visitors.
    async fn attributes(&self, context: &Context<'_>) -> Result<Option<Vec<Attribute>>> {
        if !is_for_staff(context) {
            return Ok(None);
        }
        let pairs = self.0.attributes.0.iter().cloned();
        Ok(Some(pairs.map(|(name, value)| Attribute { name, value }).collect()))
    }

    /// The page that the visitor was on last, as far as is known; null to other visitors.
    async fn current_page(&self, context: &Context<'_>) -> Result<Option<WebPage>> {
        Ok(self.0.page().filter(|_| self.is_open_to(context)).map(Into::into))
    }

    /// The chats with this visitor that the viewer may see. Sorted by when they started, oldest first, unless
    /// asked for otherwise.
    #[allow(clippy::too_many_arguments)]
    async fn chats(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only chats for which all of this holds.")] filter: Option<ChatFilterInput>,
        #[graphql(desc = "The order of the items.")] order_by: Option<ChatOrderInput>,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<ChatConnection>> {
        let place = Place::Visitor(self.0.id);
        chats_of(context, place, filter, order_by, PageArguments { first, after, last, before })
            .await
            .map(Some)
    }

    /// The shopping carts of the visitor in the organization's shop, oldest first; null to other visitors.
    async fn shopping_carts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<ShoppingCartConnection>> {
        if !self.is_open_to(context) {
            return Ok(None);
        }
        let page = PageArguments { first, after, last, before };
        carts_of(context, CartsOf::Visitor(self.0.id), page).await.map(Some)
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
