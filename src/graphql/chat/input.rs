//! Inputs for lists of chats.

use super::super::caller::Caller;
use super::super::enums::ChatType;
use super::super::error::{Fault, Result};
use super::super::id::{Kind, decode_any};
use super::super::scalar::DateTime;
use crate::domain::chat_filter::ChatFilter;
use crate::domain::{limits, policy};
use async_graphql::{ID, InputObject};
use entity::{ActorId, ChatId, RoomId};

/// A filter for chats. A chat must meet all given conditions.
#[derive(InputObject, Clone, Debug, Default)]
#[graphql(name = "ChatFilter")]
pub(in crate::graphql) struct ChatFilterInput {
    /// Matches chats of this type.
    #[graphql(name = "type")]
    chat_type: Option<ChatType>,
    /// Matches chats in one of these rooms, up to 100. An empty list matches no chat.
    room_ids: Option<Vec<ID>>,
    /// Matches chats with this visitor.
    visitor_id: Option<ID>,
    /// Matches chats in which all of these users and visitors are participants now, up to 10. An empty list
    /// matches all chats.
    participant_ids: Option<Vec<ID>>,
    /// Matches chats in which this user is present now.
    present_user_id: Option<ID>,
    /// Matches chats with all of these tags, up to 10. The comparison is case-sensitive. An empty list matches
    /// all chats. Visitors cannot see tags, so for them a tag matches no chat.
    tags: Option<Vec<String>>,
    /// Matches chats that started after this chat, or no chat if the viewer cannot see it.
    since_id: Option<ID>,
    /// Matches chats that started at this time or later.
    started_from: Option<DateTime>,
    /// Matches chats that ended before this time.
    ended_before: Option<DateTime>,
    /// True matches chats that have ended, false open chats.
    is_ended: Option<bool>,
    /// True matches chats whose visitor is waiting for an answer, false all others.
    is_waiting: Option<bool>,
    /// True matches chats with at least two messages by users and one by the visitor, false all others.
    is_real_conversation: Option<bool>,
    /// True matches private chats, false all others.
    is_private: Option<bool>,
    /// True matches chats with a shopping cart that was bought, false all others.
    has_sales: Option<bool>,
    /// Matches chats with at least this number of messages.
    min_message_count: Option<i32>,
}

/// Narrows a scope by a filter. `None` if nothing can match, for example because an id is of another type.
pub(in crate::graphql) async fn filter_within(
    caller: &Caller,
    scope: ChatFilter,
    filter: Option<ChatFilterInput>,
) -> Result<Option<ChatFilter>> {
    let since_id = filter.as_ref().and_then(|filter| filter.since_id.clone());
    let Some(mut filter) = decode_filter(scope, filter)? else { return Ok(None) };
    if !filter.tags.is_empty() && !policy::sees_staff_fields(&caller.viewer) {
        return Ok(None);
    }
    if let Some(id) = since_id {
        let Some(id) = Kind::Chat.decode(&id)?.map(ChatId) else { return Ok(None) };
        let Some(chat) = caller.load(id).await? else { return Ok(None) };
        filter.since = Some((chat.started_at, chat.id));
    }
    Ok(Some(filter))
}

fn decode_filter(scope: ChatFilter, filter: Option<ChatFilterInput>) -> Result<Option<ChatFilter>> {
    let Some(filter) = filter else { return Ok(Some(scope)) };
    let ChatFilterInput {
        chat_type,
        room_ids,
        visitor_id,
        participant_ids,
        present_user_id,
        tags,
        since_id: _,
        started_from,
        ended_before,
        is_ended,
        is_waiting,
        is_real_conversation,
        is_private,
        has_sales,
        min_message_count,
    } = filter;
    at_most("roomIds", room_ids.as_deref(), limits::FOLLOWED_ROOMS)?;
    at_most("tags", tags.as_deref(), limits::FILTER_TAGS)?;
    let rooms = room_ids.map(|ids| decode_rooms(&ids)).transpose()?;
    if rooms.as_ref().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let room_ids = match (scope.room_ids, rooms) {
        (Some(scope), Some(rooms)) => Some(scope.into_iter().filter(|id| rooms.contains(id)).collect()),
        (scope, rooms) => scope.or(rooms),
    };
    let decode = |id: Option<ID>, kind: Kind| id.map(|id| kind.decode(&id)).transpose();
    let (visitor_id, present_user_id) =
        (decode(visitor_id, Kind::Visitor)?, decode(present_user_id, Kind::User)?);
    let participants = decode_participants(&participant_ids.unwrap_or_default())?;
    let is_of_another_type = [visitor_id, present_user_id].contains(&Some(None));
    let (Some(visitor_id), Some(present_user_id), Some(participants), false) = (
        both(scope.visitor_id, visitor_id.flatten().map(ActorId)),
        both(scope.present_user_id, present_user_id.flatten().map(ActorId)),
        participants,
        is_of_another_type,
    ) else {
        return Ok(None);
    };
    let mut participant_ids = scope.participant_ids;
    participant_ids.extend(participants);
    participant_ids.sort_unstable();
    participant_ids.dedup();
    let mut tags: Vec<_> = tags.into_iter().flatten().map(|tag| tag.trim().to_owned()).collect();
    tags.sort_unstable();
    tags.dedup();
    Ok(Some(ChatFilter {
        chat_type: chat_type.map(Into::into),
        room_ids,
        visitor_id,
        participant_ids,
        present_user_id,
        tags,
        since: None,
        started_from: started_from.map(|DateTime(at)| at),
        ended_before: ended_before.map(|DateTime(at)| at),
        is_ended,
        is_waiting,
        is_real_conversation,
        is_private,
        has_sales,
        min_message_count,
    }))
}

/// The actors that a filter names, each once. `None` if an id is of another type, so that nothing can match.
pub(in crate::graphql) fn decode_participants(ids: &[ID]) -> Result<Option<Vec<ActorId>>> {
    at_most("participantIds", Some(ids), limits::FILTER_PARTICIPANTS)?;
    let mut participants = Vec::with_capacity(ids.len());
    for id in ids {
        let (kind, uuid) = decode_any(id)?;
        if !matches!(kind, Kind::User | Kind::Visitor) {
            return Ok(None);
        }
        participants.push(ActorId(uuid));
    }
    participants.sort_unstable();
    participants.dedup();
    Ok(Some(participants))
}

fn at_most<T>(field: &str, items: Option<&[T]>, limit: usize) -> Result<()> {
    if items.is_some_and(|items| items.len() > limit) { Err(Fault::too_many(field, limit)) } else { Ok(()) }
}

/// The rooms among the ids.
fn decode_rooms(ids: &[ID]) -> Result<Vec<RoomId>> {
    let rooms: Result<Vec<_>> = ids.iter().map(|id| Kind::Room.decode(id)).collect();
    Ok(rooms?.into_iter().flatten().map(RoomId).collect())
}

/// Combines two conditions on an actor. The outer `None` means that they differ, the inner one that neither
/// is given.
#[expect(clippy::option_option, reason = "whether anything can match, and whether anybody is named")]
fn both(scope: Option<ActorId>, asked: Option<ActorId>) -> Option<Option<ActorId>> {
    match (scope, asked) {
        (Some(scope), Some(asked)) => (scope == asked).then_some(Some(asked)),
        (scope, asked) => Some(scope.or(asked)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(kind: Kind, number: u128) -> ID {
        kind.encode(Uuid::from_u128(number))
    }

    fn actor(number: u128) -> ActorId {
        ActorId(Uuid::from_u128(number))
    }

    #[test]
    fn a_filter_only_ever_narrows_its_place() {
        let here = RoomId(Uuid::from_u128(1));
        let scope = || ChatFilter { room_ids: Some(vec![here]), ..ChatFilter::default() };
        let rooms = Some(vec![id(Kind::Room, 1), id(Kind::Room, 2)]);
        let both = ChatFilterInput { room_ids: rooms, ..Default::default() };
        let decoded = decode_filter(scope(), Some(both)).ok().flatten();
        assert_eq!(decoded.and_then(|filter| filter.room_ids), Some(vec![here]));
        let other = ChatFilterInput { room_ids: Some(vec![id(Kind::Room, 2)]), ..Default::default() };
        let decoded = decode_filter(scope(), Some(other)).ok().flatten();
        assert_eq!(decoded.and_then(|filter| filter.room_ids), Some(Vec::new()));
    }

    #[test]
    fn two_participants_at_once_are_both_asked_for_and_two_visitors_match_nothing() {
        let scope = || ChatFilter { participant_ids: vec![actor(1)], ..ChatFilter::default() };
        let other = ChatFilterInput {
            participant_ids: Some(vec![id(Kind::User, 2), id(Kind::User, 2)]),
            ..Default::default()
        };
        let decoded = decode_filter(scope(), Some(other)).ok().flatten();
        assert_eq!(decoded.map(|filter| filter.participant_ids), Some(vec![actor(1), actor(2)]));
        let scope = ChatFilter { visitor_id: Some(actor(1)), ..ChatFilter::default() };
        let other = ChatFilterInput { visitor_id: Some(id(Kind::Visitor, 2)), ..Default::default() };
        assert_eq!(decode_filter(scope, Some(other)).ok(), Some(None));
    }

    #[test]
    fn lists_of_a_filter_are_bounded() {
        let tags = |count: usize| {
            let tags = (0..count).map(|number| format!("tag {number}")).collect();
            ChatFilterInput { tags: Some(tags), ..Default::default() }
        };
        let participants = |count: u128| {
            let ids = (0..count).map(|number| id(Kind::User, number)).collect();
            ChatFilterInput { participant_ids: Some(ids), ..Default::default() }
        };
        for (filter, is_refused) in
            [(tags(10), false), (tags(11), true), (participants(10), false), (participants(11), true)]
        {
            assert_eq!(decode_filter(ChatFilter::default(), Some(filter)).is_err(), is_refused);
        }
    }

    #[test]
    fn an_id_of_another_type_matches_nothing_and_a_malformed_one_is_an_error() {
        let wrong = ChatFilterInput { visitor_id: Some(id(Kind::Room, 1)), ..Default::default() };
        assert_eq!(decode_filter(ChatFilter::default(), Some(wrong)).ok(), Some(None));
        let malformed = ChatFilterInput { visitor_id: Some(ID("?".into())), ..Default::default() };
        assert!(decode_filter(ChatFilter::default(), Some(malformed)).is_err());
    }
}
