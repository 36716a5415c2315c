//! The visibility of a chat's content, for a viewer who sees the chat.

use crate::domain::event::{Change, Entry, MessageRow};
use crate::domain::viewer::{Viewer, ViewerRole};
use entity::{ActorId, Audience, Timestamp, chat, message, shopping_cart};

/// Whether the role belongs to the organization: its users and its API clients.
fn is_staff(role: ViewerRole) -> bool {
    match role {
        ViewerRole::Admin | ViewerRole::Supervisor | ViewerRole::Operator | ViewerRole::ApiClient => true,
        ViewerRole::Visitor | ViewerRole::Widget => false,
    }
}

/// Whether the viewer sees fields reserved for staff: tags, shopping carts, queues, external ids of users.
#[must_use]
pub fn sees_staff_fields(viewer: &Viewer) -> bool {
    is_staff(viewer.role)
}

/// Whether the viewer sees notes. `store::access` states the same as SQL.
#[must_use]
pub fn sees_notes(viewer: &Viewer) -> bool {
    is_staff(viewer.role)
}

/// Whether the viewer sees every session of a chat that they see, not only those to which they are called.
/// `store::access` states the same as SQL.
#[must_use]
pub fn sees_all_sessions(viewer: &Viewer) -> bool {
    is_staff(viewer.role)
}

/// Whether the viewer sees every event of a chat that they see. Others see no events of notes, and none of
/// sessions to which they are not called.
#[must_use]
pub fn sees_all_events(viewer: &Viewer) -> bool {
    is_staff(viewer.role)
}

/// Whether a message of a chat that the viewer sees exists for them.
#[must_use]
pub fn sees_message(viewer: &Viewer, row: &MessageRow) -> bool {
    let is_of_session = row.message.session_id.is_some();
    (!row.message.is_internal || sees_notes(viewer))
        && (!is_of_session || sees_session(viewer, &row.called_ids))
}

/// Whether a session of a chat that the viewer sees exists for them: visitors see those to which they are called.
#[must_use]
pub fn sees_session(viewer: &Viewer, participant_ids: &[ActorId]) -> bool {
    sees_all_sessions(viewer) || participant_ids.contains(&viewer.actor_id)
}

/// Whether an entry of the log of a chat that the viewer sees exists for them.
#[must_use]
pub fn sees_entry(viewer: &Viewer, entry: &Entry) -> bool {
    match &entry.event.change {
        Change::Session(_, row) => sees_session(viewer, &row.participant_ids),
        Change::Message(_, row) => sees_message(viewer, row),
        Change::Chat | Change::History { .. } | Change::Presence(..) | Change::Participation(..) => {
            match entry.event.audience {
                Audience::All => true,
                Audience::Staff | Audience::Called => sees_all_events(viewer),
            }
        }
    }
}

/// The audience of an event of a session to which these actors are called, in a chat with these visitors.
#[must_use]
pub fn audience_of_session(visitor_ids: &[ActorId], called_ids: &[ActorId]) -> Audience {
    let called = visitor_ids.iter().filter(|id| called_ids.contains(id)).count();
    if called == visitor_ids.len() {
        Audience::All
    } else if called > 0 {
        Audience::Called
    } else {
        Audience::Staff
    }
}

/// The time of the last event of the chat that the viewer may see.
#[must_use]
pub fn changed_at(viewer: &Viewer, chat: &chat::Model) -> Timestamp {
    if sees_all_events(viewer) { chat.logged_at } else { chat.updated_at }
}

/// The actor whose own data a read of messages depends on. `None` if all viewers with the same role get the
/// same result.
#[must_use]
pub fn message_reader(viewer: &Viewer) -> Option<ActorId> {
    let sees_all = sees_notes(viewer) && sees_all_sessions(viewer);
    (!sees_all).then_some(viewer.actor_id)
}

/// Whether the viewer, who sees the message, sees its earlier texts.
#[must_use]
pub fn sees_revisions(viewer: &Viewer, message: &message::Model) -> bool {
    is_staff(viewer.role) || message.sender_id == Some(viewer.actor_id)
}

/// Whether a shopping cart exists for the viewer: visitors see their own.
#[must_use]
pub fn sees_cart(viewer: &Viewer, cart: &shopping_cart::Model) -> bool {
    viewer.organization_id == cart.organization_id
        && (is_staff(viewer.role) || cart.visitor_id == viewer.actor_id)
}
