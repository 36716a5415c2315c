//! Organizations.

pub(super) mod mutation;

use super::actor::{UserConnection, VisitorConnection, users, visitors};
use super::caller::caller;
use super::chat::{ChatConnection, ChatFilterInput, ChatOrderInput, Place, chats_of};
use super::connection::PageArguments;
use super::enums::TextMatch;
use super::error::Result;
use super::id::Kind;
use super::message::search::{MessageSearchConnection, MessageSearchFilterInput, search_organization};
use super::room::{RoomConnection, rooms};
use super::scalar::DateTime;
use super::session::{ChatSessionConnection, ChatSessionFilterInput, sessions};
use super::webhook::{WebhookConnection, webhooks};
use async_graphql::{Context, ID, Object};
use entity::organization;

/// A tenant: one instance of one customer. Nothing is ever visible across organizations.
#[derive(Clone)]
pub(super) struct Organization(pub organization::Model);

impl Organization {
    pub(super) async fn of_viewer(context: &Context<'_>) -> Result<Self> {
        let caller = caller(context)?;
        Ok(Self(caller.need(caller.viewer.organization_id).await?))
    }
}

/// A tenant: one instance of one customer. Nothing is ever visible across organizations.
#[Object]
impl Organization {
    /// The global id.
    pub(super) async fn id(&self) -> ID {
        Kind::Organization.encode(self.0.id.0)
    }

    /// The customer.
    async fn tenant_name(&self) -> &str {
        &self.0.tenant_name
    }

    /// The name of the instance.
    async fn instance_name(&self) -> &str {
        &self.0.instance_name
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// For how many minutes senders may edit and delete what they sent; 0: not at all.
    async fn edit_window_minutes(&self) -> i32 {
        self.0.edit_window_minutes
    }

    /// The creation time.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Its rooms, oldest first. Not for visitors.
    async fn rooms(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<RoomConnection>> {
        rooms(context, PageArguments { first, after, last, before }).await.map(Some)
    }

    /// Its users, oldest first. Not for visitors.
    async fn users(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<UserConnection>> {
        users(context, PageArguments { first, after, last, before }).await.map(Some)
    }

    /// Its visitors, oldest first. Not for visitors.
    #[allow(clippy::too_many_arguments)]
    async fn visitors(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "Part of the display name, or the whole `externalId`: up to 200 characters, matched literally."
        )]
        query: Option<String>,
        #[graphql(
            name = "match",
            desc = "The way in which the query is compared with display names. An `externalId` always matches exactly.",
            default_with = "TextMatch::Folded"
        )]
        matching: TextMatch,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<VisitorConnection>> {
        let query = query.as_deref().map(|query| (query, matching.into()));
        visitors(context, query, PageArguments { first, after, last, before }).await.map(Some)
    }

    /// All chats that the viewer may see. Sorted by when they started, oldest first, unless asked for
    /// otherwise.
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
        let page = PageArguments { first, after, last, before };
        chats_of(context, Place::Organization, filter, order_by, page).await.map(Some)
    }

    /// The messages of all chats that the viewer may see whose text contains the query, newest first. Finds any
    /// part of a
    /// word, in every script, whatever its case and accents unless `match` is `EXACT`. Not for visitors, who
    /// search their
    /// chats.
    #[allow(clippy::too_many_arguments)]
    async fn search_messages(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Search text, 2–200 characters, matched literally; there are no wildcards.")]
        query: String,
        #[graphql(
            name = "match",
            desc = "The way in which the query is compared with the text.",
            default_with = "TextMatch::Folded"
        )]
        matching: TextMatch,
        #[graphql(desc = "The messages to search.")] filter: Option<MessageSearchFilterInput>,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<MessageSearchConnection>> {
        let page = PageArguments { first, after, last, before };
        search_organization(context, (&query, matching), filter, page).await.map(Some)
    }

    /// All sessions that the viewer may see, oldest first.
    async fn chat_sessions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only sessions for which all of this holds.")] filter: Option<
            ChatSessionFilterInput,
        >,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<ChatSessionConnection>> {
        sessions(context, filter, PageArguments { first, after, last, before }).await.map(Some)
    }

    /// Its webhooks, oldest first. For admins.
    async fn webhooks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Returns the first *n* items, 0–100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items, 0–100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<WebhookConnection>> {
        webhooks(context, PageArguments { first, after, last, before }).await.map(Some)
    }
}
