//! Use cases: a folder for each noun of the API, a file for each verb. `leaveChat` is `chat/leave.rs`. Each checks the
//! policy and the state, writes, records and commits; none knows about GraphQL or HTTP.

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

/// Everything that actions need; cheap to clone.
#[derive(Clone)]
pub struct Actions(Arc<Inner>);

struct Inner {
    store: Store,
    live: Live,
    clock: Clock,
    secret: Secret,
    lease: Lease,
    /// Networks beside the public internet that webhooks may lead to.
    allowed: Allowed,
    files: Files,
    quotas: Quotas,
    /// Writes run to their end here, whatever becomes of the connection that asked for them.
    tracker: TaskTracker,
}

impl Actions {
    /// Puts the actions on a store.
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

    /// The server's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> bool {
        self.0.store.ping().await.is_ok()
    }

    /// The store, for loaders that read in batches.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }
}
