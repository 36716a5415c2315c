//! How news travels: from a commit to whoever follows it, on this node and on others.
//!
//! A commit is handed to the hub of this node and to the bus. A reader registers with the hub, reads the
//! log after its cursor, then goes on live; what it misses it reads again, and a sweep finds what nobody
//! told of. The log is the truth; everything in here is a reason to look at it.
//!
//! - `hub`, `reader`, `chat`: one chat's log, exactly once and in order.
//! - `feed`, `feed_worker`, `feed_reader`, `changes`, `viewer`: an organization's chats, as state.
//! - `bus`, `remote`, `sweep`: other nodes, and what was lost on the way.
//! - `standing`, `lease`, `pulse`, `outage`, `renewals`, `typing`: who is connected, who is there, who types.
//! - `staffing`: rooms where somebody is there to answer.
//! - `turns`, `shared`: how many streams read the database at once, and who shares a read.
//!
//! A stream ends when its subject is lost to the viewer. It does not end when the server shuts down or when the viewer
//! is deactivated: the transport closes the connection then, with the code that tells the client what to do.

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

/// Everything live of this node; cheap to clone.
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

/// How live news are kept and looked after.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Hints that an organization's feed keeps for its slowest reader; a chat keeps a quarter. Who is slower
    /// reads the store.
    pub hub_capacity: usize,
    /// How often what is read here is compared with the store: the longest delay that a lost hint causes.
    pub sweep: Duration,
    /// How long a presence lasts after its user was last heard from.
    pub presence_ttl: TimeDelta,
    /// Connections of the database's pool; on SQLite it makes no difference.
    pub connections: u32,
    /// How long a stream may take to start, waiting for its turn and for the database.
    pub start_within: Duration,
}

/// A chat's ring is smaller than a feed's: there is one for each chat on anybody's screen, and it takes its
/// memory at once.
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
    /// Makes a store of the database, and tells what it commits. Its tasks run on the tracker and end on shutdown.
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

    /// The store whose commits are told.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The maker of cursors.
    #[must_use]
    pub fn cursors(&self) -> &Cursors {
        &self.0.cursors
    }

    /// Where every feed of the viewer's organization stands now: the cursor of a page that is read after this.
    #[must_use]
    pub fn page_cursor(&self, viewer: &Viewer) -> String {
        self.0
            .cursors
            .encode_feed(&scopes::page(viewer.organization_id, viewer.actor_id), self.0.store.clock().now())
    }

    /// The moment of a feed's own cursor, or of a page's.
    fn decode_feed(&self, viewer: &Viewer, own: &ScopeHash, cursor: &str) -> Result<Timestamp, CursorError> {
        match self.0.cursors.decode_feed(own, cursor) {
            Err(CursorError::Invalid) => {
                self.0.cursors.decode_feed(&scopes::page(viewer.organization_id, viewer.actor_id), cursor)
            }
            other => other,
        }
    }

    /// How the viewer's actor stands, now and from now on.
    #[must_use]
    pub fn standing(&self, viewer: &Viewer) -> watch::Receiver<Standing> {
        self.0.standings.watch(viewer)
    }

    /// Takes what an actor says about typing. The caller has asked the policy.
    pub fn set_typing(&self, chat_id: ChatId, actor_id: ActorId, is_typing: bool) {
        let now = self.0.store.clock().now();
        if let Some(told) = self.0.typing.set(chat_id, actor_id, is_typing, now) {
            self.tell_typing(told);
        }
    }

    /// Who types in a chat, and when each is forgotten: 15 s after they last said so.
    #[must_use]
    pub fn typing(&self, chat_id: ChatId) -> Vec<(ActorId, Timestamp)> {
        self.0.typing.of_chat(chat_id, self.0.store.clock().now())
    }

    /// Actors who do not type any more because of what happened: they sent their message, left, or the chat is over.
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

    /// Forgets that these actors type, on whichever node they said so, and tells it at once.
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

    /// Tells the readers on this node that a presence was renewed, unless they were told of it a short while ago. Returns
    /// whether they are told.
    fn tell_renewal(&self, row: presence::Model) -> bool {
        let is_due = self.0.renewals.is_due(&row);
        if is_due {
            self.0.hub.signal(row.chat_id, Signal::Presence(row));
        }
        is_due
    }

    /// The viewer's standing to watch, and the viewer in the role that they have now. Never returns for a viewer who was
    /// deactivated: it is for the transport to tell them.
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
                // Has its own way, with who types.
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

/// What the store tells of commits: weak, since what is live holds the store.
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

/// What runs for as long as the server does.
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

/// Locks, also after a panic of another holder: what is guarded here is never left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
