//! What may be done: one async function a verb. Each asks the policy, asks the machine, writes, records and
//! commits; none knows how it was asked for.

mod archive;
mod attachments;
mod batches;
mod carts;
mod chats;
mod deletion;
mod edits;
mod ending;
mod error;
mod history;
mod identity;
mod jws;
mod jwt_hmac;
mod leaving;
mod messages;
mod organizations;
mod own_views;
mod participants;
mod people;
mod presences;
mod reactions;
mod reading;
mod requests;
mod rotations;
mod search;
mod sessions;
mod sign_ins;
mod sign_outs;
mod starting;
mod suggesting;
mod tagging;
mod tokens;
mod uploads;
mod webhooks;
mod write;

pub use crate::store::chats::ListedChats;
pub use crate::store::own_views::{ListedParticipations, ParticipationOrder, ParticipationOrderField};
pub use crate::store::sessions::{SessionFilter, SessionOrder, SessionOrderField};
pub use batches::{MessageFilter, PageOfEach};
pub use carts::{CartsOf, UpsertCart};
pub use chats::{CreateChat, CreatedChat, UpdateChat};
pub use edits::EditMessage;
pub use error::{AuthFailure, Error, Result};
pub use leaving::LeftChat;
pub use messages::{MarkRead, SendMessage, SentMessage};
pub use organizations::{CreateRoom, NewOrganization, UpdateOrganization, UpdateRoom};
pub use own_views::{UpdateParticipation, UpdatedParticipation};
pub use participants::{AddParticipants, AddedParticipants, RemoveParticipant, RemovedParticipant};
pub use people::{CreateUser, UpdateUser, UpsertVisitor};
pub use presences::{JoinChat, JoinedChat, Lease};
pub use reactions::React;
pub use rotations::{RoomSecret, Rotated};
pub use search::{Found, SearchIn};
pub use sessions::{CreateSession, MoveSession, SessionPlace, UpdateSession};
pub use sign_ins::{SignInVisitor, SignedIn};
pub use starting::{Start, StartChat, StartedChat};
pub use tokens::{IssueToken, IssuedToken, Secret, TokenSubject};
pub use uploads::{Announced, CreateUpload, GrantedUpload, NotTaken, Quotas};
pub use webhooks::{CreateWebhook, UpdateWebhook};

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
        jwt_hmac::install();
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
