//! The number of bytes that an actor was allowed to upload within the current day of the quota.

use crate::{ActorId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upload_usage")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor_id: ActorId,
    /// The start of the day: the first upload after the previous day ended.
    pub since: Timestamp,
    /// The bytes granted since then.
    pub bytes: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
