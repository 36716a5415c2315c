//! An index entry of a chat's tag, in the order of the chats' starts. The chat itself also stores its tags.

use crate::{ChatId, OrganizationId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_tag")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub tag: String,
    /// The time at which the chat started.
    #[sea_orm(primary_key, auto_increment = false)]
    pub started_at: Timestamp,
    #[sea_orm(primary_key, auto_increment = false)]
    pub chat_id: ChatId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::chat::Entity", from = "Column::ChatId", to = "super::chat::Column::Id")]
    Chat,
}

impl ActiveModelBehavior for ActiveModel {}
