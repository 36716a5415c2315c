//! Shopping carts of visitors.

pub(super) mod mutation;

use super::actor::Visitor;
use super::caller::caller;
use super::chat::Chat;
use super::connection::{List, PageArguments, connection};
use super::error::Result;
use super::id::Kind;
use super::loaders::{CartsPage, ProductsIn};
use super::order::ShoppingCartOrderInput;
use super::scalar::{DateTime, Decimal};
use crate::actions::CartsOf;
use crate::domain::cart;
use async_graphql::{Context, ID, Object};
use entity::{shopping_cart, shopping_cart_product};

/// A shopping cart in the organization's shop.
#[derive(Clone)]
pub(super) struct ShoppingCart(pub shopping_cart::Model);

/// A shopping cart in the organization's shop, with the products that a visitor has chosen or bought. Only
/// staff and the visitor can see it.
#[Object]
impl ShoppingCart {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::ShoppingCart.encode(self.0.id.0)
    }

    /// The id of the cart in the shop.
    async fn external_id(&self) -> &str {
        &self.0.external_id
    }

    /// The visitor who owns the cart.
    async fn visitor(&self, context: &Context<'_>) -> Result<Visitor> {
        Ok(Visitor(caller(context)?.need(self.0.visitor_id).await?))
    }

    /// The chat that the cart belongs to. Null if there is none or the viewer cannot see it.
    async fn chat(&self, context: &Context<'_>) -> Result<Option<Chat>> {
        match self.0.chat_id {
            Some(chat_id) => Ok(caller(context)?.load(chat_id).await?.map(Chat::new)),
            None => Ok(None),
        }
    }

    /// The currency of all prices in the cart: an ISO 4217 code, such as `EUR`.
    async fn currency(&self) -> &str {
        &self.0.currency
    }

    /// The sum of price times quantity of all products, without monthly prices.
    async fn total_price(&self, context: &Context<'_>) -> Result<Decimal> {
        Ok(Decimal(cart::totals(&self.lines(context).await?).0))
    }

    /// The sum of monthly price times monthly quantity of all products.
    async fn monthly_total_price(&self, context: &Context<'_>) -> Result<Decimal> {
        Ok(Decimal(cart::totals(&self.lines(context).await?).1))
    }

    /// The time at which the first product was added.
    async fn opened_at(&self) -> DateTime {
        DateTime(self.0.opened_at)
    }

    /// The time of purchase. Null if the cart was not bought. A bought cart no longer changes.
    async fn locked_at(&self) -> Option<DateTime> {
        self.0.locked_at.map(DateTime)
    }

    /// The products in the order in which they were added, up to 200.
    async fn products(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "True to include products that were removed from the cart.", default)]
        include_deleted: bool,
    ) -> Result<Vec<ShoppingCartProduct>> {
        let lines = self.lines(context).await?.into_iter();
        Ok(lines
            .filter(|line| include_deleted || line.deleted_at.is_none())
            .map(ShoppingCartProduct)
            .collect())
    }
}

impl ShoppingCart {
    async fn lines(&self, context: &Context<'_>) -> Result<Vec<shopping_cart_product::Model>> {
        caller(context)?.need(ProductsIn(self.0.id)).await
    }
}

/// A product that is, or was, in a shopping cart.
#[derive(Clone)]
pub(super) struct ShoppingCartProduct(pub shopping_cart_product::Model);

/// A product that is, or was, in a shopping cart.
#[Object]
impl ShoppingCartProduct {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::ShoppingCartProduct.encode(self.0.id.0)
    }

    /// The id of the product in the shop's cart.
    async fn external_id(&self) -> &str {
        &self.0.external_id
    }

    /// The name of the product.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The description of the product.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// The category that the product belongs to.
    async fn category(&self) -> Option<&str> {
        self.0.category.as_deref()
    }

    /// The product number in the shop.
    async fn product_number(&self) -> Option<&str> {
        self.0.product_number.as_deref()
    }

    /// The price of one item.
    async fn price(&self) -> Option<Decimal> {
        self.0.price.map(Decimal)
    }

    /// The number of items. Null counts as 1.
    async fn quantity(&self) -> Option<i32> {
        self.0.quantity
    }

    /// The monthly price of one item.
    async fn monthly_price(&self) -> Option<Decimal> {
        self.0.monthly_price.map(Decimal)
    }

    /// The number of items that are paid monthly. Null counts as 1.
    async fn monthly_quantity(&self) -> Option<i32> {
        self.0.monthly_quantity
    }

    /// The number of items in stock. Null if unknown.
    async fn stock_balance(&self) -> Option<i32> {
        self.0.stock_balance
    }

    /// The time at which the product was added.
    async fn added_at(&self) -> DateTime {
        DateTime(self.0.added_at)
    }

    /// The time at which the product was removed. Null while it is in the cart.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.0.deleted_at.map(DateTime)
    }
}

connection! {
    /// A page of shopping carts.
    ShoppingCartConnection,
    /// A shopping cart in a list.
    ShoppingCartEdge of ShoppingCart,
    fields {}
}

/// A page of the carts of a visitor or a chat that the viewer can see.
pub(super) async fn carts_of(
    context: &Context<'_>,
    of: CartsOf,
    order: Option<ShoppingCartOrderInput>,
    page: PageArguments,
) -> Result<ShoppingCartConnection> {
    let is_descending = order.is_some_and(ShoppingCartOrderInput::is_descending);
    let list = match of {
        CartsOf::Visitor(id) => List::ordered("cartsOfVisitor", id, "OPENED_AT", is_descending),
        CartsOf::Chat(id) => List::ordered("cartsOfChat", id, "OPENED_AT", is_descending),
    };
    let page = page.request(context, list)?;
    let page = caller(context)?.need(CartsPage { of, is_descending, page }).await?;
    Ok(ShoppingCartConnection::new(page, |_, key| list.cursor(key), ShoppingCart))
}
