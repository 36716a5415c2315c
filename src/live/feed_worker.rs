//! The feeds' worker: commits and hints become news.

use super::Live;
use super::chat::OVERLAP;
use super::feed::{Before, FeedNews, KNOWN, Known, members_before};
use crate::domain::event::Entry;
use crate::store::feed::members_of_each;
use crate::store::log;
use entity::{ChatId, OrganizationId, chat};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Jobs of one burst: their chats' members are loaded together.
const BURST: usize = 64;
/// Entries of a chat that are read to catch up; a feed that missed more than that is read as a whole.
const CATCH_UP: u64 = 200;

/// Something to feed.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) organization_id: OrganizationId,
    pub(super) chat_id: ChatId,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// A commit of this node.
    Committed { before: Option<Arc<chat::Model>>, entries: Vec<Arc<Entry>> },
    /// Events that are in the store, as another node or the sweep says.
    Stored { first: i64, last: i64 },
}

/// What became of a chat, but for who is in it.
#[derive(Clone)]
struct Change {
    chat: Arc<chat::Model>,
    before: Before,
    entries: Vec<Arc<Entry>>,
}

impl Live {
    /// Feeds until the queue is closed.
    pub(super) async fn feed_all(self, mut jobs: mpsc::Receiver<Job>) {
        let mut burst = Vec::with_capacity(BURST);
        while jobs.recv_many(&mut burst, BURST).await > 0 {
            // In the order in which the chats came; those of one chat together.
            let mut order: Vec<(OrganizationId, ChatId)> = Vec::new();
            let mut changes: HashMap<ChatId, Change> = HashMap::new();
            for Job { organization_id, chat_id, what } in burst.drain(..) {
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
                        tracing::warn!(%chat_id, %error, "a change could not be read for the feeds");
                        self.0.feeds.missed(organization_id);
                    }
                }
            }
            let chat_ids: Vec<_> = changes.keys().copied().collect();
            let mut members = match members_of_each(&self.0.store, &chat_ids).await {
                Ok(members) => members,
                Err(error) => {
                    tracing::warn!(%error, "members could not be read for the feeds");
                    for (organization_id, _) in order {
                        self.0.feeds.missed(organization_id);
                    }
                    continue;
                }
            };
            for (organization_id, chat_id) in order {
                let Some(Change { chat, before, entries }) = changes.remove(&chat_id) else { continue };
                let members = members.remove(&chat_id).unwrap_or_default();
                let members_before = members_before(&entries, &members);
                let news = FeedNews { chat, before, entries, members, members_before };
                self.0.feeds.feed(organization_id, news);
            }
        }
    }

    /// What a job adds to what is fed of the chat already, and to an earlier job of the same burst.
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
            What::Committed { .. } | What::Stored { .. } => {
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

    /// Whether a chat that changed when this one did is known, unless a hint was lost.
    fn should_be_known(&self, chat: &chat::Model) -> bool {
        self.0.feeds.is_shared() && chat.updated_at >= self.0.store.clock().now().minus(KNOWN)
    }

    /// Reads from the log what is not known of it.
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
            // Where nobody knows what was fed, what is older than the sweep looks back was.
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

impl Change {
    /// What is known once this is fed.
    fn known(&self, known: Option<Known>) -> Known {
        let first = self.entries.first().map_or(self.chat.last_sequence, |entry| entry.event.sequence);
        let from = known.map_or(first, |known| known.from.min(first));
        Known { from, chat: Arc::clone(&self.chat) }
    }

    /// This and what came after it, as one.
    fn then(mut self, later: Self) -> Self {
        let last = self.entries.last().map_or(0, |entry| entry.event.sequence);
        let follows = later.entries.first().is_some_and(|entry| entry.event.sequence == last + 1);
        if !follows {
            // Read from further back than this was: it holds all of this, too.
            return later;
        }
        self.entries.extend(later.entries);
        Self { chat: later.chat, before: self.before, entries: self.entries }
    }
}
