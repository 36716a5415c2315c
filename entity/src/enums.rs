//! The persisted enums. Stored as text under the names that the public API uses.

use sea_orm::{DeriveActiveEnum, EnumIter, Iterable};
use serde::{Deserialize, Serialize};

macro_rules! text_enums {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $($(#[$vdoc])* #[sea_orm(string_value = $text)] $variant,)+
        }

        impl $name {
            /// The name in the store and in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    )+};
}

text_enums! {
    /// The kind of an actor.
    ActorType {
        /// A person who works for the organization.
        User = "USER",
        /// A person the organization serves.
        Visitor = "VISITOR",
        /// A program of the organization.
        ApiClient = "API_CLIENT",
    }

    /// The role of a user.
    UserRole {
        /// Can change the organization.
        Admin = "ADMIN",
        /// Reads all chats of their rooms, and talks with visitors and colleagues.
        Supervisor = "SUPERVISOR",
        /// Talks with visitors and colleagues.
        Operator = "OPERATOR",
    }

    /// The users who can see the chats of a room.
    RoomAccess {
        /// All users.
        Open = "OPEN",
        /// Members of the room and admins.
        Members = "MEMBERS",
    }

    /// The type of a chat.
    ChatType {
        /// A visitor and the organization's people, in a room.
        Visitor = "VISITOR",
        /// Exactly two actors, with one chat per pair.
        Direct = "DIRECT",
        /// Any number of actors.
        Group = "GROUP",
    }

    /// The type of an entry in a chat's history.
    MessageType {
        /// Written by an actor.
        Message = "MESSAGE",
        /// Suggested to a visitor in the name of a user.
        Autosuggest = "AUTOSUGGEST",
        /// A user joined.
        Join = "JOIN",
        /// A user left, or their presence expired.
        Leave = "LEAVE",
        /// A session changed its state.
        Session = "SESSION",
    }

    /// The kind of an attachment.
    AttachmentKind {
        /// An uploaded file.
        File = "FILE",
        /// A web address.
        Link = "LINK",
        /// A person.
        Contact = "CONTACT",
    }

    /// The kind of an event in a chat's log.
    EventKind {
        /// The chat's own fields changed.
        ChatChanged = "CHAT_CHANGED",
        /// Messages were archived or restored; the subject is the newest of them.
        HistoryChanged = "HISTORY_CHANGED",
        /// A message was added.
        MessageAdded = "MESSAGE_ADDED",
        /// A message was edited or deleted.
        MessageChanged = "MESSAGE_CHANGED",
        /// A user joined.
        PresenceAdded = "PRESENCE_ADDED",
        /// A user left or expired.
        PresenceEnded = "PRESENCE_ENDED",
        /// An actor began to participate.
        ParticipationAdded = "PARTICIPATION_ADDED",
        /// A participation changed in a way that everybody in the chat may see.
        ParticipationChanged = "PARTICIPATION_CHANGED",
        /// An actor stopped participating.
        ParticipationEnded = "PARTICIPATION_ENDED",
        /// A session was created.
        SessionAdded = "SESSION_ADDED",
        /// A session's own fields changed, not its state.
        SessionChanged = "SESSION_CHANGED",
        /// A session started to ring.
        SessionStarted = "SESSION_STARTED",
        /// A session was accepted.
        SessionAccepted = "SESSION_ACCEPTED",
        /// A session was rejected.
        SessionRejected = "SESSION_REJECTED",
        /// A session is over.
        SessionFinished = "SESSION_FINISHED",
    }

    /// The audience of an event.
    Audience {
        /// Everybody who sees the chat.
        All = "ALL",
        /// Staff only.
        Staff = "STAFF",
        /// Staff, and those visitors of the chat who are called to the session.
        Called = "CALLED",
    }

    /// The reason why a presence ended.
    PresenceEndReason {
        /// The user left.
        Left = "LEFT",
        /// The lease of the presence expired.
        Expired = "EXPIRED",
        /// The chat ended.
        ChatEnded = "CHAT_ENDED",
        /// The user signed out or was deactivated.
        SignedOut = "SIGNED_OUT",
        /// The user lost access to the chat's room.
        AccessLost = "ACCESS_LOST",
    }

    /// The type of a chat session.
    SessionType {
        /// A remote consultation.
        Telemed = "TELEMED",
    }

    /// The state of a chat session.
    SessionState {
        /// Created, possibly for later.
        Created = "CREATED",
        /// Ringing.
        Started = "STARTED",
        /// Accepted and in progress.
        Accepted = "ACCEPTED",
        Rejected = "REJECTED",
        Finished = "FINISHED",
    }

    /// The outcome of a chat session that is over.
    SessionOutcome {
        /// Accepted, and finished later.
        Completed = "COMPLETED",
        /// Rejected.
        Rejected = "REJECTED",
        /// Finished before it was accepted.
        Cancelled = "CANCELLED",
        /// Nobody answered in time.
        Missed = "MISSED",
    }

    /// The kind of object that a stored `requestId` created.
    RequestKind {
        Chat = "CHAT",
        /// Nothing: an existing chat was resumed.
        ResumedChat = "RESUMED_CHAT",
        Session = "SESSION",
        /// A new widget key of a room. The subject is a fingerprint of the key.
        WidgetKey = "WIDGET_KEY",
        /// A new identity secret of a room. The subject is a fingerprint of the secret.
        IdentitySecret = "IDENTITY_SECRET",
        /// A new signing secret of a webhook. The subject is a fingerprint of the secret.
        SigningSecret = "SIGNING_SECRET",
    }

    /// An event that a webhook can receive.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    WebhookEvent {
        /// A user wrote to the visitor of a chat.
        MessageToVisitor = "MESSAGE_TO_VISITOR",
        /// An actor wrote a message in any chat.
        MessageAdded = "MESSAGE_ADDED",
        /// A chat started.
        ChatStarted = "CHAT_STARTED",
        /// A chat ended.
        ChatEnded = "CHAT_ENDED",
        /// A session was created, or its fields or state changed.
        ChatSessionChanged = "CHAT_SESSION_CHANGED",
    }

    /// The state of a delivery.
    WebhookDeliveryState {
        /// Waiting for the first or the next attempt.
        Pending = "PENDING",
        /// Accepted by the receiver.
        Delivered = "DELIVERED",
        /// Abandoned.
        Failed = "FAILED",
    }
}

impl SessionState {
    /// Whether a session in this state is ringing: it waits for an answer until its time is up.
    #[must_use]
    pub fn is_ringing(self) -> bool {
        match self {
            Self::Started => true,
            Self::Created | Self::Accepted | Self::Rejected | Self::Finished => false,
        }
    }

    /// Whether a session in this state is in progress: it was accepted.
    #[must_use]
    pub fn is_running(self) -> bool {
        match self {
            Self::Accepted => true,
            Self::Created | Self::Started | Self::Rejected | Self::Finished => false,
        }
    }

    /// Whether a session in this state is ringing or in progress. A chat has at most one such session.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.is_ringing() || self.is_running()
    }

    /// Whether a session in this state can still be started.
    #[must_use]
    pub fn is_pending(self) -> bool {
        !self.is_open() && !self.is_over()
    }

    /// Whether the state is final.
    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Self::Rejected | Self::Finished => true,
            Self::Created | Self::Started | Self::Accepted => false,
        }
    }

    /// The states for which a predicate holds, in life-cycle order. For lists in SQL.
    pub fn all(which: impl Fn(Self) -> bool) -> impl Iterator<Item = Self> {
        Self::iter().filter(move |state| which(*state))
    }
}
