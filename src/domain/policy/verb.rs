//! The permissions of roles, independent of any chat.

use crate::domain::viewer::ViewerRole;

/// An operation whose permission depends on the role alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// List and read data of the organization: rooms, people, reports.
    ReadOrganization,
    /// Create and change rooms and users, and read their settings.
    ManageOrganization,
    /// List, create and change webhooks, and list their deliveries.
    ManageWebhooks,
    /// Issue a token for a user or an API client.
    IssueUserToken,
    /// Issue a token for a visitor.
    IssueVisitorToken,
    /// Create and change visitors.
    UpsertVisitor,
    /// Create and change the shopping carts of visitors.
    UpsertShoppingCart,
    /// Start a chat as its visitor.
    StartOwnChat,
    /// Start a chat with a named visitor.
    StartChatFor,
    /// Create a chat among named participants.
    CreateChat,
    /// Do everything else within a chat: change and end it, type in it, mark it as read.
    ActInChat,
    /// Change a chat's name, description and privacy.
    UpdateChat,
    /// Delete a chat.
    DeleteChat,
    /// Add participants to a chat.
    AddParticipants,
    /// Remove participants from a chat, including oneself.
    RemoveParticipant,
    /// Join a chat as a user.
    JoinChat,
    /// Leave a chat.
    LeaveChat,
    /// Join another user to a chat that is started or resumed for them.
    JoinChatFor,
    /// Send messages as oneself.
    SendMessage,
    /// Send messages in the name of a visitor or user.
    SendMessageFor,
    /// Suggest a message to a visitor.
    SuggestMessage,
    /// Upload files, to send them as oneself or for another actor.
    Upload,
    /// Create sessions and act on them.
    UseSessions,
    /// Add tags to chats and remove them.
    TagChat,
    /// Archive and restore messages.
    ArchiveMessages,
    /// Sign a visitor in on a page of a room's site.
    SignInVisitor,
    /// Edit one's own messages.
    EditMessage,
    /// Delete messages.
    DeleteMessage,
    /// Renew and revoke one's own tokens.
    KeepOwnTokens,
    /// Revoke all tokens of another actor.
    RevokeTokens,
    /// Write notes, which visitors do not see.
    WriteNote,
    /// React to a message with an emoji.
    React,
}

/// An action that the caller's role may never take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden;

/// Checks that the role may do this at all.
pub fn may(role: ViewerRole, verb: Verb) -> Result<(), Forbidden> {
    use ViewerRole::{Admin, ApiClient, Operator, Supervisor, Visitor, Widget};
    let may = match verb {
        Verb::ReadOrganization => matches!(role, Admin | Supervisor | Operator | ApiClient),
        Verb::ManageOrganization | Verb::ManageWebhooks | Verb::IssueUserToken | Verb::RevokeTokens => {
            matches!(role, Admin)
        }
        Verb::Upload => matches!(role, Admin | Supervisor | Operator | Visitor | ApiClient),
        Verb::IssueVisitorToken
        | Verb::UpsertVisitor
        | Verb::UpsertShoppingCart
        | Verb::SendMessageFor
        | Verb::JoinChatFor => matches!(role, Admin | ApiClient),
        Verb::StartOwnChat => matches!(role, Visitor),
        Verb::SignInVisitor => matches!(role, Widget),
        Verb::KeepOwnTokens => matches!(role, Admin | Supervisor | Operator | Visitor | ApiClient),
        Verb::StartChatFor | Verb::SuggestMessage => {
            matches!(role, Admin | Supervisor | Operator | ApiClient)
        }
        Verb::CreateChat
        | Verb::UpdateChat
        | Verb::DeleteChat
        | Verb::AddParticipants
        | Verb::JoinChat
        | Verb::TagChat
        | Verb::ArchiveMessages
        | Verb::WriteNote => matches!(role, Admin | Supervisor | Operator),
        Verb::ActInChat
        | Verb::LeaveChat
        | Verb::RemoveParticipant
        | Verb::SendMessage
        | Verb::UseSessions
        | Verb::EditMessage
        | Verb::DeleteMessage
        | Verb::React => {
            matches!(role, Admin | Supervisor | Operator | Visitor)
        }
    };
    if may { Ok(()) } else { Err(Forbidden) }
}
