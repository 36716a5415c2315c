//! An entry of a chat's log: what happened, without content. Clustered by chat and sequence.

use crate::{ActorId, Audience, ChatId, EventKind, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub chat_id: ChatId,
    /// Dense: the first event of a chat is 1, and no number is left out.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub kind: EventKind,
    /// The id of the message, presence, participation, session or chat that it is about.
    pub subject_id: Uuid,
    /// The actor who did it. Absent if the server did.
    pub actor_id: Option<ActorId>,
    pub audience: Audience,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
