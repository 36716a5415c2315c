//! The viewer: the actor who makes a request.

use entity::{ActorId, OrganizationId, RoomId, SignInId, Timestamp, UserRole};

/// The role of the caller in their organization. Read from the store, never from the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewerRole {
    /// A user who may change the organization itself.
    Admin,
    /// A user who talks with visitors and colleagues.
    Operator,
    /// A person the organization serves.
    Visitor,
    /// A program of the organization.
    ApiClient,
    /// A page of a room's site: nobody yet, it may only sign a visitor in.
    Widget,
}

impl ViewerRole {
    /// Whether the caller is a user of the organization.
    #[must_use]
    pub fn is_user(self) -> bool {
        match self {
            Self::Admin | Self::Operator => true,
            Self::Visitor | Self::ApiClient | Self::Widget => false,
        }
    }

    /// Whether the caller may see what visitors may not: colleagues' names, notes, who is in a queue.
    #[must_use]
    pub fn is_staff(self) -> bool {
        match self {
            Self::Admin | Self::Operator | Self::ApiClient => true,
            Self::Visitor | Self::Widget => false,
        }
    }
}

impl From<UserRole> for ViewerRole {
    fn from(role: UserRole) -> Self {
        match role {
            UserRole::Admin => Self::Admin,
            UserRole::Operator => Self::Operator,
        }
    }
}

/// The authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The organization that bounds everything the caller can see.
    pub organization_id: OrganizationId,
    /// The row of the caller: a user, a visitor or an API client. A widget is nobody: it has its room's id here.
    pub actor_id: ActorId,
    /// The current role of the caller.
    pub role: ViewerRole,
    /// The expiry time of the token.
    pub expires_at: Timestamp,
    /// The actor's `auth_version` when this was read.
    pub auth_version: i64,
    /// The token's own data. A widget key and the server have none.
    pub pass: Option<Pass>,
}

/// The data of a token, besides its actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The id of the sign-in, shared by all tokens that were renewed from one another.
    pub sign_in_id: SignInId,
    /// The time at which the first of them was issued.
    pub first_issued_at: Timestamp,
    /// The time at which this token was issued.
    pub issued_at: Timestamp,
    /// The actor's `token_generation` when it was made.
    pub generation: i64,
}

impl Viewer {
    /// The room whose widget this is.
    #[must_use]
    pub fn widget_room(&self) -> Option<RoomId> {
        (self.role == ViewerRole::Widget).then_some(RoomId(self.actor_id.0))
    }
}

/// The current access of the caller's actor, kept up to date for open connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The actor may act.
    Active {
        /// The current role.
        role: ViewerRole,
        /// The actor's `auth_version`: when it grows, a connection asks whether its token still holds.
        auth_version: i64,
    },
    /// The actor was deactivated: its connections end.
    Gone,
}
