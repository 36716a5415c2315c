//! A chat session: who started, accepted, rejected and finished it, and when.

use crate::{
    ActorId, ChatId, OrganizationId, SessionId, SessionOutcome, SessionState, SessionType, Timestamp,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub chat_id: ChatId,
    pub organization_id: OrganizationId,
    #[sea_orm(column_name = "type")]
    pub session_type: SessionType,
    pub state: SessionState,
    pub outcome: Option<SessionOutcome>,
    pub title: Option<String>,
    /// The name of the audio or video room. Knowing it is enough to enter.
    pub call_room: String,
    pub created_at: Timestamp,
    pub created_by: ActorId,
    pub scheduled_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub started_by: Option<ActorId>,
    pub accepted_at: Option<Timestamp>,
    pub accepted_by: Option<ActorId>,
    /// The `requestId` of the call that accepted it. A different one by the same actor comes from another
    /// tab, and is refused.
    pub accept_request_id: Option<String>,
    pub rejected_at: Option<Timestamp>,
    pub rejected_by: Option<ActorId>,
    pub reject_reason: Option<String>,
    pub finished_at: Option<Timestamp>,
    /// Absent if the server finished it because nobody answered in time.
    pub finished_by: Option<ActorId>,
    pub finish_reason: Option<String>,
    /// The time at which a started session ends automatically if nobody answers.
    pub rings_until: Option<Timestamp>,
    /// The time of the last change, including changes of participants.
    pub changed_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
