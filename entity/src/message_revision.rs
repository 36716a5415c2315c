//! A previous text of a message that was edited. Clustered by message.

use crate::{MessageId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_revision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_id: MessageId,
    /// The number of the revision. 0 is the text as it was sent.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub text: String,
    /// The time at which the message got this text.
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
