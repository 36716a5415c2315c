//! Reads attachments.

use crate::actions::{Actions, Result};
use crate::domain::viewer::Viewer;
use crate::files::Files;
use crate::store::attachments;
use entity::{AttachmentId, MessageId, attachment};
use std::collections::{HashMap, HashSet};

impl Actions {
    /// Lists the attachments of each message, in their order.
    pub async fn attachments_of_each(
        &self,
        viewer: &Viewer,
        ids: &[MessageId],
    ) -> Result<HashMap<MessageId, Vec<attachment::Model>>> {
        let mut found: HashMap<MessageId, Vec<_>> = HashMap::new();
        for row in attachments::list_of_each(&self.0.store, viewer.organization_id, ids).await? {
            if let Some(message_id) = row.message_id {
                found.entry(message_id).or_default().push(row);
            }
        }
        Ok(found)
    }

    /// Filters attachments by visibility of their messages. An unsent attachment is visible to its uploader
    /// only.
    pub async fn visible_attachments(
        &self,
        viewer: &Viewer,
        ids: &[AttachmentId],
    ) -> Result<Vec<attachment::Model>> {
        let mut found =
            attachments::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?;
        let message_ids: Vec<_> = found.iter().filter_map(|row| row.message_id).collect();
        let seen: HashSet<_> = if message_ids.is_empty() {
            HashSet::new()
        } else {
            let messages = self.visible_messages(viewer, &message_ids).await?;
            messages.into_iter().map(|row| row.message.id).collect()
        };
        found.retain(|row| match row.message_id {
            Some(message_id) => seen.contains(&message_id),
            None => row.creator_id == viewer.actor_id,
        });
        Ok(found)
    }

    /// Finds the file of a signed link, if its bytes have arrived.
    pub async fn file(&self, id: AttachmentId) -> Result<Option<attachment::Model>> {
        let found = attachments::find_file(&self.0.store, id).await?;
        Ok(found.filter(|row| row.object.is_some()))
    }

    #[must_use]
    pub fn files(&self) -> &Files {
        &self.0.files
    }
}
