//! Leases: an actor's presences last while one of their streams is open and its connection is alive.
//!
//! A stream holds a [`Lease`], and a task renews all held leases in a few statements. Renewals are not in a
//! chat's log; `renewals` decides whether subscribers are informed.

use super::{Live, Pulse, lock};
use crate::domain::policy::{self, Verb};
use crate::domain::viewer::Viewer;
use crate::store::connected::{self, Kept};
use entity::{ActorId, ChatId};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The maximum number of actors renewed by one statement.
const CHUNK: usize = 500;
/// The maximum number of users in chats renewed by one statement. Its conditions nest, so the number is low.
const PAIRS: usize = 100;
/// How long the first renewal of a new stream waits, so that others can join it.
const GATHER: Duration = Duration::from_millis(500);
/// How soon leases are renewed again after a failed renewal.
const RETRY: Duration = Duration::from_secs(1);

/// The leases of this node's open streams.
#[derive(Default)]
pub(super) struct Leases(Arc<Inner>);

#[derive(Default)]
struct Inner {
    held: Mutex<HashMap<ActorId, Held>>,
    /// The actors who connected since the last renewal.
    fresh: Mutex<HashSet<ActorId>>,
    came: Notify,
}

#[derive(Default)]
struct Held {
    is_user: bool,
    next: u64,
    streams: HashMap<u64, Stream>,
}

/// The lease of one stream.
struct Stream {
    /// The chat of the presence. Absent for all chats.
    chat_id: Option<ChatId>,
    pulse: Pulse,
}

impl Held {
    fn is_heard(&self) -> bool {
        self.streams.values().any(|stream| stream.pulse.is_beating())
    }

    fn keeps(&self, chat_id: ChatId) -> bool {
        let is_of = |stream: &Stream| stream.chat_id.is_none_or(|kept| kept == chat_id);
        self.streams.values().any(|stream| is_of(stream) && stream.pulse.is_beating())
    }
}

/// Held by a stream while it is open.
pub(super) struct Lease {
    leases: Arc<Inner>,
    actor_id: ActorId,
    id: u64,
}

impl Leases {
    /// Keeps the viewer's presence in one chat alive, or in all chats, while the connection has a pulse.
    pub(super) fn keep(&self, viewer: &Viewer, chat_id: Option<ChatId>, pulse: Pulse) -> Lease {
        let mut held = lock(&self.0.held);
        let of_actor = held.entry(viewer.actor_id).or_default();
        of_actor.is_user = policy::may(viewer.role, Verb::JoinChat).is_ok();
        of_actor.next += 1;
        let id = of_actor.next;
        of_actor.streams.insert(id, Stream { chat_id, pulse });
        drop(held);
        self.renew_soon(viewer.actor_id);
        Lease { leases: Arc::clone(&self.0), actor_id: viewer.actor_id, id }
    }

    fn renew_soon(&self, actor_id: ActorId) {
        lock(&self.0.fresh).insert(actor_id);
        self.0.came.notify_one();
    }

    /// Whether an open stream of this node keeps the user's presence in the chat alive.
    fn keeps(&self, actor_id: ActorId, chat_id: ChatId) -> bool {
        lock(&self.0.held).get(&actor_id).is_some_and(|of_actor| of_actor.keeps(chat_id))
    }

    /// All actors with a live connection.
    fn all(&self) -> Vec<ActorId> {
        lock(&self.0.fresh).clear();
        let held = lock(&self.0.held);
        held.iter().filter(|(_, of_actor)| of_actor.is_heard()).map(|(id, _)| *id).collect()
    }

    fn fresh(&self) -> Vec<ActorId> {
        lock(&self.0.fresh).drain().collect()
    }

    fn kept(&self, actor_ids: &[ActorId]) -> Kept {
        let held = lock(&self.0.held);
        let mut kept = Kept::default();
        for actor_id in actor_ids {
            let Some(of_actor) = held.get(actor_id).filter(|of_actor| of_actor.is_user) else { continue };
            let heard = of_actor.streams.values().filter(|stream| stream.pulse.is_beating());
            let chat_ids: HashSet<Option<ChatId>> = heard.map(|stream| stream.chat_id).collect();
            if chat_ids.contains(&None) {
                kept.everywhere.push(*actor_id);
            } else {
                kept.in_chat.extend(chat_ids.into_iter().flatten().map(|chat_id| (*actor_id, chat_id)));
            }
        }
        kept
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut held = lock(&self.leases.held);
        let Some(of_actor) = held.get_mut(&self.actor_id) else { return };
        of_actor.streams.remove(&self.id);
        if of_actor.streams.is_empty() {
            held.remove(&self.actor_id);
        }
    }
}

impl Live {
    /// Renews all leases three times per TTL, new ones at once, and all of them again soon after a failed
    /// renewal. Never returns.
    pub(super) async fn renew_leases(self) {
        let mut ticks = tokio::time::interval(self.0.outages.round());
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_round = tokio::select! {
                _ = ticks.tick() => true,
                () = tokio::time::sleep(RETRY), if self.0.outages.is_round_due() => true,
                () = self.0.leases.0.came.notified() => {
                    tokio::time::sleep(GATHER).await;
                    false
                }
            };
            let began = Instant::now();
            let leases = &self.0.leases;
            let actor_ids = if is_round { leases.all() } else { leases.fresh() };
            let mut has_failed = false;
            for chunk in actor_ids.chunks(CHUNK) {
                if let Err(error) = self.renew(chunk).await {
                    tracing::warn!(%error, "could not renew leases");
                    has_failed = true;
                }
            }
            if has_failed {
                self.0.outages.note();
            } else if is_round {
                self.0.outages.has_renewed(began);
            }
        }
    }

    /// Whether presences may end now. After an outage of the store, nothing expires until every node has had
    /// time to renew the leases of its open streams.
    #[must_use]
    pub fn may_expire(&self) -> bool {
        self.0.outages.are_over()
    }

    /// Records whether a search for expired presences, which began at this time, reached the store.
    pub fn has_looked(&self, began: Instant, has_answered: bool) {
        self.0.outages.has_looked(began, has_answered);
    }

    /// Whether an open stream of this node keeps the user's presence in the chat alive although its lease has
    /// expired. It is then renewed.
    #[must_use]
    pub fn keeps_alive(&self, user_id: ActorId, chat_id: ChatId) -> bool {
        let is_kept = self.0.leases.keeps(user_id, chat_id);
        if is_kept {
            self.0.leases.renew_soon(user_id);
        }
        is_kept
    }

    async fn renew(&self, actor_ids: &[ActorId]) -> crate::store::Result<()> {
        let store = &self.0.store;
        let now = store.clock().now();
        let mut kept = self.0.leases.kept(actor_ids);
        // A user with many open chats is renewed in several statements.
        let in_chat = std::mem::take(&mut kept.in_chat);
        let expires_at = now.plus(self.0.settings.presence_ttl);
        connected::renew_presences(store, &kept, now, expires_at).await?;
        for in_chat in in_chat.chunks(PAIRS) {
            let kept = Kept { everywhere: Vec::new(), in_chat: in_chat.to_vec() };
            connected::renew_presences(store, &kept, now, expires_at).await?;
        }
        connected::seen(store, actor_ids, now).await
    }
}
