//! A viewer's permissions in one chat.

use super::sight::{Ties, sees_chat};
use super::verb::{Verb, may};
use crate::domain::viewer::{Viewer, ViewerRole};
use entity::{ChatType, chat};

/// A viewer's permissions in a chat, computed once when the chat was read or locked. They do not depend on
/// whether the chat has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatAccess {
    role: ViewerRole,
    chat_type: ChatType,
    ties: Ties,
    reach: Reach,
    is_owner: bool,
}

/// The level of a viewer's access to a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// The chat does not exist for the viewer.
    Nothing,
    /// The viewer can read it.
    Sees,
    /// The viewer can read it and act in it.
    Acts,
}

/// The effect of leaving a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// Ends the viewer's participation, and with it their presence.
    Participation,
    /// Ends only the viewer's presence: a VISITOR chat stays open to its users.
    Presence,
    /// The viewer cannot leave the chat.
    Nothing,
}

impl ChatAccess {
    /// Computes the viewer's permissions from their ties to the chat.
    #[must_use]
    pub fn of(viewer: &Viewer, chat: &chat::Model, ties: Ties) -> Self {
        // Admins can read DIRECT and GROUP chats of others, and supervisors private ones, but cannot act in them.
        let is_in_it = match chat.chat_type {
            ChatType::Visitor => !reads_private_only(viewer.role, chat) || ties.participates(),
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

    /// Whether the viewer can act in the chat.
    #[must_use]
    pub fn acts(self) -> bool {
        self.reach >= Reach::Acts
    }

    /// Whether the viewer can add messages and files: they act in the chat, or send only for others.
    #[must_use]
    pub fn sends(self) -> bool {
        self.acts() || (self.sees() && speaks_for_others_only(self.role))
    }

    /// Whether the chat is a GROUP chat that the viewer manages, as its owner or as an admin.
    #[must_use]
    pub fn leads(self) -> bool {
        self.sees() && self.chat_type == ChatType::Group && (self.is_owner || is_admin(self.role))
    }

    /// Whether the viewer can add and remove participants. A DIRECT chat is fixed, a GROUP chat is managed by
    /// its owner and admins, and any user can add colleagues to a VISITOR chat in which they act.
    #[must_use]
    pub fn decides_participants(self) -> bool {
        match self.chat_type {
            ChatType::Visitor => self.acts() && may(self.role, Verb::AddParticipants).is_ok(),
            ChatType::Direct => false,
            ChatType::Group => self.leads(),
        }
    }

    /// Whether the viewer can change the chat's name, description and privacy.
    #[must_use]
    pub fn changes(self) -> bool {
        match self.chat_type {
            ChatType::Visitor | ChatType::Direct => self.acts(),
            ChatType::Group => self.leads(),
        }
    }

    /// Whether the viewer can end the chat. DIRECT chats cannot be ended.
    #[must_use]
    pub fn ends(self) -> bool {
        self.acts()
            && match self.chat_type {
                ChatType::Visitor => true,
                ChatType::Direct => false,
                ChatType::Group => self.leads(),
            }
    }

    /// Whether the viewer can delete the chat.
    #[must_use]
    pub fn deletes(self) -> bool {
        match self.chat_type {
            ChatType::Visitor | ChatType::Direct => self.sees() && is_admin(self.role),
            ChatType::Group => self.leads(),
        }
    }

    /// The effect of leaving the chat. Also valid for a viewer who has left and no longer sees it.
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

/// Whether the role reads the VISITOR chats of others that are private, and does not act in them.
fn reads_private_only(role: ViewerRole, chat: &chat::Model) -> bool {
    chat.is_private && role == ViewerRole::Supervisor
}

/// Whether the role sends only in the name of others, and so must name the sender.
pub(super) fn speaks_for_others_only(role: ViewerRole) -> bool {
    may(role, Verb::SendMessage).is_err() && may(role, Verb::SendMessageFor).is_ok()
}

/// Whether the role manages objects that others own.
pub(super) fn is_admin(role: ViewerRole) -> bool {
    role == ViewerRole::Admin
}
