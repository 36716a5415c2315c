//! The folded text of a message for searches. It has its own table because searches read many texts, and it
//! is never shown.

use crate::{ChatId, OrganizationId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_text")]
pub struct Model {
    /// Increases in the order in which messages are written. Within a chat, this is the order of their
    /// sequences.
    #[sea_orm(primary_key)]
    pub id: i64,
    pub organization_id: OrganizationId,
    pub chat_id: ChatId,
    pub sequence: i64,
    /// The folded text. See `domain::search::fold`.
    pub folded: String,
    /// Whether the message is a note.
    pub is_internal: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
