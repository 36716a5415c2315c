//! How lists of chats are asked for.

use super::super::enums::{ChatOrderField, ChatType, OrderDirection};
use super::super::error::{Fault, Result};
use super::super::id::Kind;
use super::super::scalar::DateTime;
use super::decode_actor;
use crate::domain::chat_filter::{ChatFilter, ChatOrder};
use async_graphql::{ID, InputObject};
use entity::{ActorId, RoomId};

/// Which chats: all conditions that are given must hold.
#[derive(InputObject, Clone, Debug, Default)]
#[graphql(name = "ChatFilter")]
pub(in crate::graphql) struct ChatFilterInput {
    /// Of this type.
    #[graphql(name = "type")]
    chat_type: Option<ChatType>,
    /// In one of these rooms: up to 100.
    room_ids: Option<Vec<ID>>,
    /// With this visitor.
    visitor_id: Option<ID>,
    /// In which this user or visitor takes part now.
    participant_id: Option<ID>,
    /// In which this user is present now.
    present_user_id: Option<ID>,
    /// Started at this moment or later.
    started_from: Option<DateTime>,
    /// Ended before this moment.
    ended_before: Option<DateTime>,
    /// Ended, or still going on.
    is_ended: Option<bool>,
    /// Whether the visitor waits for an answer.
    is_waiting_response: Option<bool>,
    /// With at least two messages by users and one by the visitor, or not.
    is_real_conversation: Option<bool>,
    /// Private or not.
    is_private: Option<bool>,
    /// With at least so many messages.
    min_message_count: Option<i32>,
}

/// How to sort chats; equal ones by id.
#[derive(InputObject, Clone, Debug)]
#[graphql(name = "ChatOrder")]
pub(in crate::graphql) struct ChatOrderInput {
    /// By what.
    field: ChatOrderField,
    /// In which direction.
    direction: OrderDirection,
}

impl ChatOrderInput {
    pub(super) fn decode(self) -> ChatOrder {
        let is_descending = match self.direction {
            OrderDirection::Asc => false,
            OrderDirection::Desc => true,
        };
        ChatOrder { field: self.field.into(), is_descending }
    }
}

/// Narrows a scope by a filter; `None` where nothing can match, as for an id of another type.
pub(in crate::graphql) fn decode_filter(
    scope: ChatFilter,
    filter: Option<ChatFilterInput>,
) -> Result<Option<ChatFilter>> {
    let Some(filter) = filter else { return Ok(Some(scope)) };
    let ChatFilterInput {
        chat_type,
        room_ids,
        visitor_id,
        participant_id,
        present_user_id,
        started_from,
        ended_before,
        is_ended,
        is_waiting_response,
        is_real_conversation,
        is_private,
        min_message_count,
    } = filter;
    let Some(rooms) = decode_rooms(room_ids)? else { return Ok(None) };
    let room_ids = match (scope.room_ids, rooms) {
        (Some(scope), Some(rooms)) => Some(scope.into_iter().filter(|id| rooms.contains(id)).collect()),
        (scope, rooms) => scope.or(rooms),
    };
    let visitor_id = visitor_id.map(|id| Kind::Visitor.decode(&id)).transpose()?.map(|id| id.map(ActorId));
    let participant_id = participant_id.map(|id| decode_actor(&id)).transpose()?;
    let present_user_id =
        present_user_id.map(|id| Kind::User.decode(&id)).transpose()?.map(|id| id.map(ActorId));
    let (Some(visitor_id), Some(participant_id), Some(present_user_id)) = (
        both(scope.visitor_id, visitor_id),
        both(scope.participant_id, participant_id),
        both(scope.present_user_id, present_user_id),
    ) else {
        return Ok(None);
    };
    let filter = ChatFilter {
        chat_type: chat_type.map(Into::into),
        room_ids,
        visitor_id,
        participant_id,
        present_user_id,
        started_from: started_from.map(|DateTime(at)| at),
        ended_before: ended_before.map(|DateTime(at)| at),
        is_ended,
        is_waiting_response,
        is_real_conversation,
        is_private,
        min_message_count,
    };
    if !filter.is_bounded() {
        return Err(Fault::bad_input("roomIds has more than 100 items."));
    }
    Ok(Some(filter))
}

/// The rooms; `None` where ids are given and none is a room's.
fn decode_rooms(ids: Option<Vec<ID>>) -> Result<Option<Option<Vec<RoomId>>>> {
    let Some(ids) = ids else { return Ok(Some(None)) };
    let mut rooms = Vec::with_capacity(ids.len());
    for id in &ids {
        rooms.extend(Kind::Room.decode(id)?.map(RoomId));
    }
    Ok(if rooms.is_empty() { None } else { Some(Some(rooms)) })
}

/// The actor whom both name; outer `None` where nobody can be both, inner `None` where neither names one.
fn both(scope: Option<ActorId>, filter: Option<Option<ActorId>>) -> Option<Option<ActorId>> {
    match (scope, filter) {
        (scope, None) => Some(scope),
        (_, Some(None)) => None,
        (None, Some(Some(id))) => Some(Some(id)),
        (Some(scope), Some(Some(id))) => (scope == id).then_some(Some(id)),
    }
}
