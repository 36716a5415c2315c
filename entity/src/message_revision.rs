//! A text that a message had before it was edited. Clustered by message.

use crate::{MessageId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_revision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_id: MessageId,
    /// From 0, which is the text as it was sent.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub text: String,
    /// When the message got this text.
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
