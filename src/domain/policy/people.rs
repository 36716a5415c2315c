//! Permissions beyond single chats: people, feeds, and data that belongs to one actor.

use super::access::{is_admin, speaks_for_others_only};
use super::content::sees_staff_fields;
use super::sight::Ties;
use crate::domain::event::SessionRow;
use crate::domain::session::Caller;
use crate::domain::viewer::{Viewer, ViewerRole};
use entity::{ActorId, ActorType, ChatType, actor, chat, room};

/// Whether an actor exists for the viewer: visitors see themselves and the users of the organization.
#[must_use]
pub fn sees_actor(viewer: &Viewer, actor: &actor::Model) -> bool {
    viewer.organization_id == actor.organization_id
        && match actor.actor_type {
            ActorType::User => true,
            ActorType::Visitor => sees_staff_fields(viewer) || actor.id == viewer.actor_id,
            ActorType::ApiClient => false,
        }
}

/// Whether the role sees only open rooms and rooms of which the viewer is a member.
#[must_use]
pub fn is_bound_to_rooms(role: ViewerRole) -> bool {
    match role {
        ViewerRole::Operator | ViewerRole::Supervisor | ViewerRole::ApiClient => true,
        ViewerRole::Admin | ViewerRole::Visitor | ViewerRole::Widget => false,
    }
}

/// Whether a room exists for the viewer. `store::access` states the same as SQL.
#[must_use]
pub fn sees_room(viewer: &Viewer, room: &room::Model) -> bool {
    viewer.organization_id == room.organization_id
        && !(is_bound_to_rooms(viewer.role) && viewer.rooms.is_closed(room.id))
}

/// Whether the viewer waits for staff in their chats. They get an event when a room's `isStaffed` changes.
#[must_use]
pub fn waits_for_staff(viewer: &Viewer) -> bool {
    viewer.role == ViewerRole::Visitor
}

/// The kind of user names that a viewer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// The names for colleagues.
    Internal,
    /// The names for visitors.
    Public,
}

/// The kind of user names that the viewer reads.
#[must_use]
pub fn names(viewer: &Viewer) -> Names {
    if sees_staff_fields(viewer) { Names::Internal } else { Names::Public }
}

/// The scope of the chats that a viewer can follow live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// None.
    Nothing,
    /// Chats of the viewer.
    Own,
    /// Chats of every room, visitor and user of the organization.
    Organization,
}

/// The scope of the chats that the viewer can follow live.
#[must_use]
pub fn follows(viewer: &Viewer) -> Follows {
    match viewer.role {
        ViewerRole::Admin | ViewerRole::Supervisor | ViewerRole::Operator | ViewerRole::ApiClient => {
            Follows::Organization
        }
        ViewerRole::Visitor => Follows::Own,
        ViewerRole::Widget => Follows::Nothing,
    }
}

/// Whether the actor can participate in chats: an active user or visitor.
#[must_use]
pub fn can_participate(actor: &actor::Model) -> bool {
    let is_person = match actor.actor_type {
        ActorType::User | ActorType::Visitor => true,
        ActorType::ApiClient => false,
    };
    is_person && actor.deactivated_at.is_none()
}

/// Whether the actor, with these ties to the chat, can be called to its sessions and named as a sender. In a
/// VISITOR chat, any user can; otherwise, only participants can.
#[must_use]
pub fn can_be_involved(actor: &actor::Model, chat: &chat::Model, ties: Ties) -> bool {
    let is_colleague = chat.chat_type == ChatType::Visitor && actor.actor_type == ActorType::User;
    can_participate(actor) && (is_colleague || ties.participates())
}

/// Whether the viewer sends only in the name of others, and so must name the sender of a message.
#[must_use]
pub fn must_name_sender(viewer: &Viewer) -> bool {
    speaks_for_others_only(viewer.role)
}

/// Whether the viewer can read the list of an actor's participations: their own or, for admins, everybody's.
#[must_use]
pub fn reads_own_views(viewer: &Viewer, actor_id: ActorId) -> bool {
    viewer.actor_id == actor_id || reads_all_own_views(viewer)
}

/// Whether the viewer reads the actor's own settings in the participations of all actors.
#[must_use]
pub fn reads_all_own_views(viewer: &Viewer) -> bool {
    is_admin(viewer.role)
}

/// Whether the viewer, who acts in the chat, may delete messages that others sent.
#[must_use]
pub fn deletes_messages_of_others(viewer: &Viewer) -> bool {
    is_admin(viewer.role)
}

/// Whether the viewer, who sees the session, may change it.
#[must_use]
pub fn changes_session(viewer: &Viewer, row: &SessionRow) -> bool {
    row.has_participant(viewer.actor_id) || is_admin(viewer.role)
}

/// The viewer as a caller of a session's state machine.
#[must_use]
pub fn session_caller<'a>(viewer: &Viewer, row: &SessionRow, request_id: Option<&'a str>) -> Caller<'a> {
    Caller {
        actor_id: viewer.actor_id,
        is_participant: row.has_participant(viewer.actor_id),
        is_admin: is_admin(viewer.role),
        request_id,
    }
}
