//! Use cases: one folder per noun of the API, one file per verb. `leaveChat` is `chat/leave.rs`. Each checks
//! permissions and state, writes, records events and commits. None depends on GraphQL or HTTP.

mod actor;
mod attachment;
mod cart;
mod chat;
mod due;
mod error;
mod history;
mod message;
mod organization;
mod pages;
mod participation;
mod presence;
mod random;
mod requests;
mod room;
mod rotation;
mod session;
mod sign_in;
mod token;
mod webhook;
mod write;

pub use crate::store::chats::ListedChats;
pub use crate::store::own_views::{ListedParticipations, ParticipationOrder, ParticipationOrderField};
pub use crate::store::sessions::{ListedSessions, SessionFilter, SessionOrder, SessionOrderField};
pub use actor::{CreateUser, UpdateUser, UpsertVisitor};
pub use attachment::{Announced, CreateUpload, GrantedUpload, NotTaken, Quotas};
pub use cart::{CartsOf, UpsertCart};
pub use chat::{CreateChat, CreatedChat, LeftChat, Start, StartChat, StartedChat, UpdateChat};
pub use error::{AuthFailure, Error, Result};
pub use message::{EditMessage, Found, MarkRead, MessageFilter, React, SearchIn, SendMessage, SentMessage};
pub use organization::{NewOrganization, UpdateOrganization};
pub use pages::PageOfEach;
pub use participation::{
    AddParticipants, AddedParticipants, RemoveParticipant, RemovedParticipant, UpdateParticipation,
    UpdatedParticipation,
};
pub use presence::{JoinChat, JoinedChat, Lease};
pub use room::{AddRoomMembers, CreateRoom, RemoveRoomMembers, RoomSecret, UpdateRoom};
pub use rotation::Rotated;
pub use session::{CreateSession, MoveSession, SessionPlace, UpdateSession};
pub use sign_in::{SignInVisitor, SignedIn};
pub use token::{IssueToken, IssuedToken, Secret, TokenSubject};
pub use webhook::{CreateWebhook, UpdateWebhook};

use crate::clock::Clock;
use crate::delivery::Allowed;
use crate::files::Files;
use crate::live::Live;
use crate::store::Store;
use entity::Timestamp;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// Everything that actions need. Cheap to clone.
#[derive(Clone)]
pub struct Actions(Arc<Inner>);

struct Inner {
    store: Store,
    live: Live,
    clock: Clock,
    secret: Secret,
    lease: Lease,
    /// The networks besides the public internet to which webhooks may be sent.
    allowed: Allowed,
    files: Files,
    quotas: Quotas,
    /// Runs writes to their end, even if the client's connection is lost.
    tracker: TaskTracker,
}

impl Actions {
    /// Creates the actions of a store.
    #[must_use]
    pub fn new(
        store: Store,
        live: Live,
        secret: Secret,
        lease: Lease,
        allowed: Allowed,
        (files, quotas): (Files, Quotas),
        tracker: TaskTracker,
    ) -> Self {
        token::jwt_hmac::install();
        let clock = store.clock().clone();
        Self(Arc::new(Inner { store, live, clock, secret, lease, allowed, files, quotas, tracker }))
    }

    /// The server's current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Whether the database responds.
    pub async fn ready(&self) -> bool {
        self.0.store.ping().await.is_ok()
    }

    /// The store, for loaders that read in batches.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }
}
