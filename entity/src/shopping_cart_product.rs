//! A product in a cart, or one that was taken out of it.

use crate::{Money, ShoppingCartId, ShoppingCartProductId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shopping_cart_product")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ShoppingCartProductId,
    pub cart_id: ShoppingCartId,
    /// The shop's own id of it; unique in the cart.
    pub external_id: String,
    pub name: String,
    pub description: Option<String>,
    pub category: Option<String>,
    pub product_number: Option<String>,
    /// Of one.
    pub price: Option<Money>,
    pub quantity: Option<i32>,
    /// Of one, each month.
    pub monthly_price: Option<Money>,
    pub monthly_quantity: Option<i32>,
    pub stock_balance: Option<i32>,
    pub added_at: Timestamp,
    /// When it was taken out of the cart; absent while it is in it.
    pub deleted_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
