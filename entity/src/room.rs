//! A queue of chats with visitors, such as a website or a department.

use crate::{OrganizationId, RoomAccess, RoomId, SecretText, Timestamp};
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
    /// The bearer token with which pages of the room's website sign visitors in. It is public, because the
    /// pages contain it.
    pub widget_key: String,
    /// The secret with which the organization signs identity tokens for this room.
    pub identity_secret: SecretText,
    /// The origins whose pages may use the key. The table `room_origin` is the index of this field.
    pub allowed_origins: Origins,
    /// The number of minutes after its newest message in which a chat can be resumed. 0 disables resuming.
    pub resume_window_minutes: i32,
    /// The number of minutes without an event after which a chat ends. 0 disables this.
    pub end_after_idle_minutes: i32,
    pub access: RoomAccess,
}

/// Origins of websites, as in `https://shop.example`, without duplicates, in the order they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Origins(pub Vec<String>);

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
