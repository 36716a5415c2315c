//! A tenant: one instance of one customer. Data of one organization is never visible in another.

use crate::{OrganizationId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    /// The customer's name. Unique on the server together with `instance_name`.
    pub tenant_name: String,
    pub instance_name: String,
    /// The name to show.
    pub name: String,
    pub created_at: Timestamp,
    /// The number of minutes in which senders can edit and delete messages. 0: they cannot.
    pub edit_window_minutes: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
