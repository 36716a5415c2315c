//! Tests of readers on a real store, with delayed and lost hints.

use super::{
    Bus, ChangeAction, ChatItem, ChatScope, Cursors, Live, LiveError, Pulse, ResetReason, Settings,
    ViewerChange,
};
use crate::clock::Clock;
use crate::domain::change::{MessageChange, ParticipationChange};
use crate::domain::chat_filter::ChatFilter;
use crate::domain::event::{Change, MessageRow};
use crate::domain::rooms::Principal;
use crate::domain::viewer::{Standing, Viewer};
use crate::store::tx::Fact;
use crate::store::{Store, Tx, actors, log, messages, organizations, participations, presences};
use chrono::TimeDelta;
use entity::{
    ActorId, ActorType, Audience, ChatId, ChatType, EventKind, MessageId, MessageType, OrganizationId,
    ParticipationId, PresenceId, Timestamp, UserRole, actor, chat, message, organization, participation,
    presence,
};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A store on a file with its live updates, and one group chat of Ann and Bob.
struct World {
    live: Live,
    store: Store,
    /// The same file as opened by another process: its commits are not published here.
    elsewhere: Store,
    ann: Viewer,
    bob: Viewer,
    chat_id: ChatId,
    shutdown: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl World {
    async fn new(sweep: Duration, hub_capacity: usize) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("store.db").display());
        let clock = Clock::frozen(Timestamp(1_800_000_000_000));
        let database = Store::open(&url, 1, clock.clone()).await?;
        let elsewhere = Store::open(&url, 1, clock).await?.into_store(Arc::new(()));
        let shutdown = CancellationToken::new();
        let settings = Settings { hub_capacity, sweep, ..Settings::default() };
        let cursors = Cursors::new(database.epoch(), b"secret");
        let live =
            Live::new(database, cursors, Bus::default(), settings, TaskTracker::new(), shutdown.clone());
        let store = live.store().clone();
        let (ann, bob, chat_id) = seed(&store).await?;
        Ok(Self { live, store, elsewhere, ann, bob, chat_id, shutdown, _folder: folder })
    }

    async fn on(&self, store: &Store) -> Outcome<Tx> {
        let mut tx = store.begin().await?;
        tx.lock_chat(self.ann.organization_id, self.chat_id).await?.ok_or("no chat")?;
        Ok(tx)
    }

    async fn say(&self, store: &Store, text: &str) -> Outcome<i64> {
        let mut tx = self.on(store).await?;
        let sequence = tx.next_sequence()?;
        let message = message::Model {
            chat_id: self.chat_id,
            sequence,
            id: MessageId(tx.new_id()),
            message_type: MessageType::Message,
            sender_id: Some(self.bob.actor_id),
            text: Some(text.into()),
            external_id: tx.new_id().to_string(),
            created_at: tx.now(),
            session_id: None,
            session_state: None,
            edited_at: None,
            deleted_at: None,
            sent_digest: None,
            is_internal: false,
            reply_to_sequence: None,
        };
        messages::insert(&tx, &message).await?;
        let row = MessageRow { message, sender: None, called_ids: Vec::new() };
        tx.record(fact(Change::Message(MessageChange::Added, row)))?;
        tx.commit().await?;
        Ok(sequence)
    }

    async fn take_part(&self, actor_id: ActorId, takes_part: bool) -> Outcome {
        let mut tx = self.on(&self.store).await?;
        let row = participations::find_of_actor(&tx, self.chat_id, actor_id).await?;
        let ended_at = (!takes_part).then(|| tx.now());
        let row = if let Some(mut row) = row {
            row.ended_at = ended_at;
            participations::update(&tx, &row).await?;
            row
        } else {
            let row = participant(&tx, self.chat_id, actor_id);
            participations::insert(&tx, &row).await?;
            row
        };
        let change = if takes_part { ParticipationChange::Added } else { ParticipationChange::Ended };
        tx.record(fact(Change::Participation(change, row)))?;
        tx.commit().await?;
        Ok(())
    }

    async fn events(&self, after: Option<&str>) -> Outcome<BoxStream<'static, ChatItem>> {
        Ok(self.live.chat_events(&self.ann, Pulse::steady(), self.chat_id, after).await?)
    }
}

fn fact(change: Change) -> Fact {
    Fact { change, actor_id: None, audience: Audience::All }
}

fn participant(tx: &Tx, chat_id: ChatId, actor_id: ActorId) -> participation::Model {
    participation::Model::new(ParticipationId(tx.new_id()), chat_id, actor_id, ActorType::User, tx.now())
}

async fn seed(store: &Store) -> Outcome<(Viewer, Viewer, ChatId)> {
    let mut tx = store.begin().await?;
    let now = tx.now();
    let organization_id = OrganizationId(tx.new_id());
    let organization = organization::Model {
        id: organization_id,
        tenant_name: "tenant".into(),
        instance_name: "instance".into(),
        name: "An organization".into(),
        created_at: now,
        edit_window_minutes: 15,
    };
    organizations::insert(&tx, &organization).await?;
    let mut viewers = Vec::new();
    for name in ["Ann", "Bob"] {
        let id = ActorId(tx.new_id());
        let mut row = actor::Model::new(id, organization_id, ActorType::User, now);
        (row.role, row.name) = (Some(UserRole::Operator), Some(name.into()));
        actors::insert(&tx, &row).await?;
        viewers.push(
            Viewer::of(&Principal::without_rooms(row), now.plus(TimeDelta::hours(1)), None)
                .ok_or("a role")?,
        );
    }
    let chat_id = ChatId(tx.new_id());
    let mut row = chat::Model::new(chat_id, organization_id, ChatType::Group, now);
    row.token = tx.new_id().to_string();
    tx.add_chat(row).await?;
    for viewer in &viewers {
        let row = participant(&tx, chat_id, viewer.actor_id);
        participations::insert(&tx, &row).await?;
        tx.record(fact(Change::Participation(ParticipationChange::Added, row)))?;
    }
    tx.commit().await?;
    match <[Viewer; 2]>::try_from(viewers) {
        Ok([ann, bob]) => Ok((ann, bob, chat_id)),
        Err(_) => Err("two viewers".into()),
    }
}

async fn next<T>(stream: &mut BoxStream<'static, T>) -> Outcome<T> {
    let item = tokio::time::timeout(Duration::from_secs(20), stream.next()).await?;
    item.ok_or_else(|| "the stream is over".into())
}

fn entry(item: &ChatItem) -> Outcome<(String, i64)> {
    match item {
        ChatItem::Entry { cursor, entry } => Ok((cursor.clone(), entry.event.sequence)),
        ChatItem::Reset { .. } | ChatItem::Gone { .. } | ChatItem::Signal { .. } => {
            Err(format!("an entry, not {item:?}").into())
        }
    }
}

/// The next entry, skipping signals.
async fn next_entry(stream: &mut BoxStream<'static, ChatItem>) -> Outcome<(String, i64)> {
    loop {
        let item = next(stream).await?;
        if !matches!(item, ChatItem::Signal { .. }) {
            return entry(&item);
        }
    }
}

const NEVER: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_millis(20);

#[tokio::test]
async fn entries_come_in_order_and_a_cursor_goes_on_right_after_them() -> Outcome {
    let world = World::new(NEVER, 256).await?;
    let mut events = world.events(None).await?;
    let ChatItem::Reset { reason: ResetReason::Initial, .. } = next(&mut events).await? else {
        return Err("starts with a reset".into());
    };
    for text in ["one", "two", "three"] {
        world.say(&world.store, text).await?;
    }
    let (_, three) = next_entry(&mut events).await?;
    let (cursor, four) = next_entry(&mut events).await?;
    assert_eq!((three, four), (3, 4));
    drop(events);
    world.say(&world.store, "four").await?;
    let mut events = world.events(Some(&cursor)).await?;
    assert_eq!(next_entry(&mut events).await?.1, 5);
    assert_eq!(next_entry(&mut events).await?.1, 6);
    world.say(&world.store, "five").await?;
    assert_eq!(next_entry(&mut events).await?.1, 7);
    Ok(())
}

#[tokio::test]
async fn what_nobody_told_of_is_read_when_the_next_hint_shows_the_gap() -> Outcome {
    let world = World::new(NEVER, 256).await?;
    let mut events = world.events(None).await?;
    next(&mut events).await?;
    world.say(&world.elsewhere, "unheard").await?;
    world.say(&world.store, "heard").await?;
    assert_eq!(next_entry(&mut events).await?.1, 3);
    assert_eq!(next_entry(&mut events).await?.1, 4);
    Ok(())
}

#[tokio::test]
async fn a_lost_last_hint_is_found_by_the_sweep() -> Outcome {
    let world = World::new(SOON, 256).await?;
    let mut events = world.events(None).await?;
    next(&mut events).await?;
    world.say(&world.elsewhere, "unheard").await?;
    assert_eq!(next_entry(&mut events).await?.1, 3);
    Ok(())
}

#[tokio::test]
async fn a_reader_that_lags_misses_nothing() -> Outcome {
    let world = World::new(NEVER, 16).await?;
    let mut events = world.events(None).await?;
    next(&mut events).await?;
    for number in 0..450 {
        world.say(&world.store, &number.to_string()).await?;
    }
    for sequence in 3..453 {
        assert_eq!(next_entry(&mut events).await?.1, sequence);
    }
    assert!(next(&mut events).now_or_never().is_none());
    Ok(())
}

#[tokio::test]
async fn event_without_a_row_that_fits_its_kind_is_an_error() -> Outcome {
    let world = World::new(NEVER, 256).await?;
    let sequence = world.say(&world.store, "one").await?;
    for kind in [
        EventKind::ChatChanged,
        EventKind::PresenceEnded,
        EventKind::ParticipationAdded,
        EventKind::SessionStarted,
    ] {
        log::set_kind(&world.store, world.chat_id, sequence, kind).await?;
        let read = log::read(&world.store, world.chat_id, sequence - 1, 1).await;
        let error = read.err().ok_or("an error")?.to_string();
        let expected = format!("event {sequence} of chat {} has kind {}", world.chat_id, kind.as_str());
        assert!(error.contains(&expected), "{error}");
    }
    log::set_kind(&world.store, world.chat_id, sequence, EventKind::MessageChanged).await?;
    let batch = log::read(&world.store, world.chat_id, sequence - 1, 1).await?.ok_or("a chat")?;
    let change = batch.entries.first().map(|entry| &entry.event.change);
    assert!(matches!(change, Some(Change::Message(MessageChange::Changed, _))), "{change:?}");
    Ok(())
}

#[tokio::test]
async fn who_leaves_a_group_is_told_that_it_is_gone() -> Outcome {
    let world = World::new(NEVER, 256).await?;
    let mut events = world.events(None).await?;
    next(&mut events).await?;
    world.take_part(world.ann.actor_id, false).await?;
    world.say(&world.store, "in private").await?;
    let ChatItem::Gone { chat_id, .. } = next(&mut events).await? else { return Err("gone".into()) };
    assert_eq!(chat_id, world.chat_id);
    assert!(events.next().await.is_none());
    let again = world.live.chat_events(&world.ann, Pulse::steady(), world.chat_id, None).await.err();
    assert_eq!(again, Some(LiveError::NotFound));
    Ok(())
}

#[tokio::test]
async fn a_cursor_that_cannot_be_honoured_starts_over_or_is_expired() -> Outcome {
    let world = World::new(NEVER, 256).await?;
    for text in ["one", "two", "three"] {
        world.say(&world.store, text).await?;
    }
    log::forget(&world.store, world.chat_id, 3).await?;
    let cursor = |sequence| world.live.cursors().encode_chat(world.chat_id, sequence);
    for trimmed_or_beyond in [cursor(1), cursor(99)] {
        let mut events = world.events(Some(&trimmed_or_beyond)).await?;
        let ChatItem::Reset { reason: ResetReason::CursorExpired, .. } = next(&mut events).await? else {
            return Err("starts over".into());
        };
        let (viewer, chat_id) = (&world.ann, world.chat_id);
        let refused = world.live.presence_changes(viewer, chat_id, Some(&trimmed_or_beyond)).await.err();
        assert_eq!(refused, Some(LiveError::CursorExpired));
    }
    let mut events = world.events(Some(&cursor(3))).await?;
    assert_eq!(next_entry(&mut events).await?.1, 4);
    let garbled =
        world.live.chat_events(&world.ann, Pulse::steady(), world.chat_id, Some("garbled")).await.err();
    assert_eq!(garbled, Some(LiveError::CursorInvalid));
    Ok(())
}

#[tokio::test]
async fn messages_come_back_from_any_age_and_then_live() -> Outcome {
    let world = World::new(NEVER, 256).await?;
    for number in 0..250 {
        world.say(&world.store, &number.to_string()).await?;
    }
    log::forget(&world.store, world.chat_id, 240).await?;
    let after = world.live.cursors().encode_chat(world.chat_id, 4);
    let mut stream = world.live.messages(&world.ann, world.chat_id, Some(&after)).await?;
    world.say(&world.store, "live").await?;
    for sequence in 5..=253 {
        assert_eq!(next(&mut stream).await?.message.message.sequence, sequence);
    }
    assert!(next(&mut stream).now_or_never().is_none());
    Ok(())
}

#[tokio::test]
async fn an_inbox_gains_and_loses_a_chat() -> Outcome {
    let world = World::new(NEVER, 256).await?;
    let mut events = world.live.viewer_events(&world.ann, Pulse::steady(), Vec::new(), None).await?;
    assert!(matches!(next(&mut events).await?.change, ViewerChange::Reset(ResetReason::Initial)));
    world.say(&world.store, "one").await?;
    assert!(matches!(next(&mut events).await?.change, ViewerChange::ChatChanged(_)));
    world.take_part(world.ann.actor_id, false).await?;
    assert!(matches!(next(&mut events).await?.change, ViewerChange::InboxChatRemoved(_)));
    let gone = next(&mut events).await?;
    assert!(matches!(gone.change, ViewerChange::ChatGone(_)));
    world.say(&world.store, "in private").await?;
    world.take_part(world.ann.actor_id, true).await?;
    assert!(matches!(next(&mut events).await?.change, ViewerChange::InboxChatAdded(_)));
    drop(events);
    let mut events =
        world.live.viewer_events(&world.ann, Pulse::steady(), Vec::new(), Some(&gone.cursor)).await?;
    assert!(matches!(next(&mut events).await?.change, ViewerChange::InboxChatAdded(_)));
    Ok(())
}

#[tokio::test]
async fn a_place_tells_what_comes_into_it_and_what_leaves() -> Outcome {
    let world = World::new(NEVER, 256).await?;
    let scope = ChatScope::User(world.bob.actor_id);
    let filter = ChatFilter { is_ended: Some(false), ..ChatFilter::default() };
    let mut changes = world.live.chat_changes(&world.ann, scope, filter.clone(), None).await?;
    world.say(&world.store, "one").await?;
    assert_eq!(next(&mut changes).await?.action, ChangeAction::Changed);
    world.take_part(world.bob.actor_id, false).await?;
    let removed = next(&mut changes).await?;
    assert_eq!((removed.action, removed.chat.is_some()), (ChangeAction::Removed, true));
    world.take_part(world.bob.actor_id, true).await?;
    let added = next(&mut changes).await?;
    assert_eq!(added.action, ChangeAction::Added);
    world.take_part(world.ann.actor_id, false).await?;
    let lost = next(&mut changes).await?;
    assert_eq!((lost.action, lost.chat.is_some()), (ChangeAction::Removed, false));
    drop(changes);
    let mut changes = world.live.chat_changes(&world.ann, scope, filter, Some(&added.cursor)).await?;
    assert_eq!(next(&mut changes).await?.action, ChangeAction::Removed);
    Ok(())
}

#[tokio::test]
async fn streams_of_a_deactivated_actor_fall_silent_and_do_not_end() -> Outcome {
    let world = World::new(SOON, 256).await?;
    let mut standing = world.live.standing(&world.ann);
    let mut events = world.events(None).await?;
    next(&mut events).await?;
    let tx = world.elsewhere.begin().await?;
    let mut row = actors::find_in_organization(&tx, world.ann.organization_id, world.ann.actor_id)
        .await?
        .ok_or("no actor")?;
    row.auth_version += 1;
    row.deactivated_at = Some(tx.now());
    actors::update(&tx, &row).await?;
    tx.commit().await?;
    tokio::time::timeout(Duration::from_secs(20), standing.changed()).await??;
    assert_eq!(*standing.borrow(), Standing::Gone);
    // The stream does not end: the transport closes the connection with a code that says why.
    world.say(&world.store, "in private").await?;
    assert!(tokio::time::timeout(SOON, events.next()).await.is_err());
    Ok(())
}

#[tokio::test]
async fn typing_is_a_signal_to_readers() -> Outcome {
    let world = World::new(NEVER, 256).await?;
    let mut events = world.events(None).await?;
    next(&mut events).await?;
    world.live.set_typing(world.chat_id, world.bob.actor_id, true);
    assert!(matches!(next(&mut events).await?, ChatItem::Signal { .. }));
    assert_eq!(world.live.typing(world.chat_id).len(), 1);
    world.store.clock().advance(Duration::from_secs(16));
    assert!(world.live.typing(world.chat_id).is_empty());
    assert!(matches!(next(&mut events).await?, ChatItem::Signal { .. }));
    Ok(())
}

#[tokio::test]
async fn an_open_stream_keeps_a_presence_alive() -> Outcome {
    let world = World::new(NEVER, 256).await?;
    let tx = world.store.begin().await?;
    let row = presence::Model {
        id: PresenceId(tx.new_id()),
        chat_id: world.chat_id,
        user_id: world.ann.actor_id,
        created_at: tx.now(),
        last_seen_at: tx.now(),
        expires_at: tx.now().plus(TimeDelta::seconds(60)),
        ended_at: None,
        end_reason: None,
    };
    presences::insert(&tx, &row).await?;
    tx.commit().await?;
    world.store.clock().advance(Duration::from_secs(30));
    let _events = world.events(None).await?;
    let renewed = async {
        loop {
            let now = presences::find(&world.store, row.id).await?.ok_or("no presence")?;
            if now.expires_at > row.expires_at {
                return Outcome::Ok(now.expires_at);
            }
            tokio::time::sleep(SOON).await;
        }
    };
    let expires_at = tokio::time::timeout(Duration::from_secs(20), renewed).await??;
    assert_eq!(expires_at, row.expires_at.plus(TimeDelta::seconds(30)));
    let seen_at = actors::find_in_organization(&world.store, world.ann.organization_id, world.ann.actor_id)
        .await?
        .ok_or("no actor")?
        .last_seen_at;
    assert!(seen_at.is_none_or(|at| at == world.store.clock().now()));
    Ok(())
}

#[tokio::test]
async fn stream_that_waits_for_its_turn_to_start_keeps_a_presence_alive() -> Outcome {
    let world = World::new(Duration::from_hours(1), 8).await?;
    let (live, ann) = (&world.live, &world.ann);
    // Given streams that take all turns and never start,
    let never = || std::future::pending::<Result<(), LiveError>>().boxed();
    let mut others: Vec<_> = (0..20).map(|_| Box::pin(live.start(never))).collect();
    for other in &mut others {
        assert!(other.now_or_never().is_none());
    }
    assert!(!live.keeps_alive(ann.actor_id, world.chat_id));
    // when others wait for their turns,
    let mut events = Box::pin(live.chat_events(ann, Pulse::steady(), world.chat_id, None));
    assert!((&mut events).now_or_never().is_none());
    assert!(live.keeps_alive(ann.actor_id, world.chat_id));
    drop(events);
    assert!(!live.keeps_alive(ann.actor_id, world.chat_id));
    let mut events = Box::pin(live.viewer_events(ann, Pulse::steady(), Vec::new(), None));
    assert!((&mut events).now_or_never().is_none());
    assert!(live.keeps_alive(ann.actor_id, world.chat_id));
    drop(others);
    Ok(())
}
