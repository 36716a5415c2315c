//! The places that the cursors of feeds are of. Clients keep cursors over upgrades, so that the description of a place that
//! can be followed today never changes.

use super::ChatScope;
use super::cursor::ScopeHash;
use crate::domain::chat_filter::ChatFilter;
use crate::domain::description::Description;
use entity::{ActorId, OrganizationId, RoomId};

/// The subject of a page's cursor: everything in the viewer's organization, as seen by this viewer.
pub(super) fn page(organization_id: OrganizationId, viewer: ActorId) -> ScopeHash {
    ScopeHash::of(
        &Description::of("page").with("organization", Some(organization_id)).with("viewer", Some(viewer)),
    )
}

/// The subject of a cursor of `viewerEvents`: the viewer, and the rooms whose queues are followed.
pub(super) fn viewer_events(viewer: ActorId, room_ids: &[RoomId]) -> ScopeHash {
    ScopeHash::of(
        &Description::of("viewerEvents").with("viewer", Some(viewer)).with_each("roomIds", room_ids),
    )
}

/// The subject of a cursor of `chatChanged`: the chats of a place that a filter matches.
pub(super) fn chat_changes(viewer: ActorId, scope: ChatScope, filter: &ChatFilter) -> ScopeHash {
    let (kind, id) = match scope {
        ChatScope::Room(RoomId(id)) => ("room", id),
        ChatScope::Visitor(ActorId(id)) => ("visitor", id),
        ChatScope::User(ActorId(id)) => ("user", id),
        ChatScope::PresentUser(ActorId(id)) => ("presentUser", id),
    };
    let place = Description::of("chatChanged")
        .with("viewer", Some(viewer))
        .with("in", Some(kind))
        .with("id", Some(id));
    ScopeHash::of(&filter.describe(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Cursors;
    use entity::{ChatId, ChatType, Timestamp};
    use uuid::Uuid;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    /// The cursor of a place at a fixed time, with a fixed epoch and secret.
    fn cursor(place: &ScopeHash) -> String {
        Cursors::new(id(1), b"a secret").encode_feed(place, Timestamp(1_800_000_000_000))
    }

    /// A filter with a value for every field.
    fn everything() -> ChatFilter {
        ChatFilter {
            chat_type: Some(ChatType::Visitor),
            room_ids: Some(vec![RoomId(id(3))]),
            visitor_id: Some(ActorId(id(5))),
            participant_ids: vec![ActorId(id(6)), ActorId(id(7))],
            present_user_id: Some(ActorId(id(8))),
            tags: vec!["vip".into(), "ü".into()],
            since: Some((Timestamp(9), ChatId(id(10)))),
            started_from: Some(Timestamp(11)),
            ended_before: Some(Timestamp(12)),
            is_ended: Some(false),
            is_waiting: Some(true),
            is_real_conversation: Some(true),
            is_private: Some(false),
            has_sales: Some(true),
            min_message_count: Some(13),
        }
    }

    #[test]
    fn feed_cursors_have_the_bytes_of_version_one() {
        let viewer = ActorId(id(2));
        let room = ChatScope::Room(RoomId(id(3)));
        assert_eq!(cursor(&page(OrganizationId(id(1)), viewer)), "AgAAAaMYXFAAAAAAAAAAAAHNRF7oy1fnlPze");
        assert_eq!(cursor(&viewer_events(viewer, &[])), "AgAAAaMYXFAAAAAAAAAAAAGSWSbp4BaK0JlF");
        let rooms = [RoomId(id(3)), RoomId(id(4))];
        assert_eq!(cursor(&viewer_events(viewer, &rooms)), "AgAAAaMYXFAAAAAAAAAAAAE0fMnWNHVjeiuy");
        let unfiltered = chat_changes(viewer, room, &ChatFilter::default());
        assert_eq!(cursor(&unfiltered), "AgAAAaMYXFAAAAAAAAAAAAEYI2aRfDrRZaSS");
        let filtered = chat_changes(viewer, room, &everything());
        assert_eq!(cursor(&filtered), "AgAAAaMYXFAAAAAAAAAAAAGJqQYoAtFT8WSg");
    }
}
