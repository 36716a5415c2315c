//! Leases: as long as somebody's stream is open, they are heard from.
//!
//! A stream holds a [`Lease`]; a task renews what all of them hold in a few statements. No event, no
//! sequence: a renewed lease is no news.

use super::{Live, lock};
use crate::domain::viewer::Viewer;
use crate::store::connected::{self, Kept};
use entity::{ActorId, ChatId};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Actors that one statement renews.
const CHUNK: usize = 500;
/// Users in chats renewed in one statement: its conditions lie within each other, so they are few.
const PAIRS: usize = 100;
/// How long the first renewal of a new stream waits for others to come with it.
const GATHER: Duration = Duration::from_millis(500);

/// What the open streams of this node keep alive.
#[derive(Default)]
pub(super) struct Leases(Arc<Inner>);

#[derive(Default)]
struct Inner {
    held: Mutex<HashMap<ActorId, Held>>,
    /// Who came since the last renewal.
    fresh: Mutex<HashSet<ActorId>>,
    came: Notify,
}

#[derive(Default)]
struct Held {
    is_user: bool,
    everywhere: usize,
    chats: HashMap<ChatId, usize>,
}

/// Held by a stream for as long as it is open.
pub(super) struct Lease {
    leases: Arc<Inner>,
    actor_id: ActorId,
    chat_id: Option<ChatId>,
}

impl Leases {
    /// Keeps the viewer's presence in one chat alive, or all of them.
    pub(super) fn keep(&self, viewer: &Viewer, chat_id: Option<ChatId>) -> Lease {
        let mut held = lock(&self.0.held);
        let of_actor = held.entry(viewer.actor_id).or_default();
        of_actor.is_user = viewer.role.is_user();
        match chat_id {
            Some(chat_id) => *of_actor.chats.entry(chat_id).or_default() += 1,
            None => of_actor.everywhere += 1,
        }
        drop(held);
        lock(&self.0.fresh).insert(viewer.actor_id);
        self.0.came.notify_one();
        Lease { leases: Arc::clone(&self.0), actor_id: viewer.actor_id, chat_id }
    }

    fn all(&self) -> Vec<ActorId> {
        lock(&self.0.fresh).clear();
        lock(&self.0.held).keys().copied().collect()
    }

    fn fresh(&self) -> Vec<ActorId> {
        lock(&self.0.fresh).drain().collect()
    }

    fn kept(&self, actor_ids: &[ActorId]) -> Kept {
        let held = lock(&self.0.held);
        let mut kept = Kept::default();
        for actor_id in actor_ids {
            let Some(of_actor) = held.get(actor_id).filter(|of_actor| of_actor.is_user) else { continue };
            if of_actor.everywhere > 0 {
                kept.everywhere.push(*actor_id);
            } else {
                kept.in_chat.extend(of_actor.chats.keys().map(|chat_id| (*actor_id, *chat_id)));
            }
        }
        kept
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut held = lock(&self.leases.held);
        let Some(of_actor) = held.get_mut(&self.actor_id) else { return };
        match self.chat_id {
            None => of_actor.everywhere -= 1,
            Some(chat_id) => {
                if let Some(count) = of_actor.chats.get_mut(&chat_id) {
                    *count -= 1;
                    if *count == 0 {
                        of_actor.chats.remove(&chat_id);
                    }
                }
            }
        }
        if of_actor.everywhere == 0 && of_actor.chats.is_empty() {
            held.remove(&self.actor_id);
        }
    }
}

impl Live {
    /// Renews all leases three times in their life, and new ones at once. Never ends.
    pub(super) async fn renew_leases(self) {
        let period = self.0.settings.presence_ttl.to_std().unwrap_or(Duration::from_mins(1)) / 3;
        let mut ticks = tokio::time::interval(period.max(Duration::from_millis(100)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let actor_ids = tokio::select! {
                _ = ticks.tick() => self.0.leases.all(),
                () = self.0.leases.0.came.notified() => {
                    tokio::time::sleep(GATHER).await;
                    self.0.leases.fresh()
                }
            };
            for chunk in actor_ids.chunks(CHUNK) {
                if let Err(error) = self.renew(chunk).await {
                    tracing::warn!(%error, "leases could not be renewed");
                }
            }
        }
    }

    async fn renew(&self, actor_ids: &[ActorId]) -> crate::store::Result<()> {
        let store = &self.0.store;
        let now = store.clock().now();
        let mut kept = self.0.leases.kept(actor_ids);
        // Somebody with very many chats on their screen is renewed in as many statements as it takes.
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
