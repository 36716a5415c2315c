//! The rooms that decide which chats with visitors an actor sees.

use entity::{RoomId, actor};
use std::sync::Arc;

/// The rooms that decide which chats with visitors an actor sees. Clones share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rooms {
    /// Rooms for members only of which the actor is not a member, sorted.
    closed: Arc<[RoomId]>,
    /// Rooms of which the actor is a member, sorted.
    own: Arc<[RoomId]>,
}

impl Rooms {
    /// The rooms that are closed to an actor, and those of which they are a member.
    #[must_use]
    pub fn new(mut closed: Vec<RoomId>, mut own: Vec<RoomId>) -> Self {
        closed.sort_unstable();
        own.sort_unstable();
        Self { closed: closed.into(), own: own.into() }
    }

    /// Whether the room is for members only and the actor is not one of them.
    #[must_use]
    pub fn is_closed(&self, room_id: RoomId) -> bool {
        self.closed.binary_search(&room_id).is_ok()
    }

    /// Whether the actor is a member of the room.
    #[must_use]
    pub fn is_member(&self, room_id: RoomId) -> bool {
        self.own.binary_search(&room_id).is_ok()
    }

    /// The rooms for members only of which the actor is not a member.
    #[must_use]
    pub fn closed(&self) -> &[RoomId] {
        &self.closed
    }

    /// The rooms of which the actor is a member.
    #[must_use]
    pub fn own(&self) -> &[RoomId] {
        &self.own
    }

    /// Whether the chats of the room that the actor sees may differ from those they saw with these other rooms.
    #[must_use]
    pub fn differ_in(&self, other: &Self, room_id: RoomId) -> bool {
        self.is_closed(room_id) != other.is_closed(room_id)
            || self.is_member(room_id) != other.is_member(room_id)
    }
}

/// An actor with the data that decides what they see.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The actor.
    pub actor: actor::Model,
    /// Their rooms.
    pub rooms: Rooms,
}

impl Principal {
    /// An actor whose rooms do not matter: a visitor, or anybody in an organization without rooms for members.
    #[must_use]
    pub fn without_rooms(actor: actor::Model) -> Self {
        Self { actor, rooms: Rooms::default() }
    }
}
