//! Feeds: the changed chats of each organization that has readers on this node, with their members.
//!
//! One worker turns commits and hints into [`FeedNews`], in the order of their arrival. Each reader then decides
//! in memory what they mean for its list.
//!
//! `known` is used only if other nodes may write. It tracks, for each chat, the events fed so far, without a
//! gap from `from` to the head of its row. A change that does not follow these events is read from the log. If
//! the previous state of the chat is unknown, the change is fed as [`Before::Unknown`]. Every change in the
//! [`KNOWN`] period before a feed opened, and since then, is tracked. A commit to a recently changed chat that
//! is not tracked therefore reveals a lost hint.

use super::feed_job::Job;
use super::lock;
use crate::domain::change::{ParticipationChange, PresenceChange};
use crate::domain::chat_filter::Members;
use crate::domain::event::{Change, Entry, ViewChange};
use crate::store::Store;
use crate::store::own_views::OwnView;
use chrono::TimeDelta;
use entity::{ChatId, OrganizationId, ParticipationId, Timestamp, chat};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{broadcast, mpsc};

/// How far back a new feed tracks changed chats.
pub(super) const KNOWN: TimeDelta = TimeDelta::seconds(120);
/// The maximum number of tracked chats of an organization.
const KNOWN_CHATS: usize = 20_000;
/// The maximum number of queued commits and hints. When the queue is full, readers read their scope again.
const QUEUE: usize = 4_096;

/// The state of a chat before a change.
#[derive(Clone, Debug)]
pub(super) enum Before {
    /// The chat is new.
    New,
    /// The chat was in this state.
    Known(Arc<chat::Model>),
    /// This node does not know.
    Unknown,
}

/// A change of a chat.
#[derive(Debug)]
pub(super) struct FeedNews {
    /// The chat after the change.
    pub(super) chat: Arc<chat::Model>,
    pub(super) before: Before,
    /// The entries of the log, in order.
    pub(super) entries: Vec<Arc<Entry>>,
    /// The current members.
    pub(super) members: Members,
    /// The members before the first of the entries.
    pub(super) members_before: Members,
}

/// A change of an actor's own view of a chat.
#[derive(Debug)]
pub(super) struct FeedView {
    /// The view, and the current chat.
    pub(super) view: OwnView,
    /// The kind of change, if known.
    pub(super) change: Option<ViewChange>,
}

/// An item of a feed's ring.
#[derive(Clone, Debug)]
pub(super) enum FeedHint {
    News(Arc<FeedNews>),
    View(Arc<FeedView>),
    /// Something may be missing: readers must read their scope again.
    Missed,
}

/// All feeds of this node.
pub(super) struct Feeds {
    of_organization: Mutex<HashMap<OrganizationId, Feed>>,
    queue: mpsc::Sender<Job>,
    capacity: usize,
    /// Whether other nodes may write. If so, `known` is kept and the sweep compares it with the store.
    is_shared: bool,
    /// The latest time up to which nothing is missing, apart from [`super::chat::OVERLAP`].
    covered: Mutex<Timestamp>,
}

struct Feed {
    sender: broadcast::Sender<FeedHint>,
    readers: usize,
    known: HashMap<ChatId, Known>,
    /// The change times of own views that were fed recently.
    viewed: HashMap<ParticipationId, Timestamp>,
    is_primed: bool,
}

#[derive(Clone)]
pub(super) struct Known {
    /// The sequence of the first fed event, or the head when tracking began.
    pub(super) from: i64,
    /// The chat after the last fed event.
    pub(super) chat: Arc<chat::Model>,
}

/// A reader's end of a feed.
pub(super) struct FeedSubscription {
    feeds: Arc<Feeds>,
    organization_id: OrganizationId,
    receiver: broadcast::Receiver<FeedHint>,
}

impl Feeds {
    pub(super) fn new(capacity: usize, is_shared: bool, now: Timestamp) -> (Arc<Self>, mpsc::Receiver<Job>) {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let feeds = Self {
            of_organization: Mutex::default(),
            queue,
            capacity: capacity.max(1),
            is_shared,
            covered: Mutex::new(now),
        };
        (Arc::new(feeds), jobs)
    }

    /// Registers a reader of the organization's feed. For the first reader, loads the recent changes.
    pub(super) async fn subscribe(
        self: &Arc<Self>,
        store: &Store,
        organization_id: OrganizationId,
    ) -> crate::store::Result<FeedSubscription> {
        let subscription = {
            let mut feeds = lock(&self.of_organization);
            let feed = feeds.entry(organization_id).or_insert_with(|| Feed {
                sender: broadcast::Sender::new(self.capacity),
                readers: 0,
                known: HashMap::new(),
                viewed: HashMap::new(),
                is_primed: !self.is_shared,
            });
            feed.readers += 1;
            let receiver = feed.sender.subscribe();
            let is_primed = feed.is_primed;
            (FeedSubscription { feeds: Arc::clone(self), organization_id, receiver }, is_primed)
        };
        let (subscription, is_primed) = subscription;
        if !is_primed {
            let since = store.clock().now().minus(KNOWN);
            let chats = crate::store::feed::changed_since(store, &[organization_id], since).await?;
            if let Some(feed) = lock(&self.of_organization).get_mut(&organization_id) {
                for chat in chats {
                    let known = Known { from: chat.last_sequence, chat: Arc::new(chat) };
                    feed.known.entry(known.chat.id).or_insert(known);
                }
                feed.is_primed = true;
            }
        }
        Ok(subscription)
    }

    /// Queues a job for the worker if the organization has readers here.
    pub(super) fn enqueue(&self, job: Job) {
        let feeds = lock(&self.of_organization);
        let Some(feed) = feeds.get(&job.organization_id) else { return };
        if self.queue.try_send(job).is_err() {
            let _ = feed.sender.send(FeedHint::Missed);
        }
    }

    /// The organizations with readers here.
    pub(super) fn organizations(&self) -> Vec<OrganizationId> {
        lock(&self.of_organization).keys().copied().collect()
    }

    pub(super) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Whether the organization's feed has readers here.
    pub(super) fn has_readers(&self, organization_id: OrganizationId) -> bool {
        lock(&self.of_organization).contains_key(&organization_id)
    }

    /// The tracked state of a chat.
    pub(super) fn known(&self, organization_id: OrganizationId, chat_id: ChatId) -> Option<Known> {
        lock(&self.of_organization).get(&organization_id)?.known.get(&chat_id).cloned()
    }

    /// Sends news to the readers, and updates the tracked state.
    pub(super) fn feed(&self, organization_id: OrganizationId, news: FeedNews) {
        let mut feeds = lock(&self.of_organization);
        let Some(feed) = feeds.get_mut(&organization_id) else { return };
        if self.is_shared {
            feed.learn(&news);
        }
        let _ = feed.sender.send(FeedHint::News(Arc::new(news)));
    }

    /// Sends a change of an actor's own view to the readers. Only readers of that actor use it.
    pub(super) fn feed_view(&self, organization_id: OrganizationId, view: FeedView) {
        if let Some(feed) = lock(&self.of_organization).get_mut(&organization_id) {
            if let Some(at) = view.view.participation.viewed_at.filter(|_| self.is_shared) {
                feed.viewed.insert(view.view.participation.id, at);
            }
            let _ = feed.sender.send(FeedHint::View(Arc::new(view)));
        }
    }

    /// Whether this state of an own view, or a newer one, was fed. Also true if there are no readers.
    pub(super) fn has_fed_view(
        &self,
        organization_id: OrganizationId,
        id: ParticipationId,
        at: Timestamp,
    ) -> bool {
        let feeds = lock(&self.of_organization);
        feeds.get(&organization_id).is_none_or(|feed| feed.viewed.get(&id).is_some_and(|fed| *fed >= at))
    }

    /// Makes the readers of an organization read their scopes again.
    pub(super) fn missed(&self, organization_id: OrganizationId) {
        if let Some(feed) = lock(&self.of_organization).get_mut(&organization_id) {
            let _ = feed.sender.send(FeedHint::Missed);
        }
    }

    /// The position of a reader that received a change at `at`.
    pub(super) fn covered(&self, at: Timestamp) -> Timestamp {
        if self.is_shared { at.min(*lock(&self.covered)) } else { at }
    }

    /// Records that a sweep that began at `at` found everything, and forgets old changes.
    pub(super) fn cover(&self, at: Timestamp) {
        *lock(&self.covered) = at;
        let old = at.minus(KNOWN);
        let mut feeds = lock(&self.of_organization);
        for feed in feeds.values_mut() {
            feed.known.retain(|_, known| known.chat.logged_at >= old);
            feed.viewed.retain(|_, at| *at >= old);
        }
    }

    /// The start time of the latest complete sweep.
    pub(super) fn covered_at(&self) -> Timestamp {
        *lock(&self.covered)
    }
}

impl Feed {
    fn learn(&mut self, news: &FeedNews) {
        if self.known.len() >= KNOWN_CHATS {
            self.known.clear();
            let _ = self.sender.send(FeedHint::Missed);
        }
        let first = news.entries.first().map_or(news.chat.last_sequence, |entry| entry.event.sequence);
        let known = self
            .known
            .entry(news.chat.id)
            .or_insert_with(|| Known { from: first, chat: Arc::clone(&news.chat) });
        known.from = known.from.min(first);
        if news.chat.last_sequence >= known.chat.last_sequence {
            known.chat = Arc::clone(&news.chat);
        }
    }
}

impl FeedSubscription {
    pub(super) async fn next(&mut self) -> Result<FeedHint, broadcast::error::RecvError> {
        self.receiver.recv().await
    }
}

impl Drop for FeedSubscription {
    fn drop(&mut self) {
        let mut feeds = lock(&self.feeds.of_organization);
        if let Some(feed) = feeds.get_mut(&self.organization_id) {
            feed.readers -= 1;
            if feed.readers == 0 {
                feeds.remove(&self.organization_id);
            }
        }
    }
}

/// Applies an entry to the members of a chat.
pub(super) fn redo(members: &mut Members, entry: &Entry) {
    step(members, entry, true);
}

/// Reverts an entry from the members of a chat.
pub(super) fn undo(members: &mut Members, entry: &Entry) {
    step(members, entry, false);
}

fn step(members: &mut Members, entry: &Entry, forwards: bool) {
    let (list, actor_id, comes) = match &entry.event.change {
        Change::Participation(change, row) => {
            members.set_hidden(row.actor_id, row.hidden_sequence);
            let comes = match change {
                ParticipationChange::Added => true,
                ParticipationChange::Ended => false,
                ParticipationChange::Changed => return,
            };
            (&mut members.participants, row.actor_id, comes)
        }
        Change::Presence(change, row) => {
            let comes = match change {
                PresenceChange::Added => true,
                PresenceChange::Ended => false,
            };
            (&mut members.present_users, row.user_id, comes)
        }
        Change::Chat | Change::History { .. } | Change::Message(..) | Change::Session(..) => return,
    };
    list.retain(|other| *other != actor_id);
    if comes == forwards {
        list.push(actor_id);
    }
}
