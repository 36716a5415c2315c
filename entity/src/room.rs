//! A place where chats with visitors happen: a site, a queue, a department.

use crate::{OrganizationId, RoomId, SecretText, Timestamp};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "room")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoomId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub created_at: Timestamp,
    /// What a page of the room's site signs visitors in with. Public: it stands in the page.
    pub widget_key: String,
    /// What the organization signs identity tokens for this room with.
    pub identity_secret: SecretText,
    /// Whose pages may use the key. The table `room_origin` says the same the other way round.
    pub allowed_origins: Origins,
    /// For how long after its newest message a chat can be resumed; 0 is never.
    pub resume_window_minutes: i32,
    /// After how long without an event a chat ends; 0 is never.
    pub end_after_idle_minutes: i32,
}

/// Sites by their origins, as in `https://shop.example`: each once, in the order they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Origins(pub Vec<String>);

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
