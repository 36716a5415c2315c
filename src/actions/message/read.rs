//! Reads messages.

use crate::actions::pages::{PageOfEach, empty};
use crate::actions::{Actions, Result};
use crate::domain::event::MessageRow;
use crate::domain::page::PageRequest;
use crate::domain::policy;
use crate::domain::viewer::Viewer;
use crate::store::messages::{self, Listed};
use crate::store::reactions::{self, Counted};
use crate::store::{chats, revisions};
use entity::{ChatId, MessageId, MessageType, message_revision};
use std::collections::HashMap;

/// A filter for messages of a chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MessageFilter {
    /// The types to include. Defaults to all.
    pub types: Option<Vec<MessageType>>,
    /// Whether archived messages are included.
    pub include_archived: bool,
    /// The message at the center of the page, which is included.
    pub around: Option<MessageId>,
}

impl Actions {
    /// Lists the same page of messages for each chat, oldest first.
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
            // The sequence of a message is meaningful in its own chat only.
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

    /// Finds the messages with these chats and sequences that the viewer sees.
    pub async fn messages_at(
        &self,
        viewer: &Viewer,
        places: &[(ChatId, i64)],
    ) -> Result<HashMap<(ChatId, i64), MessageRow>> {
        let mut found = messages::find_many(&self.0.store, viewer.organization_id, places).await?;
        found.retain(|row| policy::sees_message(viewer, row));
        Ok(found.into_iter().map(|row| ((row.message.chat_id, row.message.sequence), row)).collect())
    }

    /// Lists the earlier texts of each edited message, oldest first.
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

    /// Lists the reactions to each message.
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

    /// Finds the newest message of type MESSAGE of each chat.
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

    /// Finds a message in a chat that the viewer sees.
    pub async fn message(&self, viewer: &Viewer, id: MessageId) -> Result<Option<MessageRow>> {
        Ok(self.visible_messages(viewer, &[id]).await?.pop())
    }

    /// Filters messages by visibility of their chats.
    pub async fn visible_messages(&self, viewer: &Viewer, ids: &[MessageId]) -> Result<Vec<MessageRow>> {
        let mut found = messages::find_many_by_id(&self.0.store, viewer.organization_id, ids).await?;
        found.retain(|row| policy::sees_message(viewer, row));
        self.in_visible_chats(viewer, found, |row| row.message.chat_id).await
    }
}
