//! A product that is, or was, in a shopping cart.

use crate::{Money, ShoppingCartId, ShoppingCartProductId, Timestamp};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shopping_cart_product")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ShoppingCartProductId,
    pub cart_id: ShoppingCartId,
    /// The product's id in the shop. Unique in the cart.
    pub external_id: String,
    pub name: String,
    pub description: Option<String>,
    pub category: Option<String>,
    pub product_number: Option<String>,
    /// The price of one item.
    pub price: Option<Money>,
    pub quantity: Option<i32>,
    /// The monthly price of one item.
    pub monthly_price: Option<Money>,
    pub monthly_quantity: Option<i32>,
    pub stock_balance: Option<i32>,
    pub added_at: Timestamp,
    /// The time at which the product was removed. Absent while it is in the cart.
    pub deleted_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
