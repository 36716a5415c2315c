//! Persisted and domain enums as the schema shows them: mirrored, so that a new value breaks the build here.

use crate::domain::session_action::SessionAction as DomainDirective;
use crate::domain::viewer::ViewerRole as DomainViewerRole;
use crate::live;
use async_graphql::Enum;

/// The kind of an actor.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ActorType {
    /// A person who works for the organization.
    User,
    /// A person the organization serves.
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

/// The way in which a search compares texts.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::search::Matching")]
pub(super) enum TextMatch {
    /// Ignores case, accents and character width: `muller` finds `Müller`, `nguyen` finds `Nguyễn`.
    Folded,
    /// Compares character by character: `Müller` finds neither `müller` nor `Muller`.
    Exact,
}

/// The role of a user.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::UserRole")]
pub(super) enum UserRole {
    /// May also change the organization itself: rooms, users, tokens.
    Admin,
    /// Talks with visitors and colleagues.
    Operator,
}

/// The role of the viewer.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "DomainViewerRole")]
pub(super) enum ViewerRole {
    /// A user who may also change the organization itself.
    Admin,
    /// A user who talks with visitors and colleagues.
    Operator,
    /// A person the organization serves.
    Visitor,
    /// A program of the organization.
    ApiClient,
    /// A page of a room's site, by the room's widget key: it may only sign a visitor in.
    Widget,
}

/// The type of a chat.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::ChatType")]
pub(super) enum ChatType {
    /// A visitor and the organization's people, in a room.
    Visitor,
    /// Exactly two actors; there is one such chat for each pair.
    Direct,
    /// Any number of actors, up to 100.
    Group,
}

/// The type of a message.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::MessageType")]
pub(super) enum MessageType {
    /// Written by its sender.
    Message,
    /// Suggested to a visitor in its sender's name. Counts nowhere, and answers nobody.
    Autosuggest,
    /// Its sender joined the chat.
    Join,
    /// Its sender left the chat, or was not heard from.
    Leave,
    /// Its sender moved a session on; see `chatSession` and `chatSessionState`. Without a sender, nobody answered.
    Session,
}

/// An action on a message that a viewer can take.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::message::MessageAction")]
pub(super) enum MessageAction {
    /// Change its text.
    Edit,
    /// Take its content away.
    Delete,
    /// Answer it with a message; see `replyToId` of sendMessage.
    Reply,
    /// Answer it with an emoji.
    React,
}

/// The reason for which a presence ended.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::PresenceEndReason")]
pub(super) enum PresenceEndReason {
    /// The user left, or was taken out of the chat.
    Left,
    /// The user was not heard from until the lease ended.
    Expired,
    /// The chat ended.
    ChatEnded,
    /// The user signed out, or was deactivated.
    SignedOut,
}

/// The type of a session.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::SessionType")]
pub(super) enum ChatSessionType {
    /// A remote consultation.
    Telemed,
}

/// The state of a session.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::SessionState")]
pub(super) enum ChatSessionState {
    /// Made, perhaps for later.
    Created,
    /// It rings, until `ringsUntil`.
    Started,
    /// Somebody took it: it runs.
    Accepted,
    /// Somebody declined it.
    Rejected,
    /// It is over; `outcome` says how it went.
    Finished,
}

/// The outcome of a session that is over.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::SessionOutcome")]
pub(super) enum ChatSessionOutcome {
    /// It was accepted, and finished later.
    Completed,
    /// It was declined.
    Rejected,
    /// It was finished before anybody accepted.
    Cancelled,
    /// Nobody answered in time.
    Missed,
}

/// An action that moves a session on.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "DomainDirective")]
pub(super) enum ChatSessionAction {
    /// Let it ring.
    Start,
    /// Take it.
    Accept,
    /// Decline it.
    Reject,
    /// End it.
    Finish,
}

/// The status of a participant in a session.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallStatus {
    /// The session does not ring yet, or the participant need not answer it.
    Waiting,
    /// It rings for them.
    Ringing,
    /// They are in another session that runs.
    Busy,
    /// They are in this session.
    Accepted,
    /// They declined it.
    Rejected,
}

/// The kind of a change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "live::ChangeAction")]
pub(super) enum ChangeAction {
    /// It came in. Can be told again after a reconnect: apply by id.
    Added,
    /// It changed.
    Changed,
    /// It went out.
    Removed,
}

/// The reason for which a stream starts over.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "live::ResetReason")]
pub(super) enum ResetReason {
    /// It was asked for without a cursor.
    Initial,
    /// The events after the cursor are no longer kept.
    CursorExpired,
}

/// The sort direction of a list.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderDirection {
    /// Ascending: the smallest or oldest item first.
    Asc,
    /// Descending: the largest or newest item first.
    Desc,
}

/// An action on a chat that a viewer can take.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChatAction {
    /// Send messages.
    Send,
    /// Join as a user.
    Join,
    /// Leave with `leaveChat`; also once a GROUP or DIRECT chat has ended.
    Leave,
    /// End the chat.
    End,
    /// Put tags on it, and take them off; also once the chat has ended.
    Tag,
    /// Create a session.
    StartSession,
    /// Add participants, and take others out.
    ChangeParticipants,
    /// Change its name and description; also once the chat has ended.
    Update,
    /// Delete it; also once the chat has ended.
    Delete,
    /// Archive messages; also once the chat has ended.
    Archive,
    /// Restore the archived messages; also once the chat has ended.
    Restore,
}

/// An event that a webhook can receive.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::WebhookEvent")]
pub(super) enum WebhookEvent {
    /// A user wrote to the visitor of a chat. The body is whole: `patientId` (the visitor's `externalId`, or else
    /// their id here), `patientUrl`, `tenantName`, `instanceName` and `message`.
    MessageToVisitor,
    /// Somebody wrote a message, in a chat of any type. The body of this event and of those below holds ids alone:
    /// `type`, `timestamp`, and `data` with `organizationId`, `chatId`, the `sequence` in the chat's log, and what
    /// else it is about; here `messageId`.
    MessageAdded,
    /// A chat of any type began.
    ChatStarted,
    /// A chat is over.
    ChatEnded,
    /// A session was created, changed or moved on; `data` has `chatSessionId` and the `state` that it reached.
    ChatSessionChanged,
}

/// The state of a delivery.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "entity::WebhookDeliveryState")]
pub(super) enum WebhookDeliveryState {
    /// It will be tried, or tried again, at `nextAttemptAt`.
    Pending,
    /// The receiver took it.
    Delivered,
    /// It was given up: after ten attempts, or because the webhook was disabled. Answers 429 and 503 do not use up
    /// attempts during the first day after the first of them.
    Failed,
}
