//! Reading: what a viewer may see, one by one and in pages. What they may not see is not there.

use super::{Actions, Result};
use crate::domain::chat_filter::{ChatFilter, ChatOrder};
use crate::domain::event::{MessageRow, SessionRow};
use crate::domain::page::{Page, PageRequest};
use crate::domain::viewer::Viewer;
use entity::{
    ActorId, ActorType, ChatId, MessageId, MessageType, ParticipationId, PresenceId, RoomId, SessionId, SessionState,
    SessionType, actor, chat, organization, participation, presence, room,
};
use std::collections::HashMap;

/// The same page of the lists of several chats, read in one statement.
pub type PageOfEach<T> = HashMap<ChatId, Page<T>>;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MessageFilter {
    /// Of these types; all where absent.
    pub types: Option<Vec<MessageType>>,
    /// Around this message: the page is then read from there in the direction asked for, the message first.
    pub around: Option<MessageId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionFilter {
    pub session_type: Option<SessionType>,
    pub states: Option<Vec<SessionState>>,
    pub participant_id: Option<ActorId>,
    pub chat_id: Option<ChatId>,
}

impl Actions {
    pub async fn organization(&self, _viewer: &Viewer) -> Result<organization::Model> {
        todo!()
    }
    pub async fn room(&self, _viewer: &Viewer, _id: RoomId) -> Result<Option<room::Model>> {
        todo!()
    }
    /// A user or a visitor; a visitor sees themself and the users of the organization.
    pub async fn actor(&self, _viewer: &Viewer, _id: ActorId) -> Result<Option<actor::Model>> {
        todo!()
    }
    pub async fn visitor_by_external_id(&self, _viewer: &Viewer, _external_id: &str) -> Result<Option<actor::Model>> {
        todo!()
    }
    pub async fn chat(&self, _viewer: &Viewer, _id: ChatId) -> Result<Option<chat::Model>> {
        todo!()
    }
    /// Those of the chats that the viewer may see: for loaders.
    pub async fn visible_chats(&self, _viewer: &Viewer, _ids: &[ChatId]) -> Result<Vec<chat::Model>> {
        todo!()
    }
    pub async fn message(&self, _viewer: &Viewer, _id: MessageId) -> Result<Option<MessageRow>> {
        todo!()
    }
    pub async fn presence(&self, _viewer: &Viewer, _id: PresenceId) -> Result<Option<presence::Model>> {
        todo!()
    }
    pub async fn participation(&self, _viewer: &Viewer, _id: ParticipationId) -> Result<Option<participation::Model>> {
        todo!()
    }
    pub async fn session(&self, _viewer: &Viewer, _id: SessionId) -> Result<Option<SessionRow>> {
        todo!()
    }

    // Lists of the organization. Visitors get Forbidden for rooms' and users' reports (policy ReadOrganization).
    pub async fn rooms(&self, _viewer: &Viewer, _page: &PageRequest) -> Result<Page<room::Model>> {
        todo!()
    }
    pub async fn users(&self, _viewer: &Viewer, _page: &PageRequest) -> Result<Page<actor::Model>> {
        todo!()
    }
    /// `query` matches a part of the display name or the whole externalId.
    pub async fn visitors(&self, _viewer: &Viewer, _query: Option<&str>, _page: &PageRequest) -> Result<Page<actor::Model>> {
        todo!()
    }
    /// All that the viewer may see and the filter matches.
    pub async fn chats(&self, _viewer: &Viewer, _filter: &ChatFilter, _order: ChatOrder, _page: &PageRequest) -> Result<Page<chat::Model>> {
        todo!()
    }
    /// Chats the viewer takes part in or is present in, latest message first.
    pub async fn inbox(&self, _viewer: &Viewer, _filter: &ChatFilter, _page: &PageRequest) -> Result<Page<chat::Model>> {
        todo!()
    }
    pub async fn sessions(&self, _viewer: &Viewer, _filter: &SessionFilter, _page: &PageRequest) -> Result<Page<SessionRow>> {
        todo!()
    }
    pub async fn open_sessions(&self, _viewer: &Viewer) -> Result<Vec<SessionRow>> {
        todo!()
    }
    /// Unread messages over all chats of the viewer, up to 100.
    pub async fn unread_count(&self, _viewer: &Viewer) -> Result<u64> {
        todo!()
    }

    // Lists of chats that the caller already holds, and so may see.
    pub async fn messages_of_each(&self, _viewer: &Viewer, _chats: &[ChatId], _filter: &MessageFilter, _page: &PageRequest) -> Result<PageOfEach<MessageRow>> {
        todo!()
    }
    pub async fn presences_of_each(&self, _viewer: &Viewer, _chats: &[ChatId], _include_ended: bool, _page: &PageRequest) -> Result<PageOfEach<presence::Model>> {
        todo!()
    }
    pub async fn participations_of_each(&self, _viewer: &Viewer, _chats: &[ChatId], _actor_type: Option<ActorType>, _page: &PageRequest) -> Result<PageOfEach<participation::Model>> {
        todo!()
    }
    pub async fn sessions_of_each(&self, _viewer: &Viewer, _chats: &[ChatId], _page: &PageRequest) -> Result<PageOfEach<SessionRow>> {
        todo!()
    }

    // Batches for loaders: keyed by what they were asked for, what is missing is left out.
    pub async fn actors_by_id(&self, _viewer: &Viewer, _ids: &[ActorId]) -> Result<HashMap<ActorId, actor::Model>> {
        todo!()
    }
    pub async fn rooms_by_id(&self, _viewer: &Viewer, _ids: &[RoomId]) -> Result<HashMap<RoomId, room::Model>> {
        todo!()
    }
    pub async fn sessions_by_id(&self, _viewer: &Viewer, _ids: &[SessionId]) -> Result<HashMap<SessionId, SessionRow>> {
        todo!()
    }
    /// The session of each chat that rings or runs.
    pub async fn open_session_of_each(&self, _viewer: &Viewer, _chats: &[ChatId]) -> Result<HashMap<ChatId, SessionRow>> {
        todo!()
    }
    pub async fn last_message_of_each(&self, _viewer: &Viewer, _chats: &[ChatId]) -> Result<HashMap<ChatId, MessageRow>> {
        todo!()
    }
    /// The viewer's own participation in each chat, ended ones too.
    pub async fn own_participation_of_each(&self, _viewer: &Viewer, _chats: &[ChatId]) -> Result<HashMap<ChatId, participation::Model>> {
        todo!()
    }
    /// The first few other participants of each chat, for its title.
    pub async fn others_of_each(&self, _viewer: &Viewer, _chats: &[ChatId]) -> Result<HashMap<ChatId, Vec<actor::Model>>> {
        todo!()
    }
    pub async fn unread_of_each(&self, _participations: &[ParticipationId]) -> Result<HashMap<ParticipationId, u64>> {
        todo!()
    }
    pub async fn waiting_count_of_each(&self, _viewer: &Viewer, _rooms: &[RoomId]) -> Result<HashMap<RoomId, u64>> {
        todo!()
    }
    /// Whether a user of the organization was heard from within the last minute.
    pub async fn is_staffed(&self, _viewer: &Viewer) -> Result<bool> {
        todo!()
    }
    /// Which of the actors are in an ACCEPTED session now, and in which ones.
    pub async fn busy_in(&self, _viewer: &Viewer, _actors: &[ActorId]) -> Result<HashMap<ActorId, Vec<SessionId>>> {
        todo!()
    }
    /// Users who are present in the chat now, and whether the viewer is: for `viewerActions`.
    pub async fn viewer_is_present_in(&self, _viewer: &Viewer, _chats: &[ChatId]) -> Result<Vec<ChatId>> {
        todo!()
    }
}
