//! Shopping carts: what a visitor is about to buy, or bought.

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

/// A shopping cart: the products that a visitor is about to buy in the organization's shop, or bought.
#[derive(Clone)]
pub(super) struct ShoppingCart(pub shopping_cart::Model);

/// A shopping cart: the products that a visitor is about to buy in the organization's shop, or bought. For the
/// organization's people and the visitor.
#[Object]
impl ShoppingCart {
    /// The global id.
    pub(super) async fn id(&self) -> ID {
        Kind::ShoppingCart.encode(self.0.id.0)
    }

    /// The shop's own id of it.
    async fn external_id(&self) -> &str {
        &self.0.external_id
    }

    /// The visitor.
    async fn visitor(&self, context: &Context<'_>) -> Result<Visitor> {
        Ok(Visitor(caller(context)?.need(self.0.visitor_id).await?))
    }

    /// The chat that it has to do with; null where there is none, or none that the viewer sees.
    async fn chat(&self, context: &Context<'_>) -> Result<Option<Chat>> {
        match self.0.chat_id {
            Some(chat_id) => Ok(caller(context)?.load(chat_id).await?.map(Chat::new)),
            None => Ok(None),
        }
    }

    /// The currency of all of its prices: an ISO 4217 code.
    async fn currency(&self) -> &str {
        &self.0.currency
    }

    /// The total price, without monthly prices.
    async fn total_price(&self, context: &Context<'_>) -> Result<Decimal> {
        Ok(Decimal(cart::totals(&self.lines(context).await?).0))
    }

    /// The total monthly price.
    async fn monthly_total_price(&self, context: &Context<'_>) -> Result<Decimal> {
        Ok(Decimal(cart::totals(&self.lines(context).await?).1))
    }

    /// The time at which the first product was added.
    async fn opened_at(&self) -> DateTime {
        DateTime(self.0.opened_at)
    }

    /// The purchase time. Null if the cart was not bought. Nothing in it changes after that.
    async fn locked_at(&self) -> Option<DateTime> {
        self.0.locked_at.map(DateTime)
    }

    /// The products, in the order in which they were added: up to 200.
    async fn products(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Also what was taken out of it.", default)] include_deleted: bool,
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

/// A product in a shopping cart, or one that was taken out of it.
#[derive(Clone)]
pub(super) struct ShoppingCartProduct(pub shopping_cart_product::Model);

/// A product in a shopping cart, or one that was taken out of it.
#[Object]
impl ShoppingCartProduct {
    /// The global id.
    pub(super) async fn id(&self) -> ID {
        Kind::ShoppingCartProduct.encode(self.0.id.0)
    }

    /// The shop's own id of it in this cart.
    async fn external_id(&self) -> &str {
        &self.0.external_id
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// More about it.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// To which kind of products it belongs.
    async fn category(&self) -> Option<&str> {
        self.0.category.as_deref()
    }

    /// Its number in the shop.
    async fn product_number(&self) -> Option<&str> {
        self.0.product_number.as_deref()
    }

    /// The price of one item.
    async fn price(&self) -> Option<Decimal> {
        self.0.price.map(Decimal)
    }

    /// The quantity.
    async fn quantity(&self) -> Option<i32> {
        self.0.quantity
    }

    /// The monthly price of one item.
    async fn monthly_price(&self) -> Option<Decimal> {
        self.0.monthly_price.map(Decimal)
    }

    /// The quantity that is paid monthly.
    async fn monthly_quantity(&self) -> Option<i32> {
        self.0.monthly_quantity
    }

    /// The number of items in stock.
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

/// A page of the carts of a visitor, or of a chat, whom the viewer sees.
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
