//! A reader of a feed: it has a time as its position, and reads its scope again if the ring lacks events.

use super::chat::OVERLAP;
use super::cursor::ScopeHash;
use super::feed::{Before, FeedHint, FeedNews, FeedSubscription, FeedView};
use super::{Live, LiveError};
use crate::domain::chat_filter::Members;
use crate::domain::event::Change;
use crate::domain::policy::{self, Ties};
use crate::domain::viewer::{Standing, Viewer};
use crate::store::feed::{self, ChangeKey, Found, Place, Queued};
use chrono::TimeDelta;
use entity::{ChatId, RoomId, Timestamp, chat};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;

/// How long a feed can be resumed. After a longer absence, reading everything again is cheaper for both
/// sides.
pub(super) const RESUMABLE: TimeDelta = TimeDelta::hours(24);
/// The page size for reading a scope.
const PAGE: u64 = 100;
/// The maximum number of chats whose sent state is remembered, so that no older state is sent after it.
const SHOWN: usize = 1_000;

/// How long after a change of a viewer's rooms a page may still show the state before it. The clocks of nodes differ,
/// and a connection learns of the change with the next sweep.
const UNAWARE: TimeDelta = TimeDelta::seconds(5);
/// The maximum number of chats that enter or leave queues with one change of a viewer's access. If there are more, the
/// stream starts over.
pub(super) const QUEUED: u64 = 200;

/// A step of a reader.
#[derive(Debug)]
pub(super) enum FeedStep {
    /// A chat of the organization changed.
    News(Arc<FeedNews>),
    /// The viewer's own view of a chat changed.
    View(Arc<FeedView>),
    /// A recently changed chat of the scope.
    Found(Found),
    /// The scope was read completely, from this time on.
    Scanned(Timestamp),
    /// The viewer's role or rooms changed. Everything sent before may be wrong. Contains the viewer before the change.
    AccessChanged(Box<Viewer>),
}

/// A position in a feed.
pub(super) struct FeedReader {
    live: Live,
    viewer: Viewer,
    standing: watch::Receiver<Standing>,
    subscription: FeedSubscription,
    place: Place,
    hash: ScopeHash,
    position: Timestamp,
    scan: Option<Scan>,
    found: VecDeque<Found>,
    shown: HashMap<ChatId, i64>,
}

/// A read of a scope in progress.
#[derive(Clone, Copy)]
struct Scan {
    since: Timestamp,
    after: Option<ChangeKey>,
}

impl FeedReader {
    /// Starts reading, after a time if one is given. The cursor has expired if the viewer's rooms changed since.
    pub(super) async fn open(
        live: &Live,
        viewer: &Viewer,
        place: Place,
        hash: ScopeHash,
        after: Option<Timestamp>,
    ) -> Result<Self, LiveError> {
        let (standing, viewer) = live.stand(viewer).await;
        if after.is_some_and(|after| {
            policy::is_bound_to_rooms(viewer.role) && after < viewer.access_changed_at.plus(UNAWARE)
        }) {
            // What the viewer lost or won meanwhile is not among the chats that changed.
            return Err(LiveError::CursorExpired);
        }
        let store = &live.0.store;
        let subscription = live.0.feeds.subscribe(store, viewer.organization_id).await?;
        let position = after.unwrap_or_else(|| live.0.feeds.covered(store.clock().now()));
        let mut reader = Self {
            live: live.clone(),
            viewer,
            standing,
            subscription,
            place,
            hash,
            position,
            scan: None,
            found: VecDeque::new(),
            shown: HashMap::new(),
        };
        if after.is_some() {
            reader.scan_again();
        }
        Ok(reader)
    }

    pub(super) fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    pub(super) fn live(&self) -> &Live {
        &self.live
    }

    pub(super) fn cursor(&self) -> String {
        self.live.0.cursors.encode_feed(&self.hash, self.position)
    }

    /// Whether a newer state of the chat than that of the news was sent before.
    pub(super) fn is_old(&self, news: &FeedNews) -> bool {
        self.shown.get(&news.chat.id).is_some_and(|shown| *shown >= news.chat.last_sequence)
    }

    /// The next step. Never returns once the viewer was deactivated: the transport closes the connection then.
    pub(super) async fn next(&mut self) -> FeedStep {
        loop {
            if let Some(before) = self.stand().await {
                return FeedStep::AccessChanged(before);
            }
            if let Some(found) = self.found.pop_front() {
                self.stand_at(self.changed_at(&found.chat));
                if self.shown.len() >= SHOWN {
                    self.shown.clear();
                }
                self.shown.insert(found.chat.id, found.chat.last_sequence);
                return FeedStep::Found(found);
            }
            if let Some(scan) = self.scan {
                if Box::pin(self.read(scan)).await {
                    return FeedStep::Scanned(scan.since);
                }
                continue;
            }
            let hint = tokio::select! {
                biased;
                _ = self.standing.changed() => continue,
                hint = self.subscription.next() => hint,
            };
            match hint {
                Ok(FeedHint::News(news)) if !self.learns_of(&news) => {}
                Ok(FeedHint::News(news)) => {
                    self.stand_at(self.changed_at(&news.chat));
                    return FeedStep::News(news);
                }
                Ok(FeedHint::View(view)) => {
                    if view.view.participation.actor_id == self.viewer.actor_id {
                        return FeedStep::View(view);
                    }
                }
                Ok(FeedHint::Missed) | Err(_) => self.scan_again(),
            }
        }
    }

    /// Updates the viewer's role and rooms. Returns the viewer before the change, if there was one.
    async fn stand(&mut self) -> Option<Box<Viewer>> {
        if self.viewer.stands(&self.standing.borrow_and_update()) {
            return None;
        }
        let before = self.viewer.clone();
        let is_here = self.viewer.stand(&self.standing.borrow());
        if !is_here {
            std::future::pending::<()>().await;
        }
        Some(Box::new(before))
    }

    /// Lists the chats that wait in the rooms, and those that changed since shortly before this reader's position.
    /// These are all chats of the rooms that are in a queue, or were in one when they were last sent.
    pub(super) async fn queued_in(&self, room_ids: &[RoomId]) -> Vec<Queued> {
        let since = self.position.minus(OVERLAP);
        loop {
            let store = &self.live.0.store;
            let turn = self.live.reading().await;
            let read = feed::queued_in_rooms(store, &self.viewer, room_ids, since, QUEUED + 1).await;
            drop(turn);
            match read {
                Ok(queued) => return queued,
                Err(error) => self.wait_after(&error).await,
            }
        }
    }

    /// Waits briefly after a failed read.
    pub(super) async fn wait_after(&self, error: &crate::store::Error) {
        tracing::warn!(%error, "a reader is waiting for the database");
        tokio::time::sleep(self.live.0.settings.sweep).await;
    }

    /// The time of the chat's last change that the viewer may see.
    pub(super) fn changed_at(&self, chat: &chat::Model) -> Timestamp {
        policy::changed_at(&self.viewer, chat)
    }

    /// Whether the viewer may see any part of the change. A change that a visitor cannot see does not advance
    /// their position.
    fn learns_of(&self, news: &FeedNews) -> bool {
        policy::sees_all_events(&self.viewer)
            || news.entries.iter().any(|entry| policy::sees_entry(&self.viewer, entry))
    }

    fn scan_again(&mut self) {
        self.scan = Some(Scan { since: self.position.minus(OVERLAP), after: None });
    }

    fn stand_at(&mut self, at: Timestamp) {
        self.position = self.position.max(self.live.0.feeds.covered(at));
    }

    /// Reads a page of the scope. Returns whether it was the last page and empty.
    async fn read(&mut self, scan: Scan) -> bool {
        let store = &self.live.0.store;
        let turn = self.live.reading().await;
        let read =
            feed::changed_in_place(store, &self.viewer, &self.place, scan.since, scan.after, PAGE).await;
        drop(turn);
        match read {
            Ok(found) => {
                let after = found.last().map(|last| (self.changed_at(&last.chat), last.chat.id));
                self.scan = after.map(|after| Scan { after: Some(after), ..scan });
                self.found.extend(found);
                self.scan.is_none()
            }
            Err(error) => {
                self.wait_after(&error).await;
                false
            }
        }
    }
}

/// Whether the viewer sees the chat with these members.
pub(super) fn sees(viewer: &Viewer, chat: &chat::Model, members: &Members) -> bool {
    policy::sees_chat(viewer, chat, Ties::among(members, viewer.actor_id))
}

/// Whether the viewer sees the chat with these members, or would if it had not been deleted.
fn saw(viewer: &Viewer, chat: &chat::Model, members: &Members) -> bool {
    policy::saw_chat(viewer, chat, Ties::among(members, viewer.actor_id))
}

/// Whether the viewer may have seen the chat before a change whose previous state is unknown.
pub(super) fn may_have_seen(viewer: &Viewer, news: &FeedNews) -> bool {
    match &news.before {
        Before::New => false,
        Before::Known(before) => sees(viewer, before, &news.members_before),
        Before::Unknown => {
            let was_changed = news.entries.iter().any(|entry| matches!(entry.event.change, Change::Chat));
            saw(viewer, &news.chat, &news.members)
                || news.members_before.contains(viewer.actor_id)
                || (was_changed && policy::may_have_been_public(viewer, &news.chat))
        }
    }
}

/// Whether the viewer may have seen, before the change, a chat that a read of the scope found.
pub(super) fn may_have_seen_found(viewer: &Viewer, found: &Found) -> bool {
    saw(viewer, &found.chat, &found.members)
        || found.was_member
        || (found.was_changed && policy::may_have_been_public(viewer, &found.chat))
}
