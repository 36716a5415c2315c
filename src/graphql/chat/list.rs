//! Lists of chats: the place whose chats are listed, and the page of them.

use super::super::caller::{caller, live};
use super::super::connection::{List, PageArguments, connection};
use super::super::error::Result;
use super::super::order::ChatOrderInput;
use super::{Chat, ChatFilterInput, filter_within};
use crate::actions::ListedChats;
use crate::domain::chat_filter::{ChatFilter, ChatOrder, ChatOrderField};
use crate::domain::description::Description;
use crate::domain::page::Page;
use async_graphql::Context;
use entity::{ActorId, RoomId};

connection! {
    /// A page of chats.
    ChatConnection,
    /// A chat in a list of chats.
    ChatEdge of Chat,
    fields { event_cursor: String }

    /// The position of the live updates immediately before this page was read. Pass it as `after` to `viewerEvents`
    /// or `chatChanged` to miss no change. A change during the read can be both in the page and in the
    /// subscription, so update chats by id.
    async fn event_cursor(&self) -> &str {
        &self.event_cursor
    }
}

impl ChatConnection {
    /// The page of an empty list.
    pub(in crate::graphql) fn empty(event_cursor: String) -> Self {
        Self::new(Page::nothing(), event_cursor, |_, _| String::new(), Chat::new)
    }
}

/// The current position of the live updates, for the `eventCursor` of a page that is about to be read.
pub(in crate::graphql) fn event_cursor(context: &Context<'_>) -> Result<String> {
    Ok(live(context)?.page_cursor(&caller(context)?.viewer))
}

/// The list that chats are read from.
#[derive(Clone, Copy, Debug)]
pub(in crate::graphql) enum Place {
    Organization,
    Room(RoomId),
    Visitor(ActorId),
    Participant(ActorId),
    PresentUser(ActorId),
}

impl Place {
    fn filter(self) -> ChatFilter {
        let all = ChatFilter::default();
        match self {
            Self::Organization => all,
            Self::Room(id) => ChatFilter { room_ids: Some(vec![id]), ..all },
            Self::Visitor(id) => ChatFilter { visitor_id: Some(id), ..all },
            Self::Participant(id) => ChatFilter { participant_ids: vec![id], ..all },
            Self::PresentUser(id) => ChatFilter { present_user_id: Some(id), ..all },
        }
    }

    fn list(self, order: ChatOrder) -> List {
        let (place, id) = match self {
            Self::Organization => ("organization", None),
            Self::Room(RoomId(id)) => ("room", Some(id)),
            Self::Visitor(ActorId(id)) => ("visitor", Some(id)),
            Self::Participant(ActorId(id)) => ("participant", Some(id)),
            Self::PresentUser(ActorId(id)) => ("presentUser", Some(id)),
        };
        List::described(&in_order(Description::of("chats").with("place", Some(place)).with("id", id), order))
    }

    /// The list of chats that wait in a room, the longest waiting first.
    pub(in crate::graphql) fn queue(id: RoomId) -> List {
        Self::Room(id).list(ChatOrder::ascending(ChatOrderField::WaitingSince))
    }

    /// The list of a viewer's own chats.
    pub(in crate::graphql) fn inbox(order: ChatOrder) -> List {
        List::described(&in_order(Description::of("inbox"), order))
    }

    /// A viewer's own chats, as the inbox lists them unless asked otherwise.
    pub(in crate::graphql) fn usual_inbox() -> List {
        Self::inbox(ChatOrder::descending(ChatOrderField::ActiveAt))
    }
}

fn in_order(list: Description, order: ChatOrder) -> Description {
    list.with("orderBy", Some(order.field.as_str())).with_flag("descending", order.is_descending)
}

/// The arguments of a list of chats.
pub(in crate::graphql) struct ChatArguments {
    pub filter: Option<ChatFilterInput>,
    pub order_by: Option<ChatOrderInput>,
    pub include_hidden: bool,
    pub page: PageArguments,
}

/// The chats of a place that the viewer can see and that match a filter.
pub(in crate::graphql) async fn chats_of(
    context: &Context<'_>,
    place: Place,
    arguments: ChatArguments,
) -> Result<ChatConnection> {
    let caller = caller(context)?;
    let ChatArguments { filter, order_by, include_hidden, page } = arguments;
    let order = order_by.map_or(ChatOrder::ascending(ChatOrderField::StartedAt), ChatOrderInput::decode);
    let list = place.list(order);
    let page = page.request(context, list)?;
    let event_cursor = event_cursor(context)?;
    let Some(filter) = filter_within(caller, place.filter(), filter).await? else {
        return Ok(ChatConnection::empty(event_cursor));
    };
    let asked = ListedChats { filter: &filter, order, include_hidden };
    let page = caller.actions.chats(&caller.viewer, asked, &page).await?;
    Ok(ChatConnection::new(page, event_cursor, |_, key| list.cursor(key), Chat::new))
}
