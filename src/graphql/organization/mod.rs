//! Organizations.

pub(super) mod mutation;

use super::actor::{UserConnection, VisitorConnection, users, visitors};
use super::caller::caller;
use super::chat::{ChatArguments, ChatConnection, ChatFilterInput, Place, chats_of};
use super::connection::PageArguments;
use super::enums::TextMatch;
use super::error::Result;
use super::id::Kind;
use super::message::search::{
    MessageSearchConnection, MessageSearchFilterInput, SearchArguments, search_organization,
};
use super::order::{ChatOrderField, ChatOrderInput, ChatSessionOrderField, ChatSessionOrderInput};
use super::room::{RoomConnection, rooms};
use super::scalar::DateTime;
use super::session::{ChatSessionConnection, ChatSessionFilterInput, sessions};
use super::webhook::{WebhookConnection, webhooks};
use crate::domain::policy::{self, Verb};
use async_graphql::{Context, ID, Object};
use entity::organization;

/// A tenant: one instance of one customer. Data of one organization is never visible in another.
#[derive(Clone)]
pub(super) struct Organization(pub organization::Model);

impl Organization {
    pub(super) async fn of_viewer(context: &Context<'_>) -> Result<Self> {
        let caller = caller(context)?;
        Ok(Self(caller.need(caller.viewer.organization_id).await?))
    }
}

/// A tenant: one instance of one customer. Data of one organization is never visible in another.
#[Object]
impl Organization {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::Organization.encode(self.0.id.0)
    }

    /// The name of the customer, as in the bodies of webhooks.
    async fn tenant_name(&self) -> &str {
        &self.0.tenant_name
    }

    /// The name of the instance, unique for the customer.
    async fn instance_name(&self) -> &str {
        &self.0.instance_name
    }

    /// The name of the organization to show.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The number of minutes in which senders can edit and delete their messages. 0: they cannot.
    async fn edit_window_minutes(&self) -> i32 {
        self.0.edit_window_minutes
    }

    /// The time at which the organization was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The rooms, oldest first. Null unless the viewer is staff.
    async fn rooms(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<RoomConnection>> {
        reserved(
            context,
            Verb::ReadOrganization,
            rooms(context, PageArguments { first, after, last, before }),
        )
        .await
    }

    /// The users, oldest first. Null unless the viewer is staff.
    async fn users(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<UserConnection>> {
        reserved(
            context,
            Verb::ReadOrganization,
            users(context, PageArguments { first, after, last, before }),
        )
        .await
    }

    /// The visitors, oldest first. Null unless the viewer is staff.
    #[allow(clippy::too_many_arguments)]
    async fn visitors(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "A part of the display name, or the whole `externalId`: up to 200 characters, matched \
                    literally."
        )]
        query: Option<String>,
        #[graphql(
            name = "match",
            desc = "The method for comparing the query with display names. The `externalId` must always \
                    match exactly.",
            default_with = "TextMatch::Folded"
        )]
        matching: TextMatch,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<VisitorConnection>> {
        let query = query.as_deref().map(|query| (query, matching.into()));
        let page = PageArguments { first, after, last, before };
        reserved(context, Verb::ReadOrganization, visitors(context, query, page)).await
    }

    /// All chats that the viewer can see.
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
        let page = PageArguments { first, after, last, before };
        chats_of(context, Place::Organization, ChatArguments { filter, order_by, include_hidden, page }).await
    }

    /// Searches the text of all messages that the viewer can see. Hits are sorted from newest to oldest. The
    /// query matches any part of a word in any script, and ignores case and accents unless `match` is
    /// `EXACT`. Null unless the viewer is staff; visitors can use `Chat.searchMessages`.
    #[allow(clippy::too_many_arguments)]
    async fn search_messages(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The search text, 2–200 characters, matched literally. There are no wildcards.")]
        query: String,
        #[graphql(
            name = "match",
            desc = "The method for comparing the query with texts.",
            default_with = "TextMatch::Folded"
        )]
        matching: TextMatch,
        #[graphql(desc = "Only messages that match this filter.")] filter: Option<MessageSearchFilterInput>,
        #[graphql(desc = "True to include archived messages.", default)] include_archived: bool,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<MessageSearchConnection>> {
        let page = PageArguments { first, after, last, before };
        let found = search_organization(
            context,
            SearchArguments { query: &query, matching, filter, include_archived, page },
        );
        reserved(context, Verb::ReadOrganization, found).await
    }

    /// All chat sessions that the viewer can see.
    #[allow(clippy::too_many_arguments)]
    async fn chat_sessions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only chat sessions that match this filter.")] filter: Option<
            ChatSessionFilterInput,
        >,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(ChatSessionOrderInput::ascending(ChatSessionOrderField::CreatedAt))"
        )]
        order_by: Option<ChatSessionOrderInput>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ChatSessionConnection> {
        sessions(context, filter, order_by, PageArguments { first, after, last, before }).await
    }

    /// The webhooks, oldest first. Null unless the viewer is an admin.
    async fn webhooks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<WebhookConnection>> {
        reserved(
            context,
            Verb::ManageWebhooks,
            webhooks(context, PageArguments { first, after, last, before }),
        )
        .await
    }
}

/// A list that is reserved for roles that may take this action: null for others, without an error.
async fn reserved<T>(
    context: &Context<'_>,
    verb: Verb,
    list: impl Future<Output = Result<T>>,
) -> Result<Option<T>> {
    if policy::may(caller(context)?.viewer.role, verb).is_err() {
        return Ok(None);
    }
    list.await.map(Some)
}
