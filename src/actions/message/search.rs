//! Message search: in one chat for everybody who sees it, in the organization for staff.

use crate::actions::{Actions, Result};
use crate::domain::event::MessageRow;
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Verb};
use crate::domain::search::Query;
use crate::domain::viewer::Viewer;
use crate::store::search::{self, Scope};
use entity::{ActorId, ChatId};

/// A page of search results, newest first.
pub type Found = Page<MessageRow>;

/// The scope of a search.
#[derive(Clone, Copy, Debug)]
pub struct SearchIn {
    /// A chat that the viewer sees. Defaults to the whole organization.
    pub chat_id: Option<ChatId>,
    /// Restricts the search to chats with this visitor.
    pub visitor_id: Option<ActorId>,
    /// Whether archived messages are included.
    pub include_archived: bool,
}

impl Actions {
    /// Finds messages whose text contains the query, in chats that the viewer sees, newest first.
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
