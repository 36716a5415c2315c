//! What a viewer may do in one chat.

use super::sight::{Ties, sees_chat};
use super::verb::{Verb, may};
use crate::domain::viewer::{Viewer, ViewerRole};
use entity::{ChatType, chat};

/// What a viewer may do in a chat: computed once, when the chat was read or locked. It does not say whether the chat has
/// ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatAccess {
    role: ViewerRole,
    chat_type: ChatType,
    ties: Ties,
    reach: Reach,
    is_owner: bool,
}

/// How far a viewer comes in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// The chat does not exist for the viewer.
    Nothing,
    /// The viewer reads it.
    Sees,
    /// The viewer reads it and acts in it.
    Acts,
}

/// What leaving a chat ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// The viewer's participation, and with it their presence.
    Participation,
    /// The viewer's presence alone: a VISITOR chat stays open to its users.
    Presence,
    /// Nothing: the viewer cannot leave the chat.
    Nothing,
}

impl ChatAccess {
    /// What the viewer may do in the chat, given their ties to it.
    #[must_use]
    pub fn of(viewer: &Viewer, chat: &chat::Model, ties: Ties) -> Self {
        // Admins read DIRECT and GROUP chats of others, and do not act in them.
        let is_in_it = match chat.chat_type {
            ChatType::Visitor => true,
            ChatType::Direct | ChatType::Group => ties.participates(),
        };
        let reach = if !sees_chat(viewer, chat, ties) {
            Reach::Nothing
        } else if is_in_it && may(viewer.role, Verb::ActInChat).is_ok() {
            Reach::Acts
        } else {
            Reach::Sees
        };
        let is_owner = chat.owner_id == Some(viewer.actor_id);
        Self { role: viewer.role, chat_type: chat.chat_type, ties, reach, is_owner }
    }

    /// Whether the chat exists for the viewer.
    #[must_use]
    pub fn sees(self) -> bool {
        self.reach >= Reach::Sees
    }

    /// Whether the viewer participates in the chat now.
    #[must_use]
    pub fn participates(self) -> bool {
        self.ties.participates()
    }

    /// Whether the viewer may act in the chat.
    #[must_use]
    pub fn acts(self) -> bool {
        self.reach >= Reach::Acts
    }

    /// Whether the viewer may put messages and files into the chat: they act in it, or speak for others only.
    #[must_use]
    pub fn sends(self) -> bool {
        self.acts() || (self.sees() && speaks_for_others_only(self.role))
    }

    /// Whether the chat is a GROUP chat that the viewer leads: as its owner, or as an admin.
    #[must_use]
    pub fn leads(self) -> bool {
        self.sees() && self.chat_type == ChatType::Group && (self.is_owner || is_admin(self.role))
    }

    /// Whether the viewer decides who participates. A pair is fixed, a GROUP chat belongs to those who lead it, and any
    /// user adds colleagues to a VISITOR chat that they see.
    #[must_use]
    pub fn decides_participants(self) -> bool {
        match self.chat_type {
            ChatType::Visitor => self.sees() && may(self.role, Verb::AddParticipants).is_ok(),
            ChatType::Direct => false,
            ChatType::Group => self.leads(),
        }
    }

    /// Whether the viewer changes the chat's name, description and privacy.
    #[must_use]
    pub fn changes(self) -> bool {
        match self.chat_type {
            ChatType::Visitor | ChatType::Direct => self.acts(),
            ChatType::Group => self.leads(),
        }
    }

    /// Whether the viewer ends the chat. A DIRECT chat does not end.
    #[must_use]
    pub fn ends(self) -> bool {
        self.acts()
            && match self.chat_type {
                ChatType::Visitor => true,
                ChatType::Direct => false,
                ChatType::Group => self.leads(),
            }
    }

    /// Whether the viewer deletes the chat.
    #[must_use]
    pub fn deletes(self) -> bool {
        match self.chat_type {
            ChatType::Visitor | ChatType::Direct => self.sees() && is_admin(self.role),
            ChatType::Group => self.leads(),
        }
    }

    /// What the viewer ends by leaving the chat. Also answers for a viewer who has left and no longer sees it.
    #[must_use]
    pub fn leaving(self) -> Leaving {
        match self.chat_type {
            ChatType::Visitor if may(self.role, Verb::JoinChat).is_ok() => Leaving::Presence,
            ChatType::Direct | ChatType::Group if may(self.role, Verb::LeaveChat).is_ok() => {
                Leaving::Participation
            }
            ChatType::Visitor | ChatType::Direct | ChatType::Group => Leaving::Nothing,
        }
    }
}

/// Whether the role sends only in the name of others, and so must name the sender.
pub(super) fn speaks_for_others_only(role: ViewerRole) -> bool {
    may(role, Verb::SendMessage).is_err() && may(role, Verb::SendMessageFor).is_ok()
}

/// Whether the role leads what others own.
pub(super) fn is_admin(role: ViewerRole) -> bool {
    role == ViewerRole::Admin
}
