//! Live updates: from a commit to its subscribers, on this node and on others.
//!
//! A commit is passed to the hub of this node and to the bus. A reader registers with the hub, reads the log
//! after its cursor, then continues live. It reads missed entries again from the log, and a sweep finds
//! entries that were never announced. The log is the source of truth; everything else only tells readers when
//! to read it.
//!
//! - `hub`, `reader`, `chat`: one chat's log, exactly once and in order.
//! - `feed`, `feed_worker`, `feed_reader`, `changes`, `viewer`: an organization's chats, as state.
//! - `bus`, `remote`, `sweep`: other nodes, and lost hints.
//! - `standing`, `lease`, `pulse`, `outage`, `renewals`, `typing`: connected actors, presences and typing
//!   indicators.
//! - `staffing`: rooms in which a user is online to answer.
//! - `turns`, `shared`: limits on concurrent reads by streams, and shared reads.
//!
//! A stream ends when the viewer loses access to its subject. It does not end when the server shuts down or
//! when the viewer is deactivated: then the transport closes the connection with a code that tells the client
//! what to do.

mod bus;
mod changes;
mod chat;
mod cursor;
mod feed;
mod feed_job;
mod feed_reader;
mod feed_worker;
mod hub;
mod item;
mod lease;
mod outage;
mod pulse;
mod reader;
mod remote;
mod renewals;
mod scopes;
mod shared;
mod staffing;
mod standing;
mod sweep;
#[cfg(test)]
mod tests;
mod turns;
mod typing;
mod viewer;

pub use bus::{Bus, BusError};
pub use cursor::{CursorError, Cursors, ScopeHash};
pub use item::{
    ChangeAction, ChatChange, ChatItem, ChatScope, LiveError, MessageItem, PresenceItem, ResetReason,
    RoomItem, SessionItem, ViewerChange, ViewerItem,
};
pub use turns::Turn;

pub use pulse::Pulse;

use crate::domain::change::{MessageChange, ParticipationChange, PresenceChange};
use crate::domain::event::{Change, Entry, News, Signal, ViewChange};
use crate::domain::viewer::{Standing, Viewer};
use crate::store::{Engine, Opened, Publish, Store};
use bus::{Link, Message};
use chrono::TimeDelta;
use entity::{ActorId, ChatId, MessageType, Timestamp, presence};
use feed::Feeds;
use feed_job::{Job, What};
use hub::Hub;
use lease::Leases;
use outage::Outages;
use reader::{MessageReads, Reads};
use remote::Heard;
use renewals::Renewals;
use staffing::Staffing;
use standing::Standings;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use turns::Turns;
use typing::{Told, Typing};

/// The live updates of this node. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    store: Store,
    cursors: Cursors,
    settings: Settings,
    hub: Arc<Hub>,
    feeds: Arc<Feeds>,
    standings: Standings,
    staffing: Staffing,
    leases: Leases,
    renewals: Renewals,
    outages: Outages,
    typing: Typing,
    heard: Heard,
    turns: Turns,
    reads: Reads,
    message_reads: MessageReads,
    link: Link,
}

/// The settings of live updates.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The number of hints that an organization's feed keeps for its slowest reader. A chat keeps a quarter.
    /// Slower readers read the store.
    pub hub_capacity: usize,
    /// How often the positions of readers are compared with the store: the maximum delay that a lost hint
    /// causes.
    pub sweep: Duration,
    /// How long a presence lasts after its user's last activity.
    pub presence_ttl: TimeDelta,
    /// The size of the database's connection pool. Ignored on SQLite.
    pub connections: u32,
    /// How long a stream may take to start, including the wait in the queue and for the database.
    pub start_within: Duration,
}

/// The divisor of a chat's ring size. It is smaller than a feed's, because there is one for each open chat
/// and it is allocated at once.
const TOPIC_SHARE: usize = 4;

impl Default for Settings {
    fn default() -> Self {
        Self {
            hub_capacity: 256,
            sweep: Duration::from_secs(2),
            presence_ttl: TimeDelta::seconds(60),
            connections: 20,
            start_within: Duration::from_secs(20),
        }
    }
}

impl Live {
    /// Opens a store on the database and publishes its commits. Its tasks run on the tracker and end on
    /// shutdown.
    #[must_use]
    pub fn new(
        database: Opened,
        cursors: Cursors,
        bus: Bus,
        settings: Settings,
        tracker: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        let tasks = Tasks { tracker, shutdown };
        let is_shared = bus.is_there() || database.engine() == Engine::Postgres;
        let node = (database.epoch(), database.clock().new_id());
        let (feeds, jobs) = Feeds::new(settings.hub_capacity, is_shared, database.clock().now());
        let live = Self(Arc::new_cyclic(|live| {
            let hearing = Weak::clone(live);
            let hear = move |node, message| {
                if let Some(inner) = hearing.upgrade() {
                    Self(inner).hear(node, message);
                }
            };
            Inner {
                hub: Hub::new(settings.hub_capacity / TOPIC_SHARE),
                feeds,
                standings: Standings::default(),
                staffing: Staffing::default(),
                leases: Leases::default(),
                outages: Outages::new(settings.presence_ttl),
                renewals: Renewals::new(settings.presence_ttl),
                typing: Typing::default(),
                heard: Heard::default(),
                turns: Turns::new(database.engine(), settings.connections),
                reads: Reads::default(),
                message_reads: MessageReads::default(),
                link: bus.open(node, &tasks, hear),
                store: database.into_store(Arc::new(Publisher(Weak::clone(live)))),
                cursors,
                settings,
            }
        }));
        tasks.spawn(live.clone().sweep_all());
        tasks.spawn(live.clone().tick_typing());
        tasks.spawn(live.clone().renew_leases());
        tasks.spawn(live.clone().look_up_all());
        tasks.spawn(live.clone().feed_all(jobs));
        tasks.spawn(live.clone().watch_staffing());
        live
    }

    /// The store whose commits are published.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The maker of cursors.
    #[must_use]
    pub fn cursors(&self) -> &Cursors {
        &self.0.cursors
    }

    /// The current cursor of every feed of the viewer's organization, for a page that is read after this
    /// call.
    #[must_use]
    pub fn page_cursor(&self, viewer: &Viewer) -> String {
        self.0
            .cursors
            .encode_feed(&scopes::page(viewer.organization_id, viewer.actor_id), self.0.store.clock().now())
    }

    /// The time of a feed's own cursor, or of a page's.
    fn decode_feed(&self, viewer: &Viewer, own: &ScopeHash, cursor: &str) -> Result<Timestamp, CursorError> {
        match self.0.cursors.decode_feed(own, cursor) {
            Err(CursorError::Invalid) => {
                self.0.cursors.decode_feed(&scopes::page(viewer.organization_id, viewer.actor_id), cursor)
            }
            other => other,
        }
    }

    /// The current and future access of the viewer's actor.
    #[must_use]
    pub fn standing(&self, viewer: &Viewer) -> watch::Receiver<Standing> {
        self.0.standings.watch(viewer)
    }

    /// Sets whether an actor is typing. The caller has checked the policy.
    pub fn set_typing(&self, chat_id: ChatId, actor_id: ActorId, is_typing: bool) {
        let now = self.0.store.clock().now();
        if let Some(told) = self.0.typing.set(chat_id, actor_id, is_typing, now) {
            self.tell_typing(told);
        }
    }

    /// The typing actors of a chat, with the expiry of each: 15 s after their last signal.
    #[must_use]
    pub fn typing(&self, chat_id: ChatId) -> Vec<(ActorId, Timestamp)> {
        self.0.typing.of_chat(chat_id, self.0.store.clock().now())
    }

    /// The actors who stopped typing because of these entries: they sent their message or left, or the chat
    /// ended.
    fn stopped_typing(&self, chat_id: ChatId, entries: &[Arc<Entry>]) -> Vec<ActorId> {
        let is_over = |chat: &entity::chat::Model| chat.ended_at.is_some() || chat.deleted_at.is_some();
        if entries.last().is_some_and(|entry| is_over(&entry.chat)) {
            return self.typing(chat_id).into_iter().map(|(actor_id, _)| actor_id).collect();
        }
        let stopped = |entry: &Arc<Entry>| match &entry.event.change {
            Change::Message(MessageChange::Added, row) => {
                row.message.sender_id.filter(|_| row.message.message_type == MessageType::Message)
            }
            Change::Presence(PresenceChange::Ended, row) => Some(row.user_id),
            Change::Participation(ParticipationChange::Ended, row) => Some(row.actor_id),
            Change::Chat
            | Change::History { .. }
            | Change::Message(MessageChange::Changed, _)
            | Change::Presence(PresenceChange::Added, _)
            | Change::Participation(ParticipationChange::Added | ParticipationChange::Changed, _)
            | Change::Session(..) => None,
        };
        let mut stopped: Vec<_> = entries.iter().filter_map(stopped).collect();
        stopped.dedup();
        stopped
    }

    /// Ends the typing indicators of these actors on all nodes, and publishes this at once.
    fn end_typing(&self, chat_id: ChatId, actor_ids: &[ActorId]) {
        let now = self.0.store.clock().now();
        if let Some(told) = self.0.typing.end(chat_id, actor_ids, now) {
            self.tell_typing(told);
        }
    }

    fn tell_typing(&self, told: Told) {
        self.0.hub.signal(told.chat_id, Signal::Typing);
        if let Some(actor_ids) = told.here {
            self.send(Message::Typing { chat_id: told.chat_id, actor_ids });
        }
    }

    /// Publishes a renewed presence to the readers on this node, unless one was published recently. Returns
    /// whether it was.
    fn tell_renewal(&self, row: presence::Model) -> bool {
        let is_due = self.0.renewals.is_due(&row);
        if is_due {
            self.0.hub.signal(row.chat_id, Signal::Presence(row));
        }
        is_due
    }

    /// The viewer's watched access, and the viewer in their current role. Never returns for a deactivated
    /// viewer: the transport closes their connection.
    async fn stand(&self, viewer: &Viewer) -> (watch::Receiver<Standing>, Viewer) {
        let mut standing = self.standing(viewer);
        let mut viewer = viewer.clone();
        let is_here = viewer.stand(&standing.borrow_and_update());
        if !is_here {
            std::future::pending::<()>().await;
        }
        (standing, viewer)
    }

    fn send(&self, message: Message) {
        self.0.link.send(message);
    }

    fn tell(&self, news: News) {
        match news {
            News::Log { before, entries } => {
                let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return };
                let (chat_id, organization_id) = (first.event.chat_id, last.chat.organization_id);
                let (first, last) = (first.event.sequence, last.event.sequence);
                self.0.hub.forward(chat_id, &entries);
                let stopped_typing = self.stopped_typing(chat_id, &entries);
                self.end_typing(chat_id, &stopped_typing);
                self.send(Message::Log { organization_id, chat_id, first, last, stopped_typing });
                let what = What::Committed { before, entries };
                self.0.feeds.enqueue(Job { organization_id, chat_id, what });
            }
            News::Signal(chat_id, signal) => match signal {
                Signal::Participation(row) => {
                    self.send(Message::Participation { chat_id, id: row.id });
                    self.0.hub.signal(chat_id, Signal::Participation(row));
                }
                Signal::Presence(row) => {
                    let id = row.id;
                    if self.tell_renewal(row) {
                        self.send(Message::Presence { chat_id, id });
                    }
                }
                // Published separately, with the typing actors.
                Signal::Typing => self.0.hub.signal(chat_id, Signal::Typing),
                // Found by each node for itself.
                Signal::Room(_) => {}
            },
            News::View { chat, participation, change } => {
                let (organization_id, chat_id, id) = (chat.organization_id, chat.id, participation.id);
                self.send(match change {
                    ViewChange::Own { was_hidden } => {
                        Message::View { organization_id, chat_id, id, was_hidden }
                    }
                    ViewChange::Read => Message::Read { organization_id, chat_id, id },
                });
                self.0.feeds.enqueue(Job {
                    organization_id,
                    chat_id,
                    what: What::Viewed { id, change: Some(change) },
                });
                self.0.hub.signal(chat_id, Signal::Participation(participation));
            }
            News::Actor(actor) => {
                if self.0.standings.update(&actor) {
                    self.look_up_actor(actor.id);
                }
                self.send(Message::Actor { id: actor.id, auth_version: actor.auth_version });
            }
            News::Rooms(versions) => {
                for (id, auth_version) in versions {
                    if self.0.standings.is_behind(id, auth_version) {
                        self.look_up_actor(id);
                    }
                    self.send(Message::Actor { id, auth_version });
                }
                self.0.staffing.look_again();
            }
            News::Room => self.0.staffing.look_again(),
        }
    }
}

/// Publishes the store's commits. A weak reference, because the live updates hold the store.
struct Publisher(Weak<Inner>);

impl Publish for Publisher {
    fn publish(&self, news: Vec<News>) {
        if let Some(inner) = self.0.upgrade() {
            let live = Live(inner);
            for news in news {
                live.tell(news);
            }
        }
    }
}

/// The tasks that run as long as the server.
struct Tasks {
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Tasks {
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.shutdown.clone();
        self.tracker.spawn(async move { shutdown.run_until_cancelled_owned(work).await });
    }
}

/// Locks a mutex, even if another holder panicked: the guarded data is never left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
