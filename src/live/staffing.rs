//! Rooms that are watched here for whether somebody is there to answer. One task looks at all of them every few seconds,
//! in a statement for each organization, so what it costs does not depend on how often presences are renewed.

use super::item::RoomItem;
use super::{Live, LiveError, lock};
use crate::domain::event::Signal;
use crate::domain::limits;
use crate::domain::policy;
use crate::domain::viewer::{Standing, Viewer};
use crate::store::{Result, rooms};
use entity::{ChatId, OrganizationId, RoomAccess, RoomId, room};
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Rooms of one statement.
const CHUNK: usize = 100;
/// How long the first look after a change waits for others to come with it.
const GATHER: Duration = Duration::from_millis(100);

/// The rooms that are watched here.
#[derive(Default)]
pub(super) struct Staffing {
    watched: Mutex<HashMap<RoomId, Watched>>,
    again: Notify,
}

struct Watched {
    organization_id: OrganizationId,
    /// The room when it was last looked at.
    state: watch::Sender<State>,
    /// The chats in which somebody waits, with how many streams do.
    chats: HashMap<ChatId, usize>,
}

/// What is told of a room.
#[derive(Clone, Debug)]
struct State {
    room: room::Model,
    is_staffed: bool,
}

impl State {
    fn shown(&self) -> (&str, RoomAccess, bool) {
        (&self.room.name, self.room.access, self.is_staffed)
    }
}

/// Somebody waits in a chat of the room for as long as this lives.
pub(super) struct Waiting {
    live: Live,
    room_id: RoomId,
    chat_id: ChatId,
    /// Keeps the room watched.
    _state: watch::Receiver<State>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(watched) = lock(&self.live.0.staffing.watched).get_mut(&self.room_id)
            && let Some(streams) = watched.chats.get_mut(&self.chat_id)
        {
            *streams -= 1;
            if *streams == 0 {
                watched.chats.remove(&self.chat_id);
            }
        }
    }
}

impl Staffing {
    /// Has all rooms looked at soon.
    pub(super) fn look_again(&self) {
        self.again.notify_one();
    }

    /// The state of a room to watch, where it is watched.
    fn watch(&self, room_id: RoomId) -> Option<watch::Receiver<State>> {
        lock(&self.watched).get(&room_id).map(|watched| watched.state.subscribe())
    }

    /// The watched rooms of each organization. Forgets those that nobody watches any more.
    fn by_organization(&self) -> HashMap<OrganizationId, Vec<RoomId>> {
        let mut watched = lock(&self.watched);
        watched.retain(|_, watched| watched.state.receiver_count() > 0);
        let mut rooms: HashMap<_, Vec<_>> = HashMap::new();
        for (room_id, watched) in watched.iter() {
            rooms.entry(watched.organization_id).or_default().push(*room_id);
        }
        rooms
    }

    /// Takes the state of a room. Returns the chats to tell of it, where somebody came to answer or has gone.
    fn take(&self, state: State) -> Vec<ChatId> {
        let watched = lock(&self.watched);
        let Some(watched) = watched.get(&state.room.id) else { return Vec::new() };
        let mut chats = Vec::new();
        watched.state.send_if_modified(|known| {
            if known.is_staffed != state.is_staffed {
                chats.extend(watched.chats.keys().copied());
            }
            let is_new = known.shown() != state.shown();
            *known = state;
            is_new
        });
        chats
    }
}

impl Live {
    /// A room, now and whenever its name, its access or its staffing has changed, until the viewer sees it no longer.
    pub async fn room_changes(
        &self,
        viewer: &Viewer,
        room_id: RoomId,
    ) -> std::result::Result<BoxStream<'static, RoomItem>, LiveError> {
        let (standing, viewer) = self.stand(viewer).await;
        let organization_id = viewer.organization_id;
        let open = || async move { Ok(self.watch_room(organization_id, room_id).await?) }.boxed();
        let state = self.start(open).await?.ok_or(LiveError::NotFound)?;
        if !policy::sees_room(&viewer, &state.borrow().room) {
            return Err(LiveError::NotFound);
        }
        let changes = RoomChanges { live: self.clone(), viewer, standing, state, is_due: true };
        Ok(stream::unfold(changes, |mut changes| async move {
            let item = changes.next().await?;
            Some((item, changes))
        })
        .boxed())
    }

    /// Has the readers of a chat told when somebody comes to answer in its room, or goes.
    pub(super) async fn wait_in(
        &self,
        organization_id: OrganizationId,
        room_id: RoomId,
        chat_id: ChatId,
    ) -> std::result::Result<Waiting, LiveError> {
        let state = self.watch_room(organization_id, room_id).await?.ok_or(LiveError::NotFound)?;
        if let Some(watched) = lock(&self.0.staffing.watched).get_mut(&room_id) {
            *watched.chats.entry(chat_id).or_default() += 1;
        }
        Ok(Waiting { live: self.clone(), room_id, chat_id, _state: state })
    }

    async fn watch_room(
        &self,
        organization_id: OrganizationId,
        room_id: RoomId,
    ) -> Result<Option<watch::Receiver<State>>> {
        if let Some(state) = self.0.staffing.watch(room_id) {
            return Ok(Some(state));
        }
        let Some(state) = self.look_at(organization_id, &[room_id]).await?.pop() else { return Ok(None) };
        let mut watched = lock(&self.0.staffing.watched);
        let watched = watched.entry(room_id).or_insert_with(|| Watched {
            organization_id,
            state: watch::Sender::new(state),
            chats: HashMap::new(),
        });
        Ok(Some(watched.state.subscribe()))
    }

    /// Looks at the watched rooms, for ever.
    pub(super) async fn watch_staffing(self) {
        let mut ticks = tokio::time::interval(self.0.settings.sweep.max(Duration::from_millis(10)) * 2);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.0.staffing.again.notified() => tokio::time::sleep(GATHER).await,
            }
            for (organization_id, room_ids) in self.0.staffing.by_organization() {
                for chunk in room_ids.chunks(CHUNK) {
                    match self.look_at(organization_id, chunk).await {
                        Ok(states) => states.into_iter().for_each(|state| self.tell_staffing(state)),
                        Err(error) => tracing::warn!(%error, "could not look who answers in rooms"),
                    }
                }
            }
        }
    }

    fn tell_staffing(&self, state: State) {
        let room = state.room.clone();
        for chat_id in self.0.staffing.take(state) {
            self.0.hub.signal(chat_id, Signal::Room(room.clone()));
        }
    }

    async fn look_at(&self, organization_id: OrganizationId, room_ids: &[RoomId]) -> Result<Vec<State>> {
        let store = &self.0.store;
        let since = store.clock().now().minus(limits::ONLINE);
        let found = rooms::find_many_in_organization(store, organization_id, room_ids).await?;
        let staffed = rooms::staffed(store, organization_id, room_ids, since).await?;
        let state = |room: room::Model| State { is_staffed: staffed.contains(&room.id), room };
        Ok(found.into_iter().map(state).collect())
    }
}

struct RoomChanges {
    live: Live,
    viewer: Viewer,
    standing: watch::Receiver<Standing>,
    state: watch::Receiver<State>,
    /// Whether there is something to tell.
    is_due: bool,
}

impl RoomChanges {
    async fn next(&mut self) -> Option<RoomItem> {
        loop {
            let is_here = self.viewer.stand(&self.standing.borrow_and_update());
            if !is_here {
                // The transport closes the connection.
                std::future::pending::<()>().await;
            }
            if !policy::sees_room(&self.viewer, &self.state.borrow().room) {
                return None;
            }
            if std::mem::take(&mut self.is_due) {
                let room = self.state.borrow_and_update().room.clone();
                return Some(RoomItem { at: self.live.0.store.clock().now(), room });
            }
            tokio::select! {
                _ = self.standing.changed() => {}
                changed = self.state.changed() => self.is_due = changed.is_ok(),
            }
        }
    }
}
