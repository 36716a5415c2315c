//! A user who has joined a chat. A presence ends when the user leaves or stops renewing it. Rows are never
//! deleted.

use crate::{ActorId, ChatId, PresenceEndReason, PresenceId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "presence")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PresenceId,
    pub chat_id: ChatId,
    pub user_id: ActorId,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// The end of the lease.
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub end_reason: Option<PresenceEndReason>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
