//! The visibility of chats. `store::access` states the same as SQL, reason by reason.

use crate::domain::chat_filter::Members;
use crate::domain::viewer::{Viewer, ViewerRole};
use entity::{ActorId, ChatType, chat, participation};

/// A reason why a viewer sees a chat. One is enough. None applies to deleted chats and chats of other
/// organizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The viewer sees every chat.
    Any,
    /// A VISITOR chat that is not private, in a room that is not closed to the viewer.
    Public,
    /// A VISITOR chat in a room of which the viewer is a member.
    OwnRoom,
    /// A VISITOR chat whose visitor is the viewer.
    Visitor,
    /// A chat in which the viewer participates.
    Participation,
}

/// The reasons why a role sees chats. A role without any sees none.
#[must_use]
pub fn grounds(role: ViewerRole) -> &'static [Ground] {
    match role {
        ViewerRole::Admin => &[Ground::Any],
        ViewerRole::Supervisor => &[Ground::Public, Ground::OwnRoom, Ground::Participation],
        ViewerRole::Operator => &[Ground::Public, Ground::Participation],
        ViewerRole::Visitor => &[Ground::Visitor, Ground::Participation],
        ViewerRole::ApiClient => &[Ground::Public],
        ViewerRole::Widget => &[],
    }
}

/// A viewer's ties to one chat, in addition to the chat's own row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ties {
    participates: bool,
}

impl Ties {
    /// The ties of a viewer with this participation in the chat, which may have ended.
    #[must_use]
    pub fn of(participation: Option<&participation::Model>) -> Self {
        Self { participates: participation.is_some_and(participation::Model::is_current) }
    }

    /// The ties of an actor to a chat with these members.
    #[must_use]
    pub fn among(members: &Members, actor_id: ActorId) -> Self {
        Self { participates: members.participants.contains(&actor_id) }
    }

    /// Whether the viewer participates in the chat now.
    #[must_use]
    pub fn participates(self) -> bool {
        self.participates
    }
}

impl Ground {
    /// Whether the reason applies. `store::access` has the same match.
    fn holds(self, viewer: &Viewer, chat: &chat::Model, ties: Ties) -> bool {
        match self {
            Self::Any => true,
            Self::Public => {
                let is_closed = chat.room_id.is_some_and(|room_id| viewer.rooms.is_closed(room_id));
                chat.chat_type == ChatType::Visitor && !chat.is_private && !is_closed
            }
            Self::OwnRoom => chat.room_id.is_some_and(|room_id| viewer.rooms.is_member(room_id)),
            Self::Visitor => chat.visitor_id == Some(viewer.actor_id),
            Self::Participation => ties.participates,
        }
    }
}

/// Whether the chat exists for the viewer.
#[must_use]
pub fn sees_chat(viewer: &Viewer, chat: &chat::Model, ties: Ties) -> bool {
    chat.deleted_at.is_none() && saw_chat(viewer, chat, ties)
}

/// Whether the viewer sees the chat, or would if it had not been deleted.
#[must_use]
pub fn saw_chat(viewer: &Viewer, chat: &chat::Model, ties: Ties) -> bool {
    viewer.organization_id == chat.organization_id
        && grounds(viewer.role).iter().any(|ground| ground.holds(viewer, chat, ties))
}

/// Whether the viewer could see this private chat while it was public.
#[must_use]
pub fn may_have_been_public(viewer: &Viewer, chat: &chat::Model) -> bool {
    chat.is_private
        && chat.chat_type == ChatType::Visitor
        && grounds(viewer.role).iter().any(|ground| match ground {
            Ground::Any | Ground::Public => true,
            Ground::OwnRoom | Ground::Visitor | Ground::Participation => false,
        })
}
