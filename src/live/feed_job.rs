//! The jobs of a feed's worker.

use crate::domain::event::{Entry, ViewChange};
use entity::{ChatId, OrganizationId, ParticipationId, chat};
use std::sync::Arc;

/// A change of a chat to add to the feed of its organization.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) organization_id: OrganizationId,
    pub(super) chat_id: ChatId,
    pub(super) what: What,
}

/// The source of a change.
#[derive(Debug)]
pub(super) enum What {
    /// A commit of this node.
    Committed { before: Option<Arc<chat::Model>>, entries: Vec<Arc<Entry>> },
    /// Stored events, as reported by another node or the sweep.
    Stored { first: i64, last: i64 },
    /// A change of a participant's own view, which is not in the log. The sweep does not know the kind of
    /// change.
    Viewed { id: ParticipationId, change: Option<ViewChange> },
}
