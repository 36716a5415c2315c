//! The authenticated caller of a request. Only this module derives roles from rows; `domain::policy` makes
//! decisions based on them.

use super::rooms::{Principal, Rooms};
use entity::{ActorId, ActorType, OrganizationId, RoomId, SignInId, Timestamp, UserRole, actor, room};

/// The role of the caller in their organization. Read from the store, never from the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewerRole {
    /// A user who can change the organization.
    Admin,
    /// A user who reads all chats of their rooms, and talks with visitors and colleagues.
    Supervisor,
    /// A user who talks with visitors and colleagues.
    Operator,
    /// A person the organization serves.
    Visitor,
    /// A program of the organization.
    ApiClient,
    /// A page of a room's site, which represents no actor yet. It can only sign a visitor in.
    Widget,
}

impl ViewerRole {
    /// The role of an actor. `None` for a user without one.
    fn of(actor: &actor::Model) -> Option<Self> {
        match (actor.actor_type, actor.role) {
            (ActorType::User, Some(UserRole::Admin)) => Some(Self::Admin),
            (ActorType::User, Some(UserRole::Supervisor)) => Some(Self::Supervisor),
            (ActorType::User, Some(UserRole::Operator)) => Some(Self::Operator),
            (ActorType::User, None) => None,
            (ActorType::Visitor, _) => Some(Self::Visitor),
            (ActorType::ApiClient, _) => Some(Self::ApiClient),
        }
    }
}

/// The authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The organization that bounds everything the caller can see.
    pub organization_id: OrganizationId,
    /// The id of the caller's row: a user, a visitor or an API client. For a widget, the id of its room.
    pub actor_id: ActorId,
    /// The current role of the caller.
    pub role: ViewerRole,
    /// The rooms that decide which chats with visitors the caller sees.
    pub rooms: Rooms,
    /// The time at which those rooms last changed.
    pub access_changed_at: Timestamp,
    /// The expiry time of the token.
    pub expires_at: Timestamp,
    /// The actor's `auth_version` when the viewer was read.
    pub auth_version: i64,
    /// The token's data. Absent for a widget key and for the server itself.
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
    /// The actor's `token_generation` when the token was issued.
    pub generation: i64,
}

impl Viewer {
    /// The actor as a caller. `None` for a user without a role.
    #[must_use]
    pub fn of(principal: &Principal, expires_at: Timestamp, pass: Option<Pass>) -> Option<Self> {
        let Principal { actor, rooms } = principal;
        Some(Self {
            organization_id: actor.organization_id,
            actor_id: actor.id,
            role: ViewerRole::of(actor)?,
            rooms: rooms.clone(),
            access_changed_at: actor.access_changed_at,
            expires_at,
            auth_version: actor.auth_version,
            pass,
        })
    }

    /// The widget of a room as a caller.
    #[must_use]
    pub fn widget(room: &room::Model) -> Self {
        Self {
            organization_id: room.organization_id,
            actor_id: ActorId(room.id.0),
            role: ViewerRole::Widget,
            rooms: Rooms::default(),
            access_changed_at: Timestamp(0),
            expires_at: Timestamp(i64::MAX),
            auth_version: 0,
            pass: None,
        }
    }

    /// Whether the caller has this role and these rooms.
    #[must_use]
    pub fn stands(&self, standing: &Standing) -> bool {
        match standing {
            Standing::Active { role, rooms, .. } => *role == self.role && *rooms == self.rooms,
            Standing::Gone => false,
        }
    }

    /// Takes over the caller's current access. `false` if they may not act anymore.
    pub fn stand(&mut self, standing: &Standing) -> bool {
        match standing {
            Standing::Active { role, rooms, access_changed_at, auth_version: _ } => {
                self.role = *role;
                self.rooms.clone_from(rooms);
                self.access_changed_at = *access_changed_at;
                true
            }
            Standing::Gone => false,
        }
    }

    /// The room whose widget this is.
    #[must_use]
    pub fn widget_room(&self) -> Option<RoomId> {
        (self.role == ViewerRole::Widget).then_some(RoomId(self.actor_id.0))
    }
}

/// The current access of the caller's actor, kept up to date for open connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The actor can act.
    Active {
        /// The current role.
        role: ViewerRole,
        /// The current rooms.
        rooms: Rooms,
        /// The time at which those rooms last changed.
        access_changed_at: Timestamp,
        /// The actor's `auth_version`. When it increases, connections check whether their token is still
        /// valid.
        auth_version: i64,
    },
    /// The actor was deactivated. Their connections are closed.
    Gone,
}

impl Standing {
    /// The current access of a caller who was just authenticated.
    #[must_use]
    pub fn of_viewer(viewer: &Viewer) -> Self {
        Self::Active {
            role: viewer.role,
            rooms: viewer.rooms.clone(),
            access_changed_at: viewer.access_changed_at,
            auth_version: viewer.auth_version,
        }
    }

    /// The standing of an actor with these rooms.
    #[must_use]
    pub fn of(actor: &actor::Model, rooms: &Rooms) -> Self {
        match ViewerRole::of(actor) {
            Some(role) if actor.deactivated_at.is_none() => Self::Active {
                role,
                rooms: rooms.clone(),
                access_changed_at: actor.access_changed_at,
                auth_version: actor.auth_version,
            },
            Some(_) | None => Self::Gone,
        }
    }
}
