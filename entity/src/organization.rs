//! A tenant: one instance of one customer. Nothing is ever visible across organizations.

use crate::{OrganizationId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    /// With `instance_name` unique on the server.
    pub tenant_name: String,
    pub instance_name: String,
    /// What people call it.
    pub name: String,
    pub created_at: Timestamp,
    /// For how long a sender may edit and delete a message; 0: not at all.
    pub edit_window_minutes: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
