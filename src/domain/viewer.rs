//! Who a request is made by.

use entity::{ActorId, OrganizationId, RoomId, SignInId, Timestamp, UserRole};

/// What the caller is in their organization. Read from the store, never from the token.
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
    /// What the caller is now.
    pub role: ViewerRole,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// The actor's `auth_version` when this was read.
    pub auth_version: i64,
    /// What the token says of itself; a widget has none, nor has the server.
    pub pass: Option<Pass>,
}

/// What a token says, beside whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// What it has in common with those that it was renewed from and to.
    pub sign_in_id: SignInId,
    /// When the first of them was made.
    pub first_issued_at: Timestamp,
    /// When it was made.
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

/// How the caller's actor stands now, as kept current for open connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The actor may act.
    Active {
        /// In this role.
        role: ViewerRole,
        /// The actor's `auth_version`: when it grows, a connection asks whether its token still holds.
        auth_version: i64,
    },
    /// The actor was deactivated: its connections end.
    Gone,
}
