//! Message search: in one chat, for everybody who can see it; in the organization, for staff.

use crate::actions::{Actions, Result};
use crate::domain::event::MessageRow;
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Verb};
use crate::domain::search::Query;
use crate::domain::viewer::Viewer;
use crate::store::search::{self, Scope};
use entity::{ActorId, ChatId};

/// A page of messages that were found, newest first.
pub type Found = Page<MessageRow>;

/// Where to search.
#[derive(Clone, Copy, Debug)]
pub struct SearchIn {
    /// In this chat, which the viewer sees; in all of the organization, where absent.
    pub chat_id: Option<ChatId>,
    /// In chats with this visitor.
    pub visitor_id: Option<ActorId>,
    /// Also what is archived.
    pub include_archived: bool,
}

impl Actions {
    /// The messages whose text has the query in it, newest first, in chats that the viewer sees.
    pub async fn search_messages(
        &self,
        viewer: &Viewer,
        place: SearchIn,
        query: &Query,
        page: &PageRequest,
    ) -> Result<Found> {
        let SearchIn { chat_id, visitor_id, include_archived } = place;
        if chat_id.is_none() {
            policy::may(viewer.role, Verb::ReadOrganization)?;
        }
        let scope = Scope { viewer, chat_id, visitor_id, include_archived };
        Ok(search::page(&self.0.store, &scope, query, page).await?)
    }
}
