//! A stored `requestId`. A retry by the same caller gets the same result.

use crate::{ActorId, RequestKind, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "request")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub caller_id: ActorId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub request_id: String,
    pub kind: RequestKind,
    /// The object that the call created.
    pub subject_id: Uuid,
    /// A digest of the input, so that a different call with the same id is refused.
    pub digest: String,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
