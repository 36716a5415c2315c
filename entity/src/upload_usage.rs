//! The number of bytes that a visitor was allowed to upload within the current day of the quota.

use crate::{ActorId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upload_usage")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor_id: ActorId,
    /// Start of the day: the first upload after the day before ended.
    pub since: Timestamp,
    /// Bytes granted since then.
    pub bytes: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
