//! An entry of a chat's log: the kind of a change, without its content. Clustered by chat and sequence.

use crate::{ActorId, Audience, ChatId, EventKind, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub chat_id: ChatId,
    /// The sequence, without gaps: the first event of a chat is 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub kind: EventKind,
    /// The id of the message, presence, participation, session or chat that changed.
    pub subject_id: Uuid,
    /// The actor who made the change. Absent if the server did.
    pub actor_id: Option<ActorId>,
    pub audience: Audience,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
