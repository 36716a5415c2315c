//! A reader of a feed: it stands at a moment, and reads its place again where the ring does not suffice.

use super::chat::OVERLAP;
use super::cursor::ScopeHash;
use super::feed::{Before, FeedHint, FeedNews, FeedSubscription, FeedView};
use super::{Live, LiveError};
use crate::domain::chat_filter::Members;
use crate::domain::event::Change;
use crate::domain::policy::{self, Ties};
use crate::domain::viewer::{Standing, Viewer};
use crate::store::feed::{self, ChangeKey, Found, Place};
use chrono::TimeDelta;
use entity::{ChatId, Timestamp, chat};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;

/// Who was away for longer fetches afresh: that is cheaper for both sides.
pub(super) const RESUMABLE: TimeDelta = TimeDelta::hours(24);
/// Chats of a place that are read at once.
const PAGE: u64 = 100;
/// Chats whose state out of a read is remembered, so that older news are not shown after it.
const SHOWN: usize = 1_000;

/// What a reader comes upon.
#[derive(Debug)]
pub(super) enum FeedStep {
    /// Something became of a chat of the organization.
    News(Arc<FeedNews>),
    /// The viewer's own view of a chat changed.
    View(Arc<FeedView>),
    /// A chat of the place that changed lately.
    Found(Found),
    /// The place was read from this moment on.
    Scanned(Timestamp),
    /// The viewer's role changed: what was shown may be wrong.
    RoleChanged,
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

/// A place being read.
#[derive(Clone, Copy)]
struct Scan {
    since: Timestamp,
    after: Option<ChangeKey>,
}

impl FeedReader {
    /// Starts reading, after a moment where one is given.
    pub(super) async fn open(
        live: &Live,
        viewer: &Viewer,
        place: Place,
        hash: ScopeHash,
        after: Option<Timestamp>,
    ) -> Result<Self, LiveError> {
        let (standing, viewer) = live.stand(viewer).await;
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

    /// Whether a newer state of the chat than that of the news was shown before.
    pub(super) fn is_old(&self, news: &FeedNews) -> bool {
        self.shown.get(&news.chat.id).is_some_and(|shown| *shown >= news.chat.last_sequence)
    }

    /// The next step. Never returns once the viewer was deactivated: the transport closes the connection then.
    pub(super) async fn next(&mut self) -> FeedStep {
        loop {
            let now = *self.standing.borrow_and_update();
            match now {
                Standing::Active { role, .. } if role == self.viewer.role => {}
                Standing::Active { role, .. } => {
                    self.viewer.role = role;
                    return FeedStep::RoleChanged;
                }
                Standing::Gone => std::future::pending().await,
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

    /// Waits a little after a failed read.
    pub(super) async fn wait_after(&self, error: &crate::store::Error) {
        tracing::warn!(%error, "a reader is waiting for the database");
        tokio::time::sleep(self.live.0.settings.sweep).await;
    }

    /// When the chat changed, as far as the viewer may learn of it.
    pub(super) fn changed_at(&self, chat: &chat::Model) -> Timestamp {
        policy::changed_at(&self.viewer, chat)
    }

    /// Whether the viewer may see any of it. News of what a visitor does not see move nothing for them.
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

    /// Reads a page of the place; whether it was the last one and held nothing.
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

/// Whether the viewer may have seen a chat before news that do not say how it was.
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

/// Whether the viewer may have seen a chat that was found.
pub(super) fn may_have_seen_found(viewer: &Viewer, found: &Found) -> bool {
    saw(viewer, &found.chat, &found.members)
        || found.was_member
        || (found.was_changed && policy::may_have_been_public(viewer, &found.chat))
}
