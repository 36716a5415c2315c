//! Rooms.

pub(super) mod members;
pub(super) mod mutation;

use super::actor::{User, UserConnection};
use super::caller::caller;
use super::chat::{ChatArguments, ChatConnection, ChatFilterInput, Place, chats_of};
use super::connection::{List, PageArguments, connection};
use super::enums::RoomAccess;
use super::error::Result;
use super::id::Kind;
use super::loaders::{IsStaffed, MembersPage, RoomsPage, WaitingIn};
use super::order::{ChatOrderField, ChatOrderInput};
use super::organization::Organization;
use super::scalar::DateTime;
use crate::domain::policy::{self, Verb};
use async_graphql::{Context, ID, Object};
use entity::{ActorId, room};

/// A queue of chats with visitors, such as a website or a department.
#[derive(Clone)]
pub(super) struct Room(pub room::Model);

/// A queue of chats with visitors, such as a website or a department.
#[Object]
impl Room {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::Room.encode(self.0.id.0)
    }

    /// The name of the room.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The organization that the room belongs to.
    async fn organization(&self, context: &Context<'_>) -> Result<Organization> {
        Organization::of_viewer(context).await
    }

    /// The time at which the room was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The number of minutes for which a chat can be resumed after its newest message. 0: never. Null unless
    /// the viewer is an admin.
    async fn resume_window_minutes(&self, context: &Context<'_>) -> Result<Option<i32>> {
        Ok(is_for_admin(context)?.then_some(self.0.resume_window_minutes))
    }

    /// The number of minutes without activity after which a chat ends. 0: never. Open chat sessions keep a
    /// chat open. Null unless the viewer is an admin.
    async fn end_after_idle_minutes(&self, context: &Context<'_>) -> Result<Option<i32>> {
        Ok(is_for_admin(context)?.then_some(self.0.end_after_idle_minutes))
    }

    /// True if a user who answers in this room is online: active within the last 60 seconds. In a room with
    /// `access` MEMBERS, its members answer. In an open room, a user answers if they are or were a participant
    /// of one of its 100 newest chats. A user who has never been a participant of any room's chats answers in
    /// every open room. Subscribe to changes with `roomChanged`.
    async fn is_staffed(&self, context: &Context<'_>) -> Result<bool> {
        caller(context)?.need(IsStaffed(self.0.id)).await
    }

    /// The number of chats in the room that the viewer can see and that wait for an answer. Null for visitors.
    async fn waiting_chat_count(&self, context: &Context<'_>) -> Result<Option<i32>> {
        let caller = caller(context)?;
        if !policy::sees_staff_fields(&caller.viewer) {
            return Ok(None);
        }
        let waiting = caller.load(WaitingIn(self.0.id)).await?.unwrap_or_default();
        Ok(Some(i32::try_from(waiting).unwrap_or(i32::MAX)))
    }

    /// The users who can see the room's VISITOR chats.
    async fn access(&self) -> RoomAccess {
        self.0.access.into()
    }

    /// The members of the room, earliest membership first. In a room with `access` MEMBERS, only they and
    /// admins see the chats. In any room, supervisors who are members also see its private chats. Null for
    /// visitors. Also null for staff who cannot see the room.
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<UserConnection>> {
        let (caller, list) = (caller(context)?, List::of("members", self.0.id.0));
        let page = PageArguments { first, after, last, before }.request(context, list)?;
        if !policy::sees_staff_fields(&caller.viewer) || !policy::sees_room(&caller.viewer, &self.0) {
            return Ok(None);
        }
        let page = caller.need(MembersPage { room_id: self.0.id, page }).await?;
        Ok(Some(UserConnection::new(page, |_, key| list.cursor(key), User)))
    }

    /// The bearer token with which pages of the room's website call `signInVisitor`. It is part of the page,
    /// so it is not secret. Null unless the viewer is an admin.
    async fn widget_key(&self, context: &Context<'_>) -> Result<Option<&str>> {
        Ok(is_for_admin(context)?.then_some(&self.0.widget_key))
    }

    /// The origins whose pages can use `widgetKey`. Null unless the viewer is an admin.
    async fn allowed_origins(&self, context: &Context<'_>) -> Result<Option<&[String]>> {
        Ok(is_for_admin(context)?.then_some(&self.0.allowed_origins.0))
    }

    /// The room's chats that the viewer can see. For the queue, use `filter: {isWaiting: true, isEnded:
    /// false}` with `orderBy: {field: WAITING_SINCE, direction: ASC}`.
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
        let place = Place::Room(self.0.id);
        let page = PageArguments { first, after, last, before };
        chats_of(context, place, ChatArguments { filter, order_by, include_hidden, page }).await
    }
}

fn is_for_admin(context: &Context<'_>) -> Result<bool> {
    Ok(policy::may(caller(context)?.viewer.role, Verb::ManageOrganization).is_ok())
}

connection! {
    /// A page of rooms.
    RoomConnection,
    /// A room in a list.
    RoomEdge of Room,
    fields {}
}

/// The rooms of which a user is a member.
pub(super) async fn rooms_of(
    context: &Context<'_>,
    user_id: ActorId,
    page: PageArguments,
) -> Result<Option<RoomConnection>> {
    let (caller, list) = (caller(context)?, List::of("rooms", user_id.0));
    let page = page.request(context, list)?;
    if !policy::sees_staff_fields(&caller.viewer) {
        return Ok(None);
    }
    let page = caller.need(RoomsPage { user_id, page }).await?;
    Ok(Some(RoomConnection::new(page, |_, key| list.cursor(key), Room)))
}

/// The organization's rooms.
pub(super) async fn rooms(context: &Context<'_>, page: PageArguments) -> Result<RoomConnection> {
    let (caller, list) = (caller(context)?, List::named("rooms"));
    let page = caller.actions.rooms(&caller.viewer, &page.request(context, list)?).await?;
    Ok(RoomConnection::new(page, |_, key| list.cursor(key), Room))
}
