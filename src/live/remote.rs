//! Hints of other nodes. One task collects them and reads the store, so that a burst about one chat takes one
//! read.

use super::bus::Message;
use super::feed_job::{Job, What};
use super::{Live, lock};
use crate::domain::event::{Signal, ViewChange};
use crate::store::{participations, presences};
use entity::{ActorId, ChatId, OrganizationId, ParticipationId, PresenceId};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

/// The maximum number of objects of a kind that wait to be read. The sweep finds those that are dropped.
const WAITING: usize = 10_000;

/// The maximum number of presences read by one statement.
const CHUNK: usize = 500;

/// The hints that were received and not read yet.
#[derive(Default)]
pub(super) struct Heard {
    due: Mutex<Due>,
    came: Notify,
}

#[derive(Default)]
struct Due {
    heads: HashMap<ChatId, i64>,
    participations: HashMap<ParticipationId, ChatId>,
    presences: HashSet<PresenceId>,
    actors: HashSet<ActorId>,
}

impl Live {
    /// Receives a message of another node. Does not block.
    pub(super) fn hear(&self, node: Uuid, message: Message) {
        match message {
            Message::Log { organization_id, chat_id, first, last, stopped_typing } => {
                self.end_typing(chat_id, &stopped_typing);
                self.0.feeds.enqueue(Job { organization_id, chat_id, what: What::Stored { first, last } });
                if self.0.hub.seen(chat_id).is_some_and(|seen| seen < last) {
                    self.due(|due| {
                        if due.heads.len() < WAITING {
                            let head = due.heads.entry(chat_id).or_default();
                            *head = last.max(*head);
                        }
                    });
                }
            }
            Message::Participation { chat_id, id } => self.look_up_participation(chat_id, id),
            Message::View { organization_id, chat_id, id, was_hidden } => {
                self.hear_view(organization_id, chat_id, id, ViewChange::Own { was_hidden });
            }
            Message::Read { organization_id, chat_id, id } => {
                self.hear_view(organization_id, chat_id, id, ViewChange::Read);
            }
            Message::Presence { chat_id, id } => {
                if self.0.hub.has_readers(chat_id) {
                    self.due(|due| {
                        if due.presences.len() < WAITING {
                            due.presences.insert(id);
                        }
                    });
                }
            }
            Message::Typing { chat_id, actor_ids } => {
                let now = self.0.store.clock().now();
                if let Some(told) = self.0.typing.set_remote(chat_id, node, &actor_ids, now) {
                    self.tell_typing(told);
                }
            }
            Message::Actor { id, auth_version } => {
                if self.0.standings.is_behind(id, auth_version) {
                    self.look_up_actor(id);
                }
            }
        }
    }

    /// Reads the objects of received hints. Never returns.
    pub(super) async fn look_up_all(self) {
        loop {
            self.0.heard.came.notified().await;
            let due = std::mem::take(&mut *lock(&self.0.heard.due));
            self.catch_up_all(due.heads).await;
            for (id, chat_id) in due.participations {
                match participations::find(&self.0.store, id).await {
                    Ok(Some(row)) => self.0.hub.signal(row.chat_id, Signal::Participation(row)),
                    Ok(None) => {}
                    Err(error) => tracing::debug!(%chat_id, %error, "could not read a read mark"),
                }
            }
            self.look_up_presences(&due.presences.into_iter().collect::<Vec<_>>()).await;
            let actors: Vec<_> = due.actors.into_iter().collect();
            if let Err(error) = self.reload_actors(&actors).await {
                tracing::warn!(%error, "could not read actors");
            }
        }
    }

    async fn look_up_presences(&self, ids: &[PresenceId]) {
        for chunk in ids.chunks(CHUNK) {
            match presences::find_many(&self.0.store, chunk).await {
                Ok(rows) => {
                    for row in rows {
                        self.tell_renewal(row);
                    }
                }
                Err(error) => tracing::debug!(%error, "could not read presences"),
            }
        }
    }

    fn hear_view(
        &self,
        organization_id: OrganizationId,
        chat_id: ChatId,
        id: ParticipationId,
        change: ViewChange,
    ) {
        self.0.feeds.enqueue(Job {
            organization_id,
            chat_id,
            what: What::Viewed { id, change: Some(change) },
        });
        self.look_up_participation(chat_id, id);
    }

    /// Reads the actor's row and rooms soon.
    pub(super) fn look_up_actor(&self, id: ActorId) {
        self.due(|due| {
            if due.actors.len() < WAITING {
                due.actors.insert(id);
            }
        });
    }

    fn look_up_participation(&self, chat_id: ChatId, id: ParticipationId) {
        if self.0.hub.has_readers(chat_id) {
            self.due(|due| {
                if due.participations.len() < WAITING {
                    due.participations.insert(id, chat_id);
                }
            });
        }
    }

    fn due(&self, add: impl FnOnce(&mut Due)) {
        add(&mut lock(&self.0.heard.due));
        self.0.heard.came.notify_one();
    }
}
