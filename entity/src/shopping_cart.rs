//! A shopping cart of a visitor in the organization's shop.

use crate::{ActorId, ChatId, OrganizationId, ShoppingCartId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shopping_cart")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ShoppingCartId,
    pub organization_id: OrganizationId,
    pub visitor_id: ActorId,
    /// The related chat.
    pub chat_id: Option<ChatId>,
    /// The cart's id in the shop. Unique in the organization.
    pub external_id: String,
    /// The ISO 4217 code.
    pub currency: String,
    pub opened_at: Timestamp,
    /// The time of purchase. A bought cart no longer changes.
    pub locked_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
