//! The viewer in the schema.

use super::actor::{Actor, User, Visitor};
use super::caller::{anybody, caller};
use super::chat::{Chat, ChatConnection, ChatFilterInput, Place, filter_within};
use super::connection::PageArguments;
use super::enums;
use super::error::Result;
use super::id::Kind;
use super::loaders::UnreadOfViewer;
use super::order::{ChatOrderField, ChatOrderInput};
use super::organization::Organization;
use super::scalar::DateTime;
use super::session::ChatSession;
use crate::actions::ListedChats;
use crate::domain::chat_filter::ChatFilter;
use async_graphql::{Context, ID, Object};
use entity::actor;

/// The actor who makes the request, with data that only this actor can read.
#[derive(Clone, Copy)]
pub(super) struct Viewer;

impl Viewer {
    async fn row(context: &Context<'_>) -> Result<Option<actor::Model>> {
        let caller = caller(context)?;
        caller.load(caller.viewer.actor_id).await
    }
}

/// The actor who makes the request, with data that only this actor can read.
#[Object]
impl Viewer {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self, context: &Context<'_>) -> Result<ID> {
        Ok(Kind::Viewer.encode(anybody(context)?.viewer.actor_id.0))
    }

    /// The role of the viewer. Operators, supervisors, admins and API clients are staff.
    async fn role(&self, context: &Context<'_>) -> Result<enums::ViewerRole> {
        Ok(anybody(context)?.viewer.role.into())
    }

    /// The organization that the viewer belongs to.
    async fn organization(&self, context: &Context<'_>) -> Result<Organization> {
        Organization::of_viewer(context).await
    }

    /// The viewer as other participants see them. Null for an API client.
    async fn actor(&self, context: &Context<'_>) -> Result<Option<Actor>> {
        Ok(Self::row(context).await?.and_then(Actor::new))
    }

    /// The viewer as a user. Null for other roles.
    async fn user(&self, context: &Context<'_>) -> Result<Option<User>> {
        Ok(match Self::row(context).await?.and_then(Actor::new) {
            Some(Actor::User(user)) => Some(user),
            Some(Actor::Visitor(_)) | None => None,
        })
    }

    /// The viewer as a visitor. Null for other roles.
    async fn visitor(&self, context: &Context<'_>) -> Result<Option<Visitor>> {
        Ok(match Self::row(context).await?.and_then(Actor::new) {
            Some(Actor::Visitor(visitor)) => Some(visitor),
            Some(Actor::User(_)) | None => None,
        })
    }

    /// The time at which the current token expires. Renew it before then with `renewToken`.
    async fn token_expires_at(&self, context: &Context<'_>) -> Result<DateTime> {
        Ok(DateTime(caller(context)?.viewer.expires_at))
    }

    /// The number of unread messages by others in all the viewer's chats. Counted up to 100, so show 100 as
    /// "99+".
    async fn unread_count(&self, context: &Context<'_>) -> Result<i32> {
        let caller = caller(context)?;
        let unread = caller.need(UnreadOfViewer(caller.viewer.actor_id)).await?;
        Ok(i32::try_from(unread).unwrap_or(i32::MAX))
    }

    /// The chats in which the viewer is a participant or present. Hidden chats are left out unless
    /// `includeHidden` is true.
    #[allow(clippy::too_many_arguments)]
    async fn inbox(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only chats that match this filter.")] filter: Option<ChatFilterInput>,
        #[graphql(
            desc = "The sort order of the list.",
            default_with = "Some(ChatOrderInput::descending(ChatOrderField::ActiveAt))"
        )]
        order_by: Option<ChatOrderInput>,
        #[graphql(desc = "True to include chats that the viewer has hidden.", default)] include_hidden: bool,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ChatConnection> {
        let caller = caller(context)?;
        let order = order_by.unwrap_or(ChatOrderInput::descending(ChatOrderField::ActiveAt)).decode();
        let list = Place::inbox(order);
        let page = PageArguments { first, after, last, before }.request(context, list)?;
        let cursor = super::chat::event_cursor(context)?;
        let Some(filter) = filter_within(caller, ChatFilter::default(), filter).await? else {
            return Ok(ChatConnection::empty(cursor));
        };
        let asked = ListedChats { filter: &filter, order, include_hidden };
        let page = caller.actions.inbox(&caller.viewer, asked, &page).await?;
        Ok(ChatConnection::new(page, cursor, |_, key| list.cursor(key), Chat::new))
    }

    /// The open chat sessions in which the viewer is a participant, newest first, at most 100. Open sessions
    /// are planned, ringing or in progress.
    async fn open_chat_sessions(&self, context: &Context<'_>) -> Result<Vec<ChatSession>> {
        let caller = caller(context)?;
        let open = caller.actions.open_sessions(&caller.viewer).await?;
        Ok(open.into_iter().map(ChatSession).collect())
    }
}
