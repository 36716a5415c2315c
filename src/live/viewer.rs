//! `viewerEvents`: events across one viewer's chats. Each event carries the current chat.

use super::cursor::CursorError;
use super::feed::{Before, FeedNews};
use super::feed_reader::{FeedReader, FeedStep, QUEUED, RESUMABLE, may_have_seen, may_have_seen_found, sees};
use super::lease::Lease;
use super::{Live, LiveError, Pulse, ResetReason, ViewerChange, ViewerItem, scopes};
use crate::domain::change::SessionChange;
use crate::domain::chat_filter::Members;
use crate::domain::event::{Change, Entry, ViewChange};
use crate::domain::policy::{self, Follows, Ties};
use crate::domain::viewer::Viewer;
use crate::store::feed::{Found, Place, Queued};
use crate::store::own_views::{self, OwnView};
use crate::store::rooms;
use entity::{ChatType, RoomId, Timestamp, chat};
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::collections::VecDeque;
use std::sync::Arc;

/// The maximum number of own views and read marks sent when a viewer reconnects. If there are more, the
/// stream starts over.
const VIEWS: usize = 200;

impl Live {
    /// Streams the viewer's inbox, the queues of rooms and the viewer's sessions. With a valid cursor, starts
    /// with the changes since then, in which a chat that the client already knows may be repeated; otherwise,
    /// starts with a reset. Keeps the viewer's presences alive while the connection has a pulse.
    pub async fn viewer_events(
        &self,
        viewer: &Viewer,
        pulse: Pulse,
        room_ids: Vec<RoomId>,
        after: Option<&str>,
    ) -> Result<BoxStream<'static, ViewerItem>, LiveError> {
        // Held while the stream waits for its turn, too: whoever comes back is there.
        let lease = Arc::new(self.0.leases.keep(viewer, None, pulse));
        let open = || self.open_viewer_events(viewer, Arc::clone(&lease), room_ids.clone(), after).boxed();
        self.start(open).await
    }

    async fn open_viewer_events(
        &self,
        viewer: &Viewer,
        lease: Arc<Lease>,
        mut room_ids: Vec<RoomId>,
        after: Option<&str>,
    ) -> Result<BoxStream<'static, ViewerItem>, LiveError> {
        room_ids.sort_unstable();
        room_ids.dedup();
        let may_follow = match policy::follows(viewer) {
            Follows::Nothing => false,
            Follows::Own => room_ids.is_empty(),
            Follows::Organization => {
                let organization_id = viewer.organization_id;
                let rooms =
                    rooms::find_many_in_organization(&self.0.store, organization_id, &room_ids).await?;
                rooms.len() == room_ids.len() && rooms.iter().all(|room| policy::sees_room(viewer, room))
            }
        };
        if !may_follow {
            return Err(LiveError::NotFound);
        }
        let hash = scopes::viewer_events(viewer.actor_id, &room_ids);
        let oldest = self.0.store.clock().now().minus(RESUMABLE);
        let (after, mut reset) = match after.map(|cursor| self.decode_feed(viewer, &hash, cursor)) {
            None => (None, Some(ResetReason::Initial)),
            Some(Ok(at)) if at >= oldest => (Some(at), None),
            Some(Ok(_) | Err(CursorError::Expired)) => (None, Some(ResetReason::CursorExpired)),
            Some(Err(CursorError::Invalid)) => return Err(LiveError::CursorInvalid),
        };
        let place = Place::Inbox(viewer.actor_id, room_ids.clone());
        let reader = match FeedReader::open(self, viewer, place.clone(), hash, after).await {
            Err(LiveError::CursorExpired) => {
                reset = Some(ResetReason::CursorExpired);
                FeedReader::open(self, viewer, place, hash, None).await?
            }
            opened => opened?,
        };
        let mut events = ViewerEvents { reader, room_ids, ready: VecDeque::new(), _lease: lease };
        if let Some(reason) = reset {
            events.push(self.0.store.clock().now(), ViewerChange::Reset(reason));
        }
        Ok(stream::unfold(events, |mut events| async move {
            let item = events.next().await?;
            Some((item, events))
        })
        .boxed())
    }
}

struct ViewerEvents {
    reader: FeedReader,
    /// The followed rooms, sorted.
    room_ids: Vec<RoomId>,
    ready: VecDeque<ViewerItem>,
    _lease: Arc<Lease>,
}

/// The lists of the viewer that contain a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Whereabouts {
    is_seen: bool,
    /// Whether the viewer participates or is present in it.
    is_member: bool,
    /// Whether it is in the inbox: the same, and the viewer does not hide it.
    is_in_inbox: bool,
    /// The followed room in which it waits.
    queue: Option<RoomId>,
}

impl ViewerEvents {
    async fn next(&mut self) -> Option<ViewerItem> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            match self.reader.next().await {
                FeedStep::News(news) => self.take_news(&news),
                FeedStep::Found(found) => self.take_found(&found),
                FeedStep::View(view) => self.take_view(&view.view, view.change),
                FeedStep::Scanned(since) => Box::pin(self.take_views(since)).await,
                FeedStep::AccessChanged(before) => Box::pin(self.take_access(&before)).await,
            }
        }
    }

    fn take_news(&mut self, news: &FeedNews) {
        let now = self.whereabouts(&news.chat, &news.members);
        if !self.reader.is_old(news) {
            let was = match &news.before {
                Before::New => {
                    Some(Whereabouts { is_seen: false, is_member: false, is_in_inbox: false, queue: None })
                }
                Before::Known(before) => Some(self.whereabouts(before, &news.members_before)),
                Before::Unknown => None,
            };
            let (was, is_certain) = match was {
                Some(was) => (was, true),
                None => (self.may_have_been(news), false),
            };
            self.compare(&news.chat, was, now, is_certain);
        }
        if !now.is_seen {
            return;
        }
        let actor_id = self.reader.viewer().actor_id;
        let took_part = |entry: &Arc<Entry>| matches!(&entry.event.change, Change::Participation(_, row) if row.actor_id == actor_id);
        // An actor who was removed from the chat, and so from its sessions, receives this event too.
        let was_member =
            Ties::among(&news.members_before, actor_id).participates() || news.entries.iter().any(took_part);
        for entry in &news.entries {
            let Change::Session(change, row) = &entry.event.change else { continue };
            let viewer = self.reader.viewer();
            let concerns = now.is_in_inbox || was_member || row.has_participant(viewer.actor_id);
            if !concerns || !policy::sees_session(viewer, &row.participant_ids) {
                continue;
            }
            let change = match change {
                SessionChange::Added => ViewerChange::SessionAdded(row.clone()),
                SessionChange::Changed | SessionChange::Moved(_) => {
                    ViewerChange::SessionChanged(row.clone(), change.action())
                }
            };
            self.push(entry.event.created_at, change);
        }
    }

    fn take_found(&mut self, found: &Found) {
        let now = self.whereabouts(&found.chat, &found.members);
        let may_have_seen = may_have_seen_found(self.reader.viewer(), found);
        let was = Whereabouts {
            is_seen: may_have_seen,
            is_member: found.was_member,
            is_in_inbox: found.was_member,
            queue: self.followed_room(&found.chat).filter(|_| may_have_seen),
        };
        self.compare(&found.chat, was, now, false);
        if !now.is_seen {
            return;
        }
        // A session may have called the viewer before, even if it no longer does.
        for row in &found.sessions {
            if policy::sees_session(self.reader.viewer(), &row.participant_ids) {
                self.push(row.session.changed_at, ViewerChange::SessionChanged(row.clone(), None));
            }
        }
    }

    /// Sends the changes of a chat in the viewer's lists. If its previous state is uncertain, current
    /// memberships are sent as added.
    fn compare(&mut self, chat: &Arc<chat::Model>, was: Whereabouts, now: Whereabouts, is_certain: bool) {
        let at = self.reader.changed_at(chat);
        let mut is_told = false;
        match (was.queue, now.queue) {
            (Some(room_id), None) => self.push(at, ViewerChange::QueueChatRemoved(chat.id, room_id)),
            (was, Some(_)) if was.is_none() || !is_certain => {
                is_told = true;
                self.push(at, ViewerChange::QueueChatAdded(Arc::clone(chat)));
            }
            (_, Some(_)) | (None, None) => {}
        }
        match (was.is_in_inbox, now.is_in_inbox) {
            (true, false) => self.push(at, ViewerChange::InboxChatRemoved(chat.id)),
            (was, true) if !was || !is_certain => {
                is_told = true;
                self.push(at, ViewerChange::InboxChatAdded(Arc::clone(chat)));
            }
            (_, true) | (false, false) => {}
        }
        let stayed = (was.is_in_inbox && now.is_in_inbox) || (was.queue.is_some() && now.queue.is_some());
        if stayed && !is_told {
            self.push(at, ViewerChange::ChatChanged(Arc::clone(chat)));
        }
        if was.is_seen && !now.is_seen && (was.is_member || was.queue.is_some()) {
            self.push(at, ViewerChange::ChatGone(chat.id));
        }
    }

    /// Sends the chats that the viewer gained or lost by a change of their role or rooms.
    async fn take_access(&mut self, before: &Viewer) {
        let now = self.reader.live().0.store.clock().now();
        if before.role != self.reader.viewer().role {
            self.push(now, ViewerChange::Reset(ResetReason::CursorExpired));
            return;
        }
        let rooms = &self.reader.viewer().rooms;
        let differ = |room_id: &&RoomId| before.rooms.differ_in(rooms, **room_id);
        let room_ids: Vec<_> = self.room_ids.iter().filter(differ).copied().collect();
        if room_ids.is_empty() {
            return;
        }
        let queued = self.reader.queued_in(&room_ids).await;
        if queued.len() > usize::try_from(QUEUED).unwrap_or(usize::MAX) {
            self.push(now, ViewerChange::Reset(ResetReason::CursorExpired));
            return;
        }
        for Queued { chat, members } in &queued {
            let was = self.whereabouts_of(before, chat, members);
            let is = self.whereabouts(chat, members);
            // One that waits no longer may still be shown as waiting.
            let queue = self.followed_room(chat).filter(|_| was.is_seen);
            let was = Whereabouts { queue, is_in_inbox: is.is_in_inbox, ..was };
            if was.is_seen != is.is_seen {
                self.compare(chat, was, is, true);
            }
        }
    }

    /// Sends the own views and read marks that changed while the viewer was disconnected.
    async fn take_views(&mut self, since: Timestamp) {
        loop {
            let (actor_id, store) = (self.reader.viewer().actor_id, &self.reader.live().0.store);
            let turn = self.reader.live().reading().await;
            let read = own_views::changed_since(store, actor_id, since, VIEWS as u64 + 1).await;
            drop(turn);
            match read {
                Ok(views) if views.len() > VIEWS => {
                    let now = store.clock().now();
                    self.push(now, ViewerChange::Reset(ResetReason::CursorExpired));
                    return;
                }
                Ok(views) => {
                    views.iter().rev().for_each(|view| self.take_view(view, None));
                    return;
                }
                Err(error) => self.reader.wait_after(&error).await,
            }
        }
    }

    /// Sends a changed own view. If the kind of change is unknown, as after a reconnect, it is unknown what
    /// the client has received before, so current memberships are sent as added.
    fn take_view(&mut self, view: &OwnView, change: Option<ViewChange>) {
        let OwnView { participation, chat, members } = view;
        let now = self.whereabouts(chat, members);
        if !now.is_member {
            return;
        }
        let change = match (change, now.is_in_inbox) {
            (Some(ViewChange::Read), false) => return,
            (None | Some(ViewChange::Own { .. }), false) => ViewerChange::InboxChatRemoved(chat.id),
            (None | Some(ViewChange::Own { was_hidden: true }), true) => {
                ViewerChange::InboxChatAdded(Arc::clone(chat))
            }
            (Some(ViewChange::Own { was_hidden: false } | ViewChange::Read), true) => {
                ViewerChange::ChatChanged(Arc::clone(chat))
            }
        };
        self.push(participation.updated_at, change);
    }

    fn whereabouts(&self, chat: &chat::Model, members: &Members) -> Whereabouts {
        self.whereabouts_of(self.reader.viewer(), chat, members)
    }

    fn whereabouts_of(&self, viewer: &Viewer, chat: &chat::Model, members: &Members) -> Whereabouts {
        let is_seen = sees(viewer, chat, members);
        let is_member = members.contains(viewer.actor_id);
        let waits = chat.ended_at.is_none() && chat.waiting_since.is_some();
        Whereabouts {
            is_seen,
            is_member: is_seen && is_member,
            is_in_inbox: is_seen && is_member && !members.hides(viewer.actor_id, chat),
            queue: self.followed_room(chat).filter(|_| is_seen && waits),
        }
    }

    /// The lists that may have contained a chat before a change whose previous state is unknown.
    fn may_have_been(&self, news: &FeedNews) -> Whereabouts {
        let viewer = self.reader.viewer();
        let may_have_seen = may_have_seen(viewer, news);
        let was_member = news.members_before.contains(viewer.actor_id);
        Whereabouts {
            is_seen: may_have_seen,
            is_member: was_member,
            is_in_inbox: was_member,
            queue: self.followed_room(&news.chat).filter(|_| may_have_seen),
        }
    }

    fn followed_room(&self, chat: &chat::Model) -> Option<RoomId> {
        match chat.chat_type {
            ChatType::Visitor => chat.room_id.filter(|room_id| self.room_ids.binary_search(room_id).is_ok()),
            ChatType::Direct | ChatType::Group => None,
        }
    }

    fn push(&mut self, at: Timestamp, change: ViewerChange) {
        let cursor = self.reader.cursor();
        self.ready.push_back(ViewerItem { cursor, at, change });
    }
}
