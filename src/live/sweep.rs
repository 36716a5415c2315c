//! The sweep: every few seconds, it compares the readers' positions with the store in a handful of
//! statements, and finds what lost hints did not report.

use super::Live;
use super::chat::OVERLAP;
use super::feed_job::{Job, What};
use super::reader::BATCH;
use crate::store::own_views::{self, ChangedView};
use crate::store::{Result, connected, feed, log, presences};
use chrono::TimeDelta;
use entity::{ActorId, ChatId};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::Instant;

/// The maximum number of ids in one statement.
const CHUNK: usize = 1_000;
/// The maximum number of chats read concurrently.
const AT_ONCE: usize = 4;
/// How far back changed own views are searched: a transaction takes at most 10 s, and the clocks of nodes
/// differ by less than 2 s.
const VIEWED: TimeDelta = TimeDelta::seconds(15);
/// The number of events read of a chat that changed without being tracked.
const LOOK_BACK: i64 = 50;

impl Live {
    /// Runs the sweeps. Never returns.
    pub(super) async fn sweep_all(self) {
        let mut ticks = tokio::time::interval(self.0.settings.sweep.max(Duration::from_millis(10)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut presences_at = Instant::now();
        loop {
            ticks.tick().await;
            let mut swept = vec![
                ("chats", self.sweep_chats().await),
                ("feeds", self.sweep_feeds().await),
                ("views", self.sweep_views().await),
                ("actors", self.sweep_actors().await),
            ];
            // More frequent reads would find nothing that may be published.
            if presences_at.elapsed() >= self.0.renewals.interval().to_std().unwrap_or_default() {
                presences_at = Instant::now();
                swept.push(("presences", self.sweep_presences().await));
            }
            for (what, swept) in swept {
                if let Err(error) = swept {
                    tracing::warn!(what, %error, "a sweep failed");
                }
            }
        }
    }

    /// Sends and expires typing indicators, by real time. Everything else expires by the store's clock.
    pub(super) async fn tick_typing(self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for told in self.0.typing.tick(self.0.store.clock().now()) {
                self.tell_typing(told);
            }
        }
    }

    async fn sweep_chats(&self) -> Result<()> {
        for chunk in self.0.hub.chats().chunks(CHUNK) {
            let heads = log::heads(&self.0.store, chunk).await?;
            self.catch_up_all(heads).await;
        }
        Ok(())
    }

    async fn sweep_feeds(&self) -> Result<()> {
        if !self.0.feeds.is_shared() {
            return Ok(());
        }
        let now = self.0.store.clock().now();
        let since = self.0.feeds.covered_at().min(now).minus(OVERLAP);
        let organizations = self.0.feeds.organizations();
        for chunk in organizations.chunks(CHUNK) {
            for chat in feed::changed_since(&self.0.store, chunk, since).await? {
                let last = chat.last_sequence;
                let first = match self.0.feeds.known(chat.organization_id, chat.id) {
                    Some(known) if known.chat.last_sequence >= last => continue,
                    Some(known) => known.chat.last_sequence + 1,
                    None => (last - LOOK_BACK).max(1),
                };
                let what = What::Stored { first, last };
                self.0.feeds.enqueue(Job { organization_id: chat.organization_id, chat_id: chat.id, what });
            }
        }
        self.0.feeds.cover(now);
        Ok(())
    }

    /// Finds own views and read marks of connected actors that changed without a hint.
    async fn sweep_views(&self) -> Result<()> {
        if !self.0.feeds.is_shared() {
            return Ok(());
        }
        let since = self.0.store.clock().now().minus(VIEWED);
        for chunk in self.0.standings.connected().chunks(CHUNK) {
            for view in own_views::changed_of_actors(&self.0.store, chunk, since).await? {
                let ChangedView { id, chat_id, organization_id, viewed_at } = view;
                if !self.0.feeds.has_fed_view(organization_id, id, viewed_at) {
                    let what = What::Viewed { id, change: None };
                    self.0.feeds.enqueue(Job { organization_id, chat_id, what });
                }
            }
        }
        Ok(())
    }

    async fn sweep_actors(&self) -> Result<()> {
        for chunk in self.0.standings.connected().chunks(CHUNK) {
            let versions = connected::auth_versions(&self.0.store, chunk).await?;
            let behind: Vec<_> = versions
                .into_iter()
                .filter(|(id, version)| self.0.standings.is_behind(*id, *version))
                .map(|(id, _)| id)
                .collect();
            self.reload_actors(&behind).await?;
        }
        Ok(())
    }

    /// Finds presences that other nodes renewed, in chats with readers here.
    async fn sweep_presences(&self) -> Result<()> {
        let longest_ago = self.0.store.clock().now().minus(self.0.settings.presence_ttl * 2);
        self.0.renewals.forget_before(longest_ago);
        if !self.0.feeds.is_shared() {
            return Ok(());
        }
        for chunk in self.0.hub.chats().chunks(CHUNK) {
            for row in presences::list_now_of_many(&self.0.store, chunk).await? {
                self.tell_renewal(row);
            }
        }
        Ok(())
    }

    /// Reads the current access of actors.
    pub(super) async fn reload_actors(&self, ids: &[ActorId]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        for principal in connected::principals_by_id(&self.0.store, ids).await? {
            self.0.standings.reload(&principal);
        }
        Ok(())
    }

    /// Reads, once for all readers here, the logs of chats whose heads are beyond the announced sequence.
    pub(super) async fn catch_up_all(&self, heads: impl IntoIterator<Item = (ChatId, i64)>) {
        futures_util::stream::iter(heads)
            .for_each_concurrent(AT_ONCE, |(chat_id, head)| self.catch_up(chat_id, head))
            .await;
    }

    async fn catch_up(&self, chat_id: ChatId, head: i64) {
        let Some(seen) = self.0.hub.seen(chat_id).filter(|seen| *seen < head) else { return };
        if seen == 0 {
            // The chat's readers are just starting and will report their positions.
            self.0.hub.tell_head(chat_id, head);
            return;
        }
        match log::read(&self.0.store, chat_id, seen, BATCH).await {
            Ok(Some(batch)) => {
                self.0.hub.forward(chat_id, &batch.entries);
                if batch.entries.last().is_none_or(|last| last.event.sequence < batch.chat.last_sequence) {
                    self.0.hub.tell_head(chat_id, batch.chat.last_sequence);
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%chat_id, %error, "could not read a log");
                // Each reader retries on its own.
                self.0.hub.tell_head(chat_id, head);
            }
        }
    }
}
