//! Feeds: for each organization with readers here, what changed in which chat and who is in it.
//!
//! One worker turns commits and hints into news, in the order in which they came; each reader then decides
//! in memory what that means for it.
//!
//! Where other nodes may write (`known` is kept only there): a chat is known by the events that were fed,
//! without a gap from `from` to the head of its row. News that do not follow on what is known are read from
//! the log, and where nobody can say how the chat was before, the news says so. Everything that changed in
//! the last [`KNOWN`] before a feed opened, and since, is known; so a commit whose chat changed lately
//! without our knowing shows that a hint was lost.

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

/// How far back chats are known.
pub(super) const KNOWN: TimeDelta = TimeDelta::seconds(120);
/// Known chats of an organization at most.
const KNOWN_CHATS: usize = 20_000;
/// Commits and hints that wait for the worker at most; beyond, readers re-read their place.
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
    /// The chat after it.
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
    /// The view, and the chat as it now stands.
    pub(super) view: OwnView,
    /// The kind of change, where it is known.
    pub(super) change: Option<ViewChange>,
}

/// What a feed's ring holds.
#[derive(Clone, Debug)]
pub(super) enum FeedHint {
    News(Arc<FeedNews>),
    View(Arc<FeedView>),
    /// Something may be missing: the place has to be read.
    Missed,
}

/// All feeds of this node.
pub(super) struct Feeds {
    of_organization: Mutex<HashMap<OrganizationId, Feed>>,
    queue: mpsc::Sender<Job>,
    capacity: usize,
    /// Whether other nodes may write: what is known is then kept, and the sweep compares.
    is_shared: bool,
    /// The newest moment before which, but for [`super::chat::OVERLAP`], nothing is missing.
    covered: Mutex<Timestamp>,
}

struct Feed {
    sender: broadcast::Sender<FeedHint>,
    readers: usize,
    known: HashMap<ChatId, Known>,
    /// When each own view that was fed lately was changed.
    viewed: HashMap<ParticipationId, Timestamp>,
    is_primed: bool,
}

#[derive(Clone)]
pub(super) struct Known {
    /// The first event that was fed, or the head when the chat became known.
    pub(super) from: i64,
    /// The chat after the last one.
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

    /// Registers a reader of the organization's feed; where it is the first, learns what changed lately.
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

    /// Takes a job for the worker, where the organization has readers here.
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

    /// Whether anybody reads the organization's feed here.
    pub(super) fn has_readers(&self, organization_id: OrganizationId) -> bool {
        lock(&self.of_organization).contains_key(&organization_id)
    }

    /// What is known of a chat.
    pub(super) fn known(&self, organization_id: OrganizationId, chat_id: ChatId) -> Option<Known> {
        lock(&self.of_organization).get(&organization_id)?.known.get(&chat_id).cloned()
    }

    /// Tells the readers, and remembers what they were told.
    pub(super) fn feed(&self, organization_id: OrganizationId, news: FeedNews) {
        let mut feeds = lock(&self.of_organization);
        let Some(feed) = feeds.get_mut(&organization_id) else { return };
        if self.is_shared {
            feed.learn(&news);
        }
        let _ = feed.sender.send(FeedHint::News(Arc::new(news)));
    }

    /// Tells the readers that an actor's own view of a chat changed: those of that actor listen.
    pub(super) fn feed_view(&self, organization_id: OrganizationId, view: FeedView) {
        if let Some(feed) = lock(&self.of_organization).get_mut(&organization_id) {
            if let Some(at) = view.view.participation.viewed_at.filter(|_| self.is_shared) {
                feed.viewed.insert(view.view.participation.id, at);
            }
            let _ = feed.sender.send(FeedHint::View(Arc::new(view)));
        }
    }

    /// Whether this state of an own view, or a newer one, was fed; or nobody reads here.
    pub(super) fn has_fed_view(
        &self,
        organization_id: OrganizationId,
        id: ParticipationId,
        at: Timestamp,
    ) -> bool {
        let feeds = lock(&self.of_organization);
        feeds.get(&organization_id).is_none_or(|feed| feed.viewed.get(&id).is_some_and(|fed| *fed >= at))
    }

    /// Tells the readers of an organization to read their places.
    pub(super) fn missed(&self, organization_id: OrganizationId) {
        if let Some(feed) = lock(&self.of_organization).get_mut(&organization_id) {
            let _ = feed.sender.send(FeedHint::Missed);
        }
    }

    /// The moment that a reader who was told of a change at `at` can be said to stand at.
    pub(super) fn covered(&self, at: Timestamp) -> Timestamp {
        if self.is_shared { at.min(*lock(&self.covered)) } else { at }
    }

    /// Notes that a sweep begun at `at` found everything, and forgets what changed long ago.
    pub(super) fn cover(&self, at: Timestamp) {
        *lock(&self.covered) = at;
        let old = at.minus(KNOWN);
        let mut feeds = lock(&self.of_organization);
        for feed in feeds.values_mut() {
            feed.known.retain(|_, known| known.chat.logged_at >= old);
            feed.viewed.retain(|_, at| *at >= old);
        }
    }

    /// The newest moment of a whole sweep.
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

/// Who is in a chat after an entry, given who was before it.
pub(super) fn redo(members: &mut Members, entry: &Entry) {
    step(members, entry, true);
}

/// Who was in a chat before an entry, given who is after it.
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
