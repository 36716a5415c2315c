//! Reading for many at once: what the edges of a page need, each in a fixed number of statements. Whoever
//! holds a chat has been allowed to see it, so these ask no more than the organization.

use super::{Actions, Result};
use crate::domain::event::{MessageRow, SessionRow};
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy;
use crate::domain::viewer::{Viewer, ViewerRole};
use crate::store::messages::Listed;
use crate::store::own_views::ListedParticipations;
use crate::store::reactions::Counted;
use crate::store::sessions::{SessionFilter, SessionOrder};
use crate::store::{
    actors, chats, messages, participations, presences, reactions, revisions, rooms, sessions,
};
use chrono::TimeDelta;
use entity::{
    ActorId, ChatId, MessageId, MessageType, ParticipationId, RoomId, SessionId, actor, message_revision,
    participation, presence, room,
};
use std::collections::{HashMap, HashSet};

/// The same page of the lists of several chats.
pub type PageOfEach<T> = HashMap<ChatId, Page<T>>;

/// Which messages of a chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MessageFilter {
    /// Of these types; all where absent.
    pub types: Option<Vec<MessageType>>,
    /// Also those that are archived.
    pub include_archived: bool,
    /// On both sides of this message, itself included.
    pub around: Option<MessageId>,
}

/// A user counts as online for this long after they were last heard from.
const ONLINE: TimeDelta = TimeDelta::seconds(60);

/// Names that a chat's title shows at most.
const TITLE_NAMES: usize = 5;

impl Actions {
    /// The same page of the messages of each chat, oldest first.
    pub async fn messages_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
        filter: &MessageFilter,
        page: &PageRequest,
    ) -> Result<PageOfEach<MessageRow>> {
        let listed =
            Listed { types: filter.types.as_deref(), viewer, include_archived: filter.include_archived };
        let store = &self.0.store;
        let mut found = PageOfEach::new();
        if let Some(id) = filter.around {
            // A message has a place in its own chat only.
            let message = self.message(viewer, id).await?.map(|row| row.message);
            if let Some(message) = message.filter(|message| chats.contains(&message.chat_id)) {
                let (chat_id, sequence) = (message.chat_id, message.sequence);
                let around = messages::list_around(store, chat_id, listed, sequence, page).await?;
                found.insert(chat_id, around);
            }
        } else {
            let pages = messages::list_of_each(store, chats, listed, page).await?;
            found.extend(chats.iter().copied().zip(pages));
        }
        for chat_id in chats {
            found.entry(*chat_id).or_insert_with(empty);
        }
        Ok(found)
    }

    /// The same page of the presences of each chat, by their age.
    pub async fn presences_of_each(
        &self,
        _viewer: &Viewer,
        chats: &[ChatId],
        include_ended: bool,
        is_descending: bool,
        page: &PageRequest,
    ) -> Result<PageOfEach<presence::Model>> {
        let store = &self.0.store;
        let pages = presences::list_of_each(store, chats, include_ended, is_descending, page).await?;
        Ok(chats.iter().copied().zip(pages).collect())
    }

    /// The same page of the participations of each chat.
    pub async fn participations_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
        asked: ListedParticipations,
        page: &PageRequest,
    ) -> Result<PageOfEach<participation::Model>> {
        let pages = participations::list_of_each(&self.0.store, viewer, chats, asked, page).await?;
        Ok(chats.iter().copied().zip(pages).collect())
    }

    /// The same page of the sessions of each chat that the filter matches.
    pub async fn sessions_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
        filter: &SessionFilter,
        order: SessionOrder,
        page: &PageRequest,
    ) -> Result<PageOfEach<SessionRow>> {
        let pages = sessions::list_of_each(&self.0.store, viewer, chats, (filter, order), page).await?;
        Ok(chats.iter().copied().zip(pages).collect())
    }

    /// The actors with these ids, as an edge of something that the viewer sees.
    pub async fn actors_by_id(
        &self,
        viewer: &Viewer,
        ids: &[ActorId],
    ) -> Result<HashMap<ActorId, actor::Model>> {
        let found = actors::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        Ok(found.into_iter().map(|actor| (actor.id, actor)).collect())
    }

    /// The rooms with these ids.
    pub async fn rooms_by_id(&self, viewer: &Viewer, ids: &[RoomId]) -> Result<HashMap<RoomId, room::Model>> {
        let found = rooms::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        Ok(found.into_iter().map(|room| (room.id, room)).collect())
    }

    /// The sessions with these ids, as far as the viewer sees them.
    pub async fn sessions_by_id(
        &self,
        viewer: &Viewer,
        ids: &[SessionId],
    ) -> Result<HashMap<SessionId, SessionRow>> {
        let found = sessions::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        let seen = found.into_iter().filter(|row| policy::sees_session(viewer, &row.participant_ids));
        Ok(seen.map(|row| (row.session.id, row)).collect())
    }

    /// The session of each chat that rings or runs.
    pub async fn open_session_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
    ) -> Result<HashMap<ChatId, SessionRow>> {
        let found = sessions::list_open_of_each(&self.0.store, chats).await?;
        let seen = found.into_iter().filter(|row| policy::sees_session(viewer, &row.participant_ids));
        Ok(seen.map(|row| (row.session.chat_id, row)).collect())
    }

    /// Those of the chats that have a session that rings or runs, whoever is called to it.
    pub async fn chats_with_open_session(&self, chats: &[ChatId]) -> Result<Vec<ChatId>> {
        Ok(sessions::chats_with_open(&self.0.store, chats).await?)
    }

    /// The messages at these places, chats and sequences, as far as the viewer sees them.
    pub async fn messages_at(
        &self,
        viewer: &Viewer,
        places: &[(ChatId, i64)],
    ) -> Result<HashMap<(ChatId, i64), MessageRow>> {
        let mut found = messages::find_many(&self.0.store, viewer.organization_id, places).await?;
        found.retain(|row| policy::sees_message(viewer, row));
        Ok(found.into_iter().map(|row| ((row.message.chat_id, row.message.sequence), row)).collect())
    }

    /// What each of the messages said before it was edited, oldest first.
    pub async fn revisions_of_each(
        &self,
        ids: &[MessageId],
    ) -> Result<HashMap<MessageId, Vec<message_revision::Model>>> {
        let mut found: HashMap<MessageId, Vec<message_revision::Model>> = HashMap::new();
        for row in revisions::list_of_each(&self.0.store, ids).await? {
            found.entry(row.message_id).or_default().push(row);
        }
        Ok(found)
    }

    /// The emojis under each of the messages.
    pub async fn reactions_of_each(
        &self,
        viewer: &Viewer,
        ids: &[MessageId],
    ) -> Result<HashMap<MessageId, Vec<Counted>>> {
        let mut found: HashMap<MessageId, Vec<Counted>> = HashMap::new();
        for (id, counted) in reactions::count_of_each(&self.0.store, ids, viewer.actor_id).await? {
            found.entry(id).or_default().push(counted);
        }
        Ok(found)
    }

    /// The newest message of type MESSAGE of each chat.
    pub async fn last_message_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
    ) -> Result<HashMap<ChatId, MessageRow>> {
        let found = chats::find_many_visible(&self.0.store, viewer, chats).await?;
        let places: Vec<_> =
            found.iter().filter_map(|chat| Some((chat.id, chat.last_message_sequence?))).collect();
        let found = self.messages_at(viewer, &places).await?;
        Ok(found.into_iter().map(|((chat_id, _), row)| (chat_id, row)).collect())
    }

    /// The viewer's own participation in each chat, also where it has ended.
    pub async fn own_participation_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
    ) -> Result<HashMap<ChatId, participation::Model>> {
        let found = participations::list_of_actor(&self.0.store, viewer.actor_id, chats).await?;
        Ok(found.into_iter().map(|participation| (participation.chat_id, participation)).collect())
    }

    /// The first few other participants of each chat, for its title.
    pub async fn others_of_each(
        &self,
        viewer: &Viewer,
        chats: &[ChatId],
    ) -> Result<HashMap<ChatId, Vec<actor::Model>>> {
        let mut others: HashMap<ChatId, Vec<actor::Model>> = HashMap::new();
        for (participation, actor) in participations::list_actors_of_each(&self.0.store, chats).await? {
            let others = others.entry(participation.chat_id).or_default();
            if let Some(actor) = actor.filter(|actor| actor.id != viewer.actor_id)
                && others.len() < TITLE_NAMES
            {
                others.push(actor);
            }
        }
        Ok(others)
    }

    /// Unread messages of each participation, counted up to 100. Nobody learns from it of what they do not see.
    pub async fn unread_of_each(
        &self,
        viewer: &Viewer,
        ids: &[ParticipationId],
    ) -> Result<HashMap<ParticipationId, u64>> {
        let with_notes = viewer.role.is_staff();
        let found = participations::unread_of_each(&self.0.store, ids, with_notes).await?;
        Ok(found.into_iter().map(|(id, unread)| (id, u64::try_from(unread).unwrap_or_default())).collect())
    }

    /// How many chats wait for an answer in each room; an operator's number leaves private chats out.
    pub async fn waiting_count_of_each(
        &self,
        viewer: &Viewer,
        ids: &[RoomId],
    ) -> Result<HashMap<RoomId, u64>> {
        let is_private_too = viewer.role == ViewerRole::Admin;
        let found = rooms::waiting_counts(&self.0.store, viewer.organization_id, ids, is_private_too).await?;
        Ok(found.into_iter().map(|(id, waiting)| (id, u64::try_from(waiting).unwrap_or_default())).collect())
    }

    /// Those of the rooms where somebody is there to answer.
    pub async fn staffed_rooms(&self, viewer: &Viewer, ids: &[RoomId]) -> Result<HashSet<RoomId>> {
        let since = self.now().minus(ONLINE);
        let staffed = rooms::staffed(&self.0.store, viewer.organization_id, ids, since).await?;
        Ok(staffed.into_iter().collect())
    }

    /// The running sessions of each of the actors.
    pub async fn busy_in(
        &self,
        viewer: &Viewer,
        ids: &[ActorId],
    ) -> Result<HashMap<ActorId, Vec<SessionId>>> {
        let mut busy: HashMap<ActorId, Vec<SessionId>> = HashMap::new();
        for (actor_id, session_id) in
            sessions::list_running_of_actors(&self.0.store, viewer.organization_id, ids).await?
        {
            busy.entry(actor_id).or_default().push(session_id);
        }
        Ok(busy)
    }

    /// Those of the chats in which the viewer is present.
    pub async fn viewer_is_present_in(&self, viewer: &Viewer, chats: &[ChatId]) -> Result<Vec<ChatId>> {
        Ok(presences::chats_of_user(&self.0.store, viewer.actor_id, chats).await?)
    }
}

fn empty<T>() -> Page<T> {
    Page { rows: Vec::new(), has_previous: false, has_next: false, total: None }
}
