//! `chatChanged`: chats that enter, change in and leave a list.

use super::cursor::CursorError;
use super::feed::Before;
use super::feed_reader::{FeedReader, FeedStep, RESUMABLE, may_have_seen, may_have_seen_found, sees};
use super::{ChangeAction, ChatChange, ChatScope, Live, LiveError, scopes};
use crate::domain::chat_filter::{ChatFilter, Members};
use crate::domain::policy::{self, Follows};
use crate::domain::viewer::Viewer;
use crate::store::feed::{Found, Place};
use crate::store::{actors, rooms};
use entity::{ActorType, chat};
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::sync::Arc;

impl Live {
    /// Streams the chats that enter, change in and leave a scope, as far as the filter matches them. With a
    /// cursor, first the changes since then, in which a chat that the client already knows may be repeated.
    pub async fn chat_changes(
        &self,
        viewer: &Viewer,
        scope: ChatScope,
        filter: ChatFilter,
        after: Option<&str>,
    ) -> Result<BoxStream<'static, ChatChange>, LiveError> {
        self.start(|| self.may_follow(viewer, scope).boxed()).await?;
        let place = match scope {
            ChatScope::Room(room_id) => Place::Room(room_id),
            ChatScope::Visitor(visitor_id) => Place::Visitor(visitor_id),
            ChatScope::User(actor_id) => Place::Participant(actor_id),
            ChatScope::PresentUser(user_id) => Place::PresentUser(user_id),
        };
        let hash = scopes::chat_changes(viewer.actor_id, scope, &filter);
        let after = match after {
            None => None,
            Some(cursor) => {
                let at = self.decode_feed(viewer, &hash, cursor)?;
                if at < self.0.store.clock().now().minus(RESUMABLE) {
                    return Err(CursorError::Expired.into());
                }
                Some(at)
            }
        };
        let open = || FeedReader::open(self, viewer, place.clone(), hash, after).boxed();
        let reader = self.start(open).await?;
        let changes = ChatChanges { reader, scope, filter };
        Ok(stream::unfold(changes, |mut changes| async move {
            let item = changes.next().await?;
            Some((item, changes))
        })
        .boxed())
    }

    /// Checks the permission to follow a scope: visitors follow themselves, others anything in their
    /// organization.
    async fn may_follow(&self, viewer: &Viewer, scope: ChatScope) -> Result<(), LiveError> {
        let store = &self.0.store;
        let organization_id = viewer.organization_id;
        let is_one = |id, wanted: fn(ActorType) -> bool| async move {
            let found = actors::find_in_organization(store, organization_id, id).await?;
            Ok::<_, LiveError>(found.is_some_and(|actor| wanted(actor.actor_type)))
        };
        let may = match (policy::follows(viewer), scope) {
            (Follows::Nothing, _) | (Follows::Own, ChatScope::Room(_) | ChatScope::PresentUser(_)) => false,
            (Follows::Own, ChatScope::Visitor(id) | ChatScope::User(id)) => id == viewer.actor_id,
            (Follows::Organization, ChatScope::Room(room_id)) => {
                let room = rooms::find_in_organization(store, organization_id, room_id).await?;
                room.is_some_and(|room| policy::sees_room(viewer, &room))
            }
            (Follows::Organization, ChatScope::Visitor(id)) => {
                is_one(id, |found| found == ActorType::Visitor).await?
            }
            (Follows::Organization, ChatScope::User(id)) => is_one(id, |_| true).await?,
            (Follows::Organization, ChatScope::PresentUser(id)) => {
                is_one(id, |found| found == ActorType::User).await?
            }
        };
        if may { Ok(()) } else { Err(LiveError::NotFound) }
    }
}

struct ChatChanges {
    reader: FeedReader,
    scope: ChatScope,
    filter: ChatFilter,
}

impl ChatChanges {
    async fn next(&mut self) -> Option<ChatChange> {
        loop {
            match self.reader.next().await {
                FeedStep::News(news) => {
                    if self.reader.is_old(&news) {
                        continue;
                    }
                    let is_in = self.includes(&news.chat, &news.members);
                    let action = match (&news.before, is_in) {
                        (Before::New | Before::Unknown, true) => ChangeAction::Added,
                        (Before::New, false) => continue,
                        (Before::Known(before), is_in) => {
                            match (self.includes(before, &news.members_before), is_in) {
                                (false, false) => continue,
                                (false, true) => ChangeAction::Added,
                                (true, true) => ChangeAction::Changed,
                                (true, false) => ChangeAction::Removed,
                            }
                        }
                        (Before::Unknown, false) => {
                            if !self.is_in_place(&news.chat, &news.members_before)
                                || !may_have_seen(self.reader.viewer(), &news)
                            {
                                continue;
                            }
                            ChangeAction::Removed
                        }
                    };
                    return Some(self.item(action, &news.chat, &news.members));
                }
                FeedStep::Found(Found { chat, members, .. }) if self.includes(&chat, &members) => {
                    return Some(self.item(ChangeAction::Added, &chat, &members));
                }
                FeedStep::Found(found) => {
                    if may_have_seen_found(self.reader.viewer(), &found) {
                        return Some(self.item(ChangeAction::Removed, &found.chat, &found.members));
                    }
                }
                FeedStep::Scanned(_) | FeedStep::View(_) => {}
                FeedStep::AccessChanged(before) if !self.concerns_place(&before) => {}
                // Everything sent with the previous access may be wrong, so the stream ends.
                FeedStep::AccessChanged(_) => return None,
            }
        }
    }

    fn includes(&self, chat: &chat::Model, members: &Members) -> bool {
        self.is_in_place(chat, members)
            && sees(self.reader.viewer(), chat, members)
            && self.filter.matches(chat, members)
    }

    fn is_in_place(&self, chat: &chat::Model, members: &Members) -> bool {
        match self.scope {
            ChatScope::Room(room_id) => chat.room_id == Some(room_id),
            ChatScope::Visitor(visitor_id) => chat.visitor_id == Some(visitor_id),
            ChatScope::User(actor_id) => members.participants.contains(&actor_id),
            ChatScope::PresentUser(user_id) => members.present_users.contains(&user_id),
        }
    }

    /// Whether the chats of the place that the viewer sees may differ from those that they saw.
    fn concerns_place(&self, before: &Viewer) -> bool {
        let now = self.reader.viewer();
        match self.scope {
            ChatScope::Room(room_id) => {
                before.role != now.role || before.rooms.differ_in(&now.rooms, room_id)
            }
            ChatScope::Visitor(_) | ChatScope::User(_) | ChatScope::PresentUser(_) => true,
        }
    }

    fn item(&self, action: ChangeAction, chat: &Arc<chat::Model>, members: &Members) -> ChatChange {
        let is_seen = sees(self.reader.viewer(), chat, members);
        ChatChange {
            cursor: self.reader.cursor(),
            at: self.reader.changed_at(chat),
            action,
            chat_id: chat.id,
            chat: is_seen.then(|| Arc::clone(chat)),
        }
    }
}
