//! Limits on the open sockets and event streams of each actor, and the choice of the one to close.
//!
//! A new connection replaces one whose client has gone: a laptop that wakes up reconnects before the server
//! has noticed that its old connections are dead. Counted on this node only.

use super::connections::{Hold, Link};
use super::limits::Limits;
use crate::domain::policy;
use crate::domain::viewer::Viewer;
use crate::live::Pulse;
use entity::ActorId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a connection may take to answer when it is checked.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// The interval of checking for answers.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How much longer a pong may take.
const PONG_WITHIN: Duration = Duration::from_secs(1);

/// The means to check whether an open connection is alive, and to close it.
#[derive(Clone)]
pub(super) struct Contact {
    link: Link,
    /// The time at which something was last received on it.
    pub pulse: Pulse,
    ask: Arc<Notify>,
    /// Whether it answers pings.
    answers: bool,
}

impl Contact {
    /// A socket, which can be pinged.
    pub(super) fn socket(link: Link, limits: &Limits) -> Self {
        let pulse = Pulse::within(limits.ping_every + PONG_WITHIN);
        Self { link, pulse, ask: Arc::default(), answers: true }
    }

    /// An event stream, on which only the server sends.
    pub(super) fn event_stream(link: Link) -> Self {
        Self { link, pulse: Pulse::steady(), ask: Arc::default(), answers: false }
    }

    /// Waits until an extra ping is requested.
    pub(super) async fn is_asked(&self) {
        self.ask.notified().await;
    }

    /// Whether the peer does not read.
    pub(super) fn is_blocked(&self) -> bool {
        self.link.is_blocked()
    }

    /// Closes the connection at once, even if the peer does not read.
    pub(super) fn cut(&self) {
        self.link.cut();
    }
}

/// The open streams of this node.
#[derive(Default)]
pub(super) struct OpenStreams(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    next: u64,
    of_actor: HashMap<ActorId, HashMap<u64, Contact>>,
}

/// An open stream. No longer counted when dropped.
pub(super) struct OpenStream {
    all: Arc<OpenStreams>,
    actor_id: ActorId,
    id: u64,
    _hold: Hold,
}

impl OpenStreams {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts another stream of the actor. If there are too many, checks them and closes the one that has
    /// been silent for the longest time. `None` if all of them are alive.
    pub(super) async fn open(self: &Arc<Self>, viewer: &Viewer, contact: &Contact) -> Option<OpenStream> {
        if let Some(stream) = self.try_open(viewer, contact) {
            return Some(stream);
        }
        self.make_room(viewer.actor_id).await;
        self.try_open(viewer, contact)
    }

    fn try_open(self: &Arc<Self>, viewer: &Viewer, contact: &Contact) -> Option<OpenStream> {
        let (actor_id, limit) = (viewer.actor_id, policy::allowance(viewer).open_streams);
        let mut inner = self.lock();
        if inner.of_actor.get(&actor_id).map_or(0, HashMap::len) >= limit {
            return None;
        }
        inner.next += 1;
        let id = inner.next;
        inner.of_actor.entry(actor_id).or_default().insert(id, contact.clone());
        Some(OpenStream { all: Arc::clone(self), actor_id, id, _hold: contact.link.hold() })
    }

    async fn make_room(&self, actor_id: ActorId) {
        let asked = Instant::now();
        let open: Vec<_> = self.of(actor_id);
        for (_, contact) in &open {
            contact.ask.notify_one();
        }
        let is_silent = |contact: &Contact| {
            if contact.answers {
                contact.pulse.silent_for() > asked.elapsed()
            } else {
                contact.link.is_blocked()
            }
        };
        loop {
            let silent: Vec<_> = open.iter().filter(|(_, contact)| is_silent(contact)).collect();
            let Some((id, contact)) = silent.iter().max_by_key(|(_, contact)| contact.pulse.silent_for())
            else {
                return;
            };
            if asked.elapsed() > ANSWER_WITHIN {
                tracing::debug!(%actor_id, "closed a silent connection in favor of a new one");
                self.forget(actor_id, *id);
                contact.cut();
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn of(&self, actor_id: ActorId) -> Vec<(u64, Contact)> {
        let inner = self.lock();
        let open = inner.of_actor.get(&actor_id);
        open.map(|open| open.iter().map(|(id, contact)| (*id, contact.clone())).collect()).unwrap_or_default()
    }

    fn forget(&self, actor_id: ActorId, id: u64) {
        let mut inner = self.lock();
        if let Some(open) = inner.of_actor.get_mut(&actor_id) {
            open.remove(&id);
            if open.is_empty() {
                inner.of_actor.remove(&actor_id);
            }
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.all.forget(self.actor_id, self.id);
    }
}
