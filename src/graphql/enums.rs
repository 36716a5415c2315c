//! The enums of the schema. They mirror the persisted and domain enums, so that a new value there breaks the
//! build here.

use crate::domain::session_action::SessionAction as DomainDirective;
use crate::domain::viewer::ViewerRole as DomainViewerRole;
use crate::live;
use async_graphql::Enum;

/// The kind of an actor.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ActorType {
    /// A person who works for the organization.
    User,
    /// A person whom the organization serves.
    Visitor,
}

impl From<ActorType> for entity::ActorType {
    fn from(actor_type: ActorType) -> Self {
        match actor_type {
            ActorType::User => Self::User,
            ActorType::Visitor => Self::Visitor,
        }
    }
}

/// The method of comparing texts in a search.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::search::Matching")]
pub(super) enum TextMatch {
    /// Ignores case, accents and character width: `muller` finds `Müller`, and `nguyen` finds `Nguyễn`.
    Folded,
    /// Compares character by character: `Müller` finds neither `müller` nor `Muller`.
    Exact,
}

/// The role of a user.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::UserRole")]
pub(super) enum UserRole {
    /// Can also change the organization itself, such as rooms, users and tokens.
    Admin,
    /// Can read all chats of their rooms, also private ones, and can talk to visitors and colleagues.
    Supervisor,
    /// Can talk to visitors and colleagues.
    Operator,
}

/// The users who can see the VISITOR chats of a room.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::RoomAccess")]
pub(super) enum RoomAccess {
    /// All users, and all API clients of the organization.
    Open,
    /// The members of the room, and admins.
    Members,
}

/// The role of the viewer. Operators, supervisors, admins and API clients are staff.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "DomainViewerRole")]
pub(super) enum ViewerRole {
    /// A user who can also change the organization itself.
    Admin,
    /// A user who can read all chats of their rooms, and talks to visitors and colleagues.
    Supervisor,
    /// A user who talks to visitors and colleagues.
    Operator,
    /// A person whom the organization serves.
    Visitor,
    /// A program of the organization.
    ApiClient,
    /// A page of a room's website that uses the room's widget key. It can only call `signInVisitor`.
    Widget,
}

/// The type of a chat.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::ChatType")]
pub(super) enum ChatType {
    /// A chat between a visitor and staff, in a room.
    Visitor,
    /// A chat of exactly two actors. Each pair has at most one.
    Direct,
    /// A chat of any number of actors, up to 100.
    Group,
}

/// The type of a message.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::MessageType")]
pub(super) enum MessageType {
    /// A message that its sender wrote.
    Message,
    /// A message that was suggested to a visitor in the sender's name. It does not count as a message or as
    /// an answer.
    Autosuggest,
    /// A system message: the sender joined the chat.
    Join,
    /// A system message: the sender left the chat, or their presence expired.
    Leave,
    /// A system message: the sender changed the state of the chat session in `chatSession` to
    /// `chatSessionState`. If there is no sender, the server ended the session because nobody answered in time.
    Session,
}

/// An action on a message that a viewer can take.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::message::MessageAction")]
pub(super) enum MessageAction {
    /// Change its text with `editMessage`.
    Edit,
    /// Delete its content with `deleteMessage`.
    Delete,
    /// Reply to it with `replyToId` of `sendMessage`.
    Reply,
    /// Add an emoji with `addReaction`.
    React,
}

/// The reason why a presence ended.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::PresenceEndReason")]
pub(super) enum PresenceEndReason {
    /// The user left, or was removed from the chat.
    Left,
    /// The user did not renew the presence in time.
    Expired,
    /// The chat has ended.
    ChatEnded,
    /// The user signed out or was deactivated.
    SignedOut,
    /// The user lost access to the room of the chat.
    AccessLost,
}

/// The type of a chat session.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::SessionType")]
pub(super) enum ChatSessionType {
    /// A remote consultation by audio or video.
    Telemed,
}

/// The state of a chat session. `docs/session-machine.md` lists all transitions.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::SessionState")]
pub(super) enum ChatSessionState {
    /// The session was created, perhaps for a later time.
    Created,
    /// The session is ringing, until `ringsUntil`.
    Started,
    /// A participant accepted the session, and it is in progress.
    Accepted,
    /// A participant rejected the session. It never changes again.
    Rejected,
    /// The session is over, and `outcome` says why. It never changes again.
    Finished,
}

/// The outcome of a chat session that is over.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::SessionOutcome")]
pub(super) enum ChatSessionOutcome {
    /// A participant accepted the session, and it was finished later.
    Completed,
    /// A participant rejected the session.
    Rejected,
    /// The session was finished before anybody accepted it.
    Cancelled,
    /// Nobody accepted the session in time.
    Missed,
}

/// An action on a chat session that a viewer can take.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "DomainDirective")]
pub(super) enum ChatSessionAction {
    /// Make the session ring with `startChatSession`.
    Start,
    /// Accept the session with `acceptChatSession`.
    Accept,
    /// Reject the session with `rejectChatSession`.
    Reject,
    /// End the session with `finishChatSession`.
    Finish,
}

/// The status of a participant in a chat session.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallStatus {
    /// The session is not ringing for this participant.
    Waiting,
    /// The session is ringing for this participant.
    Ringing,
    /// The participant is in another session that is in progress.
    Busy,
    /// The participant is in this session.
    Accepted,
    /// The participant rejected this session.
    Rejected,
}

/// The kind of a change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "live::ChangeAction")]
pub(super) enum ChangeAction {
    /// The item entered the list. It can be sent again after a reconnect, so update items by id.
    Added,
    /// The item in the list changed.
    Changed,
    /// The item left the list.
    Removed,
}

/// The reason why a subscription starts over.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "live::ResetReason")]
pub(super) enum ResetReason {
    /// The subscription started without `after`.
    Initial,
    /// The events after the cursor are no longer stored.
    CursorExpired,
}

/// The direction in which a list is sorted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderDirection {
    /// Ascending: the smallest or oldest first.
    Asc,
    /// Descending: the largest or newest first.
    Desc,
}

/// An action on a chat that a viewer can take.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChatAction {
    /// Send messages with `sendMessage`.
    Send,
    /// Join the chat with `joinChat`.
    Join,
    /// Leave the chat with `leaveChat`. In GROUP and DIRECT chats, it is also listed after the chat has ended.
    Leave,
    /// End the chat with `endChat`.
    End,
    /// Add and remove tags, even after the chat has ended.
    Tag,
    /// Create a chat session with `createChatSession`.
    StartSession,
    /// Add and remove participants of the chat.
    ChangeParticipants,
    /// Change the chat with `updateChat`, even after the chat has ended.
    Update,
    /// Delete the chat with `deleteChat`, even after the chat has ended.
    Delete,
    /// Archive messages with `archiveMessages`, even after the chat has ended.
    Archive,
    /// Restore archived messages with `restoreMessages`, even after the chat has ended.
    Restore,
}

/// An event that a webhook can receive.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::WebhookEvent")]
pub(super) enum WebhookEvent {
    /// A user sent a message in a VISITOR chat. Besides ids, the body contains `patientId` (the visitor's
    /// `externalId`, or else their id), `patientUrl`, `tenantName`, `instanceName` and the text in `message`.
    MessageToVisitor,
    /// Somebody sent a message in a chat of any type. The body of this event, and of the events below,
    /// contains only `type`, `timestamp`, `cursor`, and ids in `data`: `organizationId`, `chatId`, and the
    /// event's `sequence` in the chat. For this event, `data` also has `messageId`.
    MessageAdded,
    /// A chat of any type was created.
    ChatStarted,
    /// A chat of any type ended.
    ChatEnded,
    /// A chat session was created or changed. `data` has its `chatSessionId` and its new `state`.
    ChatSessionChanged,
}

/// The state of a delivery.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::WebhookDeliveryState")]
pub(super) enum WebhookDeliveryState {
    /// The server will attempt the delivery at `nextAttemptAt`.
    Pending,
    /// The receiver accepted the delivery with a 2xx status.
    Delivered,
    /// The delivery failed: ten attempts failed, or the webhook was disabled. Responses with status 429 or
    /// 503 do not count as attempts during the first 24 hours.
    Failed,
}
