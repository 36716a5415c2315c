//! Who may do and see what. Every action asks here and nowhere else.
//!
//! What a viewer may not see does not exist for them; `Forbidden` is only for what a role may never do.

use super::event::{Entry, MessageRow, Subject};
use super::viewer::{Viewer, ViewerRole};
use entity::{ActorId, ActorType, Audience, ChatType, Timestamp, actor, chat, shopping_cart};

/// What can be asked for, as far as a role decides about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// List and read what belongs to the organization: rooms, people, reports.
    ReadOrganization,
    /// Create and change rooms and users.
    ManageOrganization,
    /// See, create and change webhooks, and what was delivered to them.
    ManageWebhooks,
    /// Make a token for a user or an API client.
    IssueUserToken,
    /// Make a token for a visitor.
    IssueVisitorToken,
    /// Create and change visitors.
    UpsertVisitor,
    /// Say what is in a visitor's shopping cart.
    UpsertShoppingCart,
    /// Start a chat with oneself as the visitor.
    StartOwnChat,
    /// Start a chat with a named visitor.
    StartChatFor,
    /// Create a chat among named participants.
    CreateChat,
    /// Change and end chats, set typing and read marks: everything else within a chat.
    ActInChat,
    /// Change a chat's name, detail and privacy.
    UpdateChat,
    /// Delete a chat.
    DeleteChat,
    /// Add participants to a chat.
    AddParticipants,
    /// Take participants out of a chat, oneself among them.
    RemoveParticipant,
    /// Join a chat as a user.
    JoinChat,
    /// Leave a chat.
    LeaveChat,
    /// Join another user to a chat that is started or resumed for them.
    JoinChatFor,
    /// Send as oneself.
    SendMessage,
    /// Send in the name of a visitor or user.
    SendMessageFor,
    /// Suggest a message to a visitor.
    SuggestMessage,
    /// Upload files, to be sent by oneself or for another.
    Upload,
    /// Create sessions and give actions.
    UseSessions,
    /// Put tags on chats, and take them off.
    TagChat,
    /// Take messages out of lists, and bring them back.
    ArchiveMessages,
    /// Sign a visitor in on a page of a room's site.
    SignInVisitor,
    /// Change the text of what one has sent.
    EditMessage,
    /// Take the content of a message away.
    DeleteMessage,
    /// Renew and end one's own tokens.
    KeepOwnTokens,
    /// End all tokens of somebody.
    RevokeTokens,
    /// Write what visitors do not see.
    WriteNote,
    /// Answer a message with an emoji.
    React,
}

/// A role may never do this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden;

/// Whether the role may do such a thing at all.
pub fn may(role: ViewerRole, verb: Verb) -> Result<(), Forbidden> {
    use ViewerRole::{Admin, ApiClient, Operator, Visitor, Widget};
    let may = match verb {
        Verb::ReadOrganization => matches!(role, Admin | Operator | ApiClient),
        Verb::ManageOrganization | Verb::ManageWebhooks | Verb::IssueUserToken | Verb::RevokeTokens => {
            matches!(role, Admin)
        }
        Verb::Upload => matches!(role, Admin | Operator | Visitor | ApiClient),
        Verb::IssueVisitorToken
        | Verb::UpsertVisitor
        | Verb::UpsertShoppingCart
        | Verb::SendMessageFor
        | Verb::JoinChatFor => matches!(role, Admin | ApiClient),
        Verb::StartOwnChat => matches!(role, Visitor),
        Verb::SignInVisitor => matches!(role, Widget),
        Verb::KeepOwnTokens => matches!(role, Admin | Operator | Visitor | ApiClient),
        Verb::StartChatFor | Verb::SuggestMessage => matches!(role, Admin | Operator | ApiClient),
        Verb::CreateChat
        | Verb::UpdateChat
        | Verb::DeleteChat
        | Verb::AddParticipants
        | Verb::JoinChat
        | Verb::TagChat
        | Verb::ArchiveMessages
        | Verb::WriteNote => matches!(role, Admin | Operator),
        Verb::ActInChat
        | Verb::LeaveChat
        | Verb::RemoveParticipant
        | Verb::SendMessage
        | Verb::UseSessions
        | Verb::EditMessage
        | Verb::DeleteMessage
        | Verb::React => {
            matches!(role, Admin | Operator | Visitor)
        }
    };
    if may { Ok(()) } else { Err(Forbidden) }
}

/// Whether the chat exists for the viewer: a deleted one for nobody. `participates` says whether the viewer takes part
/// in it now.
#[must_use]
pub fn sees_chat(viewer: &Viewer, chat: &chat::Model, participates: bool) -> bool {
    viewer.organization_id == chat.organization_id
        && chat.deleted_at.is_none()
        && match (viewer.role, chat.chat_type) {
            (ViewerRole::Admin, ChatType::Visitor | ChatType::Direct | ChatType::Group) => true,
            (ViewerRole::Operator, ChatType::Visitor) => !chat.is_private || participates,
            (ViewerRole::ApiClient, ChatType::Visitor) => !chat.is_private,
            (ViewerRole::Visitor, ChatType::Visitor) => {
                chat.visitor_id == Some(viewer.actor_id) || participates
            }
            (ViewerRole::Operator | ViewerRole::Visitor, ChatType::Direct | ChatType::Group) => participates,
            (ViewerRole::ApiClient, ChatType::Direct | ChatType::Group)
            | (ViewerRole::Widget, ChatType::Visitor | ChatType::Direct | ChatType::Group) => false,
        }
}

/// Whether a message of a chat that the viewer sees exists for them: a visitor sees no notes, and nothing of a session
/// that they are not called to.
#[must_use]
pub fn sees_message(viewer: &Viewer, row: &MessageRow) -> bool {
    let is_for_them = row.message.session_id.is_none() || row.called_ids.contains(&viewer.actor_id);
    viewer.role.is_staff() || (!row.message.is_internal && is_for_them)
}

/// Whether an entry of the log of a chat that the viewer sees exists for them.
#[must_use]
pub fn sees_entry(viewer: &Viewer, entry: &Entry) -> bool {
    match &entry.subject {
        Subject::Session(row) => sees_session(viewer, &row.participant_ids),
        Subject::Message(row) => sees_message(viewer, row),
        Subject::Chat | Subject::History(_) | Subject::Presence(_) | Subject::Participation(_) => {
            match entry.event.audience {
                Audience::All => true,
                Audience::Staff | Audience::Called => viewer.role.is_staff(),
            }
        }
    }
}

/// Who learns of an event of a session of a chat with these visitors, when these actors are called.
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

/// When the chat last changed, as far as any such viewer may learn of it: visitors learn of no note, and of no session
/// that not all of them are called to.
#[must_use]
pub fn changed_at(role: ViewerRole, chat: &chat::Model) -> Timestamp {
    if role.is_staff() { chat.logged_at } else { chat.updated_at }
}

/// Whether an actor exists for the viewer: visitors see themselves and the users of the organization.
#[must_use]
pub fn sees_actor(viewer: &Viewer, actor: &actor::Model) -> bool {
    viewer.organization_id == actor.organization_id
        && match actor.actor_type {
            ActorType::User => true,
            ActorType::Visitor => viewer.role.is_staff() || actor.id == viewer.actor_id,
            ActorType::ApiClient => false,
        }
}

/// Whether a shopping cart exists for the viewer: visitors see their own.
#[must_use]
pub fn sees_cart(viewer: &Viewer, cart: &shopping_cart::Model) -> bool {
    viewer.organization_id == cart.organization_id
        && (viewer.role.is_staff() || cart.visitor_id == viewer.actor_id)
}

/// Whether a session of a chat that the viewer sees exists for them: visitors see the ones they are called to.
#[must_use]
pub fn sees_session(viewer: &Viewer, participant_ids: &[ActorId]) -> bool {
    viewer.role.is_staff() || participant_ids.contains(&viewer.actor_id)
}

/// Whether the viewer, who sees the chat, may also act in it: an admin reads others' DIRECT and GROUP chats
/// but takes no part in them.
#[must_use]
pub fn acts_in_chat(viewer: &Viewer, chat: &chat::Model, participates: bool) -> bool {
    let in_it = match chat.chat_type {
        ChatType::Visitor => true,
        ChatType::Direct | ChatType::Group => participates,
    };
    in_it && may(viewer.role, Verb::ActInChat).is_ok()
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

/// What the viewer ends by leaving the chat.
#[must_use]
pub fn leaving(viewer: &Viewer, chat: &chat::Model) -> Leaving {
    match chat.chat_type {
        ChatType::Visitor if viewer.role.is_user() => Leaving::Presence,
        ChatType::Direct | ChatType::Group if may(viewer.role, Verb::LeaveChat).is_ok() => {
            Leaving::Participation
        }
        ChatType::Visitor | ChatType::Direct | ChatType::Group => Leaving::Nothing,
    }
}

/// Whether the viewer, who sees the chat, decides who takes part in it. A pair is fixed; a group is its owner's and
/// the admins'; to a visitor's chat any user who acts in it adds colleagues.
#[must_use]
pub fn decides_who_takes_part(viewer: &Viewer, chat: &chat::Model) -> bool {
    match chat.chat_type {
        ChatType::Visitor => viewer.role.is_user(),
        ChatType::Direct => false,
        ChatType::Group => leads_group(viewer, chat),
    }
}

/// Whether a GROUP chat is the viewer's to lead: its owner's, and any admin's.
#[must_use]
pub fn leads_group(viewer: &Viewer, chat: &chat::Model) -> bool {
    chat.owner_id == Some(viewer.actor_id) || viewer.role == ViewerRole::Admin
}

/// Whether the viewer, who sees the chat, changes its name, detail and privacy.
#[must_use]
pub fn changes_chat(viewer: &Viewer, chat: &chat::Model, participates: bool) -> bool {
    match chat.chat_type {
        ChatType::Visitor | ChatType::Direct => acts_in_chat(viewer, chat, participates),
        ChatType::Group => leads_group(viewer, chat),
    }
}

/// Whether the viewer, who sees the chat, deletes it.
#[must_use]
pub fn deletes_chat(viewer: &Viewer, chat: &chat::Model) -> bool {
    match chat.chat_type {
        ChatType::Visitor | ChatType::Direct => viewer.role == ViewerRole::Admin,
        ChatType::Group => leads_group(viewer, chat),
    }
}

/// Whether the viewer reads the list of an actor's participations: their own, and an admin everybody's.
#[must_use]
pub fn reads_own_views(viewer: &Viewer, actor_id: ActorId) -> bool {
    viewer.actor_id == actor_id || reads_all_own_views(viewer)
}

/// Whether the viewer reads what every actor's participations say of the actor's own view.
#[must_use]
pub fn reads_all_own_views(viewer: &Viewer) -> bool {
    viewer.role == ViewerRole::Admin
}
