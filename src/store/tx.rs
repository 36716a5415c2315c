//! A transaction: the only way to write and to publish.
//!
//! It locks one chat first, assigns the chat's next sequences and keeps its counters. On commit, it writes
//! the chat and its log in the same database transaction as everything else. A chat's log is therefore dense
//! and totally ordered, and nothing is published that is not on disk.

use super::changed::all_but_key;
use super::outbox::WebhookBodies;
use super::writer::{Ending, Open};
use super::writing::Writing;
use super::{Error, Result, Rows, Store, outbox};
use crate::domain::event::{Change, Entry, Event, News, Signal, ViewChange};
use chrono::TimeDelta;
use entity::{ActorId, Audience, ChatId, OrganizationId, Timestamp, actor, chat, event, participation};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// An open transaction.
pub struct Tx {
    store: Store,
    open: Open,
    /// The chat's row when it was locked.
    before: Option<Arc<chat::Model>>,
    chat: Option<chat::Model>,
    log: Vec<Event>,
    news: Vec<News>,
    /// The time of the transaction, the same for all its writes.
    moment: OnceLock<Moment>,
    /// Whether it adds webhook deliveries.
    fills_outbox: bool,
}

/// The time of a transaction.
#[derive(Clone, Copy)]
struct Moment {
    /// The time of the server's clock.
    clock: Timestamp,
    /// The time of the chat's log, which never decreases.
    log: Timestamp,
}

/// The maximum difference for which a transaction waits until the clock has caught up with the chat's newest
/// event. The clocks of nodes may differ by this much.
const SKEW: TimeDelta = TimeDelta::seconds(2);

impl Moment {
    /// The time of a transaction after the newest event of a chat. If a wrong clock has dated that event far
    /// into the future, each change is dated a millisecond after the previous one until real time has caught
    /// up.
    fn after(logged_at: Timestamp, clock: Timestamp) -> Self {
        let log = if logged_at.since(clock) > SKEW {
            logged_at.plus(TimeDelta::milliseconds(1))
        } else {
            clock.max(logged_at)
        };
        Self { clock, log }
    }
}

/// The data of an event, besides its position in the log.
pub struct Fact {
    /// The change, with the current row.
    pub change: Change,
    /// The actor. Absent if the server made the change.
    pub actor_id: Option<ActorId>,
    pub audience: Audience,
}

/// The result of a committed transaction.
pub struct Committed<T> {
    /// The result of its work.
    pub value: T,
    /// The chat that it had locked, as written.
    pub chat: Option<Arc<chat::Model>>,
}

impl<T> Committed<T> {
    /// The result and the chat, for work that locks one.
    pub fn with_chat(self) -> Result<(T, Arc<chat::Model>)> {
        let Self { value, chat } = self;
        Ok((value, chat.ok_or_else(no_chat)?))
    }
}

impl Store {
    /// Runs `work` in a transaction. Commits if it succeeds and rolls back if it fails. Returns once
    /// everything that it read or wrote is on disk. `work` may await only statements of the transaction.
    pub async fn transaction<T, E>(
        &self,
        work: impl AsyncFnOnce(&mut Tx) -> std::result::Result<T, E>,
    ) -> std::result::Result<Committed<T>, E>
    where
        E: From<Error>,
    {
        let mut tx = self.begin().await?;
        match work(&mut tx).await {
            Ok(value) => Ok(Committed { value, chat: tx.commit().await? }),
            Err(error) => {
                tx.roll_back().await?;
                Err(error)
            }
        }
    }

    /// Opens a transaction that the caller ends. Use [`Store::transaction`], except in tests.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        let open = self.0.writer.begin().await?;
        Ok(Tx {
            store: self.clone(),
            open,
            before: None,
            chat: None,
            log: Vec::new(),
            news: Vec::new(),
            moment: OnceLock::new(),
            fills_outbox: false,
        })
    }
}

impl Rows for Tx {
    type Connection = Writing;

    fn connection(&self) -> &Writing {
        &self.open.writing
    }
}

impl Tx {
    /// Locks a chat of the organization until the transaction ends. `None` if there is no such chat.
    pub async fn lock_chat(
        &mut self,
        organization_id: OrganizationId,
        chat_id: ChatId,
    ) -> Result<Option<&chat::Model>> {
        debug_assert!(self.chat.is_none(), "a transaction spans one chat");
        let chat = chat::Entity::find_by_id(chat_id)
            .filter(chat::Column::OrganizationId.eq(organization_id))
            .lock_exclusive()
            .one(self.connection())
            .await?;
        Ok(self.hold(chat))
    }

    /// Locks the DIRECT chat of a pair. `None` if it has none, or its chat was deleted.
    pub async fn lock_chat_of_pair(
        &mut self,
        organization_id: OrganizationId,
        pair_key: &str,
    ) -> Result<Option<&chat::Model>> {
        debug_assert!(self.chat.is_none(), "a transaction spans one chat");
        let chat = chat::Entity::find()
            .filter(chat::Column::OrganizationId.eq(organization_id))
            .filter(chat::Column::PairKey.eq(pair_key))
            .lock_exclusive()
            .one(self.connection())
            .await?;
        Ok(self.hold(chat))
    }

    /// Locks a chat of any organization. For tasks of the server itself.
    pub async fn lock_any_chat(&mut self, chat_id: ChatId) -> Result<Option<&chat::Model>> {
        debug_assert!(self.chat.is_none(), "a transaction spans one chat");
        let chat = chat::Entity::find_by_id(chat_id).lock_exclusive().one(self.connection()).await?;
        Ok(self.hold(chat))
    }

    /// Stores the chat that was just locked. Takes the time now, under the lock, so that it never decreases
    /// with the sequence.
    fn hold(&mut self, chat: Option<chat::Model>) -> Option<&chat::Model> {
        if let Some(chat) = &chat {
            self.moment = OnceLock::from(Moment::after(chat.logged_at, self.store.clock().now()));
        }
        self.before = chat.clone().map(Arc::new);
        self.chat = chat;
        self.chat.as_ref()
    }

    /// Gives up the locked chat, of which nothing was written, so that another one can be used. Its lock
    /// stays until the transaction ends.
    pub fn leave_chat(&mut self) {
        debug_assert!(self.log.is_empty(), "a transaction spans one chat");
        (self.chat, self.before) = (None, None);
    }

    /// Adds a chat, which becomes the locked one.
    pub async fn add_chat(&mut self, chat: chat::Model) -> Result<()> {
        debug_assert!(self.chat.is_none(), "a transaction spans one chat");
        chat::Entity::insert(chat.clone().into_active_model())
            .exec_without_returning(self.connection())
            .await?;
        self.chat = Some(chat);
        Ok(())
    }

    /// The locked chat, including the changes of this transaction.
    pub fn chat(&self) -> Result<&chat::Model> {
        self.chat.as_ref().ok_or_else(no_chat)
    }

    /// The locked chat, to change its counters and fields. They are written if an event is recorded.
    pub fn chat_mut(&mut self) -> Result<&mut chat::Model> {
        self.chat.as_mut().ok_or_else(no_chat)
    }

    /// The timestamp of everything that this transaction writes: the clock's time, but never before the
    /// chat's newest event. For deadlines, use [`Tx::clock_time`].
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.moment().log
    }

    /// The clock's time, with which deadlines are set and compared. Equals [`Tx::now`], unless a wrong clock
    /// has dated the chat's log into the future.
    #[must_use]
    pub fn clock_time(&self) -> Timestamp {
        self.moment().clock
    }

    fn moment(&self) -> Moment {
        *self.moment.get_or_init(|| {
            let clock = self.store.clock().now();
            Moment { clock, log: clock }
        })
    }

    #[must_use]
    pub fn new_id(&self) -> Uuid {
        self.store.clock().new_id()
    }

    /// The sequence of the next recorded event.
    pub fn next_sequence(&self) -> Result<i64> {
        Ok(self.chat()?.last_sequence + 1)
    }

    /// Records an event of the locked chat under its next sequence.
    pub fn record(&mut self, fact: Fact) -> Result<()> {
        let now = self.now();
        let Fact { change, actor_id, audience } = fact;
        let chat = self.chat_mut()?;
        chat.last_sequence += 1;
        chat.logged_at = now;
        match audience {
            Audience::All => chat.updated_at = now,
            Audience::Staff | Audience::Called => {}
        }
        let (chat_id, sequence) = (chat.id, chat.last_sequence);
        self.log.push(Event { chat_id, sequence, change, actor_id, audience, created_at: now });
        Ok(())
    }

    /// Publishes a signal after the commit. Signals are not in the log.
    pub fn hint(&mut self, chat_id: ChatId, signal: Signal) {
        self.news.push(News::Signal(chat_id, signal));
    }

    /// Publishes after the commit that a participant of the locked chat changed their own view or read mark.
    pub fn view_changed(&mut self, participation: participation::Model, change: ViewChange) -> Result<()> {
        let chat = Arc::new(self.chat()?.clone());
        self.news.push(News::View { chat, participation, change });
        Ok(())
    }

    /// Publishes after the commit that an actor's role or status changed.
    pub fn actor_changed(&mut self, actor: actor::Model) {
        self.news.push(News::Actor(actor));
    }

    /// Publishes, after the commit, that the rooms of these actors changed, with their new `auth_version`.
    pub fn rooms_changed(&mut self, versions: Vec<(ActorId, i64)>) {
        self.news.push(News::Rooms(versions));
    }

    /// Publishes, after the commit, that a room's own fields changed.
    pub fn room_changed(&mut self) {
        self.news.push(News::Room);
    }

    /// Writes the chat and its log, waits until everything is on disk, publishes it, and returns the chat.
    pub(crate) async fn commit(mut self) -> Result<Option<Arc<chat::Model>>> {
        match self.write_all().await {
            Ok(chat) => {
                if let Some(chat) = &chat {
                    let entries = self
                        .log
                        .drain(..)
                        .map(|event| Arc::new(Entry { event, chat: Arc::clone(chat) }))
                        .collect::<Vec<_>>();
                    if !entries.is_empty() {
                        self.news.insert(0, News::Log { before: self.before.take(), entries });
                    }
                }
                let ending = Ending { keep: true, news: self.news, fills_outbox: self.fills_outbox };
                self.store.0.finish(self.open, ending).await?;
                Ok(chat)
            }
            Err(error) => {
                self.roll_back().await?;
                Err(error)
            }
        }
    }

    /// Rolls back. Returns once everything that was read is on disk.
    pub(crate) async fn roll_back(self) -> Result<()> {
        self.store.0.finish(self.open, Ending::default()).await
    }

    /// The data for the bodies of webhooks.
    pub(super) fn webhook_bodies(&self) -> Option<&WebhookBodies> {
        self.store.0.webhook_bodies.as_ref()
    }

    /// Wakes the delivery worker after the commit.
    pub fn fill_outbox(&mut self) {
        self.fills_outbox = true;
    }

    /// Writes the chat, its log and the webhook deliveries.
    async fn write_all(&mut self) -> Result<Option<Arc<chat::Model>>> {
        let chat = self.write_log().await?;
        if let Some(chat) = &chat
            && outbox::write(self, self.before.as_deref(), chat, &self.log).await?
        {
            self.fills_outbox = true;
        }
        Ok(chat)
    }

    async fn write_log(&mut self) -> Result<Option<Arc<chat::Model>>> {
        let Some(chat) = self.chat.take() else { return Ok(None) };
        if !self.log.is_empty() {
            let row = all_but_key(&chat);
            chat::Entity::update_many()
                .set(row)
                .filter(chat::Column::Id.eq(chat.id))
                .exec(self.connection())
                .await?;
            let events = self.log.iter().map(|event| event.row().into_active_model());
            event::Entity::insert_many(events).exec_without_returning(self.connection()).await?;
        }
        Ok(Some(Arc::new(chat)))
    }
}

fn no_chat() -> Error {
    Error::Failed("the transaction has locked no chat".into())
}
