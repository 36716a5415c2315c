//! The feeds' worker: turns commits and hints into changes of chats.

use super::Live;
use super::chat::OVERLAP;
use super::feed::{Before, FeedNews, FeedView, KNOWN, Known, redo, undo};
use super::feed_job::{Job, What};
use crate::domain::chat_filter::Members;
use crate::domain::event::{Entry, ViewChange};
use crate::store::feed::{Roster, rosters_of_each};
use crate::store::{log, own_views};
use entity::{ChatId, OrganizationId, ParticipationId, chat};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How often the cached members are dropped and read again.
const FORGET: Duration = Duration::from_mins(1);
/// The maximum number of chats with cached members. Above it, the cache is cleared.
const ROSTERS: usize = 20_000;
/// The maximum number of jobs in a burst, for which members are loaded together.
const BURST: usize = 64;
/// The maximum number of entries read to catch up with a chat. A feed that missed more is read as a whole.
const CATCH_UP: u64 = 200;

/// A change of a chat, without its members.
#[derive(Clone)]
struct Change {
    chat: Arc<chat::Model>,
    before: Before,
    entries: Vec<Arc<Entry>>,
}

impl Live {
    /// Runs until the queue is closed.
    pub(super) async fn feed_all(self, mut jobs: mpsc::Receiver<Job>) {
        let mut burst = Vec::with_capacity(BURST);
        let mut rosters = Rosters::default();
        let mut forgot_at = Instant::now();
        while jobs.recv_many(&mut burst, BURST).await > 0 {
            if rosters.0.len() >= ROSTERS || forgot_at.elapsed() >= FORGET {
                rosters.0.clear();
                forgot_at = Instant::now();
            }
            // In the order in which the chats arrived, with the jobs of one chat together.
            let mut order: Vec<(OrganizationId, ChatId)> = Vec::new();
            let mut changes: HashMap<ChatId, Change> = HashMap::new();
            let mut views = Vec::new();
            for Job { organization_id, chat_id, what } in burst.drain(..) {
                if let What::Viewed { id, change } = what {
                    views.push((organization_id, id, change));
                    match change {
                        // The participants who hide the chat are read again.
                        Some(ViewChange::Own { .. }) | None => drop(rosters.0.remove(&chat_id)),
                        Some(ViewChange::Read) => {}
                    }
                    continue;
                }
                let earlier = changes.remove(&chat_id);
                if earlier.is_none() {
                    order.retain(|(_, other)| *other != chat_id);
                    order.push((organization_id, chat_id));
                }
                match self.change(organization_id, chat_id, earlier, what).await {
                    Ok(Some(change)) => {
                        changes.insert(chat_id, change);
                    }
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(%chat_id, %error, "could not read a change for the feeds");
                        self.0.feeds.missed(organization_id);
                    }
                }
            }
            let missing: Vec<_> = changes
                .values()
                .filter(|change| !rosters.lead_to(change))
                .map(|change| change.chat.id)
                .collect();
            let loaded = match rosters_of_each(&self.0.store, &missing).await {
                Ok(loaded) => loaded,
                Err(error) => {
                    tracing::warn!(%error, "could not read members for the feeds");
                    for (organization_id, _) in order {
                        self.0.feeds.missed(organization_id);
                    }
                    continue;
                }
            };
            for (organization_id, chat_id) in order {
                let Some(change) = changes.remove(&chat_id) else { continue };
                if let Some(roster) = loaded.get(&chat_id) {
                    let roster = self.rewound(chat_id, roster.clone(), &change).await;
                    rosters.0.insert(chat_id, roster);
                }
                let (members_before, members) = rosters.pass(&change);
                let Change { chat, before, entries } = change;
                let news = FeedNews { chat, before, entries, members, members_before };
                self.0.feeds.feed(organization_id, news);
            }
            self.feed_views(views).await;
        }
    }

    /// Sends the current state of changed views.
    async fn feed_views(&self, views: Vec<(OrganizationId, ParticipationId, Option<ViewChange>)>) {
        let ids: Vec<_> = views.iter().map(|(_, id, _)| *id).collect();
        if ids.is_empty() {
            return;
        }
        match own_views::find_many(&self.0.store, &ids).await {
            Ok(found) => {
                for (organization_id, id, change) in views {
                    let view = found.iter().find(|view| view.participation.id == id).cloned();
                    if let Some(view) = view.filter(|view| view.chat.organization_id == organization_id) {
                        self.0.feeds.feed_view(organization_id, FeedView { view, change });
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "could not read participations for the feeds");
                for (organization_id, _, _) in views {
                    self.0.feeds.missed(organization_id);
                }
            }
        }
    }

    /// The members of a chat before a change, given its members at some later time.
    async fn rewound(&self, chat_id: ChatId, (at, mut members): Roster, change: &Change) -> Roster {
        let Some((first, last)) = change.span() else { return (at, members) };
        if at > last {
            // More has happened since, which the worker will process later. Its effect on the members is
            // reverted.
            match log::read(&self.0.store, chat_id, last, CATCH_UP).await {
                Ok(Some(batch)) => {
                    let since = batch.entries.iter().filter(|entry| entry.event.sequence <= at);
                    since.rev().for_each(|entry| undo(&mut members, entry));
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%chat_id, %error, "could not read a log for the feeds"),
            }
        }
        change.entries.iter().rev().for_each(|entry| undo(&mut members, entry));
        (first - 1, members)
    }

    /// Adds a job to an earlier change of the burst, without events that were already fed.
    async fn change(
        &self,
        organization_id: OrganizationId,
        chat_id: ChatId,
        earlier: Option<Change>,
        what: What,
    ) -> crate::store::Result<Option<Change>> {
        if !self.0.feeds.has_readers(organization_id) {
            return Ok(None);
        }
        let known = self.0.feeds.known(organization_id, chat_id);
        let known = match &earlier {
            Some(change) => Some(change.known(known)),
            None => known,
        };
        let (first, last) = match &what {
            What::Committed { entries, .. } => match (entries.first(), entries.last()) {
                (Some(first), Some(last)) => (first.event.sequence, last.event.sequence),
                (None, _) | (_, None) => return Ok(earlier),
            },
            What::Stored { first, last } => (*first, *last),
            What::Viewed { .. } => return Ok(earlier),
        };
        let follows = known.as_ref().is_none_or(|known| first == known.chat.last_sequence + 1);
        if known.as_ref().is_some_and(|known| first >= known.from && last <= known.chat.last_sequence) {
            return Ok(earlier);
        }
        let change = match what {
            What::Committed { before, entries } if follows => {
                let Some(chat) = entries.last().map(|entry| Arc::clone(&entry.chat)) else {
                    return Ok(earlier);
                };
                let before = match before {
                    None => Before::New,
                    Some(before) if known.is_none() && self.should_be_known(&before) => Before::Unknown,
                    Some(before) => Before::Known(before),
                };
                Change { chat, before, entries }
            }
            What::Committed { .. } | What::Stored { .. } | What::Viewed { .. } => {
                match self.stored(organization_id, chat_id, known, first).await? {
                    Some(change) => change,
                    None => return Ok(earlier),
                }
            }
        };
        Ok(Some(match earlier {
            Some(earlier) => earlier.then(change),
            None => change,
        }))
    }

    /// Whether a chat with this change time must be tracked, unless a hint was lost.
    fn should_be_known(&self, chat: &chat::Model) -> bool {
        self.0.feeds.is_shared() && chat.logged_at >= self.0.store.clock().now().minus(KNOWN)
    }

    /// Reads untracked entries from the log.
    async fn stored(
        &self,
        organization_id: OrganizationId,
        chat_id: ChatId,
        known: Option<Known>,
        first: i64,
    ) -> crate::store::Result<Option<Change>> {
        let after = match &known {
            Some(known) if first > known.from => known.chat.last_sequence,
            Some(_) | None => first - 1,
        };
        let Some(mut batch) = log::read(&self.0.store, chat_id, after, CATCH_UP).await? else {
            return Ok(None);
        };
        let reaches = batch.entries.last().map(|entry| entry.event.sequence);
        if batch.chat.organization_id != organization_id || reaches.is_none() {
            return Ok(None);
        }
        if reaches != Some(batch.chat.last_sequence) {
            self.0.feeds.missed(organization_id);
        }
        if known.is_none() {
            // If it is unknown what was fed, assume that everything older than the sweep's period was.
            let since = self.0.feeds.covered_at().minus(OVERLAP);
            let old = batch.entries.iter().take_while(|entry| entry.event.created_at < since).count();
            batch.entries.drain(..old.min(batch.entries.len() - 1));
        }
        let before = match known {
            _ if after == 0 => Before::New,
            Some(known) if known.chat.last_sequence == after => Before::Known(known.chat),
            Some(_) | None => Before::Unknown,
        };
        Ok(Some(Change { chat: batch.chat, before, entries: batch.entries }))
    }
}

/// The members of each chat after an event, cached so that each is read once.
#[derive(Default)]
struct Rosters(HashMap<ChatId, Roster>);

impl Rosters {
    /// Whether the members of the chat right before the change are cached.
    fn lead_to(&self, change: &Change) -> bool {
        change.span().is_some_and(|(first, _)| {
            first == 1 || self.0.get(&change.chat.id).is_some_and(|(at, _)| *at == first - 1)
        })
    }

    /// The members of the chat before and after the change.
    fn pass(&mut self, change: &Change) -> (Members, Members) {
        let Some((first, last)) = change.span() else { return Default::default() };
        let before = match self.0.remove(&change.chat.id) {
            Some((at, members)) if at == first - 1 => members,
            Some(_) | None => Members::default(),
        };
        let mut members = before.clone();
        change.entries.iter().for_each(|entry| redo(&mut members, entry));
        self.0.insert(change.chat.id, (last, members.clone()));
        (before, members)
    }
}

impl Change {
    /// The sequences of the first and the last entry.
    fn span(&self) -> Option<(i64, i64)> {
        Some((self.entries.first()?.event.sequence, self.entries.last()?.event.sequence))
    }

    /// The tracked state once this change is fed.
    fn known(&self, known: Option<Known>) -> Known {
        let first = self.entries.first().map_or(self.chat.last_sequence, |entry| entry.event.sequence);
        let from = known.map_or(first, |known| known.from.min(first));
        Known { from, chat: Arc::clone(&self.chat) }
    }

    /// Merges this change with a later one.
    fn then(mut self, later: Self) -> Self {
        let last = self.entries.last().map_or(0, |entry| entry.event.sequence);
        let follows = later.entries.first().is_some_and(|entry| entry.event.sequence == last + 1);
        if !follows {
            // The later change begins before this one, so it includes it.
            return later;
        }
        self.entries.extend(later.entries);
        Self { chat: later.chat, before: self.before, entries: self.entries }
    }
}
