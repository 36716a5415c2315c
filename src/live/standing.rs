//! The access of the actors of open connections: one watched value per actor, kept up to date by this node's
//! own commits, by the bus, and by the sweep.

use super::lock;
use crate::domain::rooms::{Principal, Rooms};
use crate::domain::viewer::{Standing, Viewer};
use entity::{ActorId, actor};
use std::collections::HashMap;
use std::sync::Mutex;
use tokio::sync::watch;

/// The actors that are connected to this node.
#[derive(Default)]
pub(super) struct Standings(Mutex<HashMap<ActorId, Watched>>);

struct Watched {
    sender: watch::Sender<Standing>,
    /// The version of the actor up to which everything is known, their rooms included.
    auth_version: i64,
    rooms: Rooms,
}

impl Standings {
    /// The watched access of a viewer's actor. If the viewer's own data is newer than the stored state, it
    /// replaces it.
    pub(super) fn watch(&self, viewer: &Viewer) -> watch::Receiver<Standing> {
        let mut actors = lock(&self.0);
        let standing = Standing::of_viewer(viewer);
        let watched = actors.entry(viewer.actor_id).or_insert_with(|| Watched {
            sender: watch::Sender::new(standing.clone()),
            auth_version: viewer.auth_version,
            rooms: viewer.rooms.clone(),
        });
        if viewer.auth_version > watched.auth_version {
            watched.auth_version = viewer.auth_version;
            watched.rooms.clone_from(&viewer.rooms);
            watched.set(standing);
        }
        watched.sender.subscribe()
    }

    /// Updates the access from a row of an actor, if the actor is connected here. Their rooms must not have changed.
    /// Returns whether this node missed an earlier change, so that the rooms must be read.
    pub(super) fn update(&self, actor: &actor::Model) -> bool {
        let mut actors = lock(&self.0);
        let Some(watched) = actors.get_mut(&actor.id) else { return false };
        if actor.auth_version <= watched.auth_version {
            return false;
        }
        watched.set(Standing::of(actor, &watched.rooms));
        let follows = actor.auth_version == watched.auth_version + 1;
        if follows {
            watched.auth_version = actor.auth_version;
        }
        !follows
    }

    /// Updates the access from the row and the rooms of an actor, if the actor is connected here.
    pub(super) fn reload(&self, principal: &Principal) {
        let Principal { actor, rooms } = principal;
        if let Some(watched) = lock(&self.0).get_mut(&actor.id)
            && actor.auth_version > watched.auth_version
        {
            watched.auth_version = actor.auth_version;
            watched.rooms.clone_from(rooms);
            watched.set(Standing::of(actor, rooms));
        }
    }

    /// Whether the actor is connected here and their stored access is older than this version.
    pub(super) fn is_behind(&self, actor_id: ActorId, auth_version: i64) -> bool {
        lock(&self.0).get(&actor_id).is_some_and(|watched| watched.auth_version < auth_version)
    }

    /// Forgets disconnected actors and lists connected ones.
    pub(super) fn connected(&self) -> Vec<ActorId> {
        let mut actors = lock(&self.0);
        actors.retain(|_, watched| watched.sender.receiver_count() > 0);
        actors.keys().copied().collect()
    }
}

impl Watched {
    fn set(&self, standing: Standing) {
        self.sender.send_if_modified(|current| {
            let is_new = *current != standing;
            *current = standing;
            is_new
        });
    }
}
