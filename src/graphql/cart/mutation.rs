//! Creating and updating shopping carts.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::Kind;
use super::super::payload::{UserErrors, settle};
use super::super::scalar::{DateTime, Decimal};
use super::ShoppingCart;
use crate::actions::UpsertCart;
use crate::domain::cart::Product;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::{ActorId, ChatId};

/// A product in a shopping cart.
#[derive(InputObject)]
struct ShoppingCartProductInput {
    /// The id of the product in the shop's cart: 1–128 characters, unique in the cart.
    external_id: String,
    /// The name of the product: 1–200 characters, at least one of them visible. Bidirectional control
    /// characters are removed.
    name: String,
    /// The description of the product: up to 1,000 characters.
    description: Option<String>,
    /// The category that the product belongs to: up to 200 characters.
    category: Option<String>,
    /// The product number in the shop: up to 200 characters.
    product_number: Option<String>,
    /// The price of one item: up to 12 digits and 4 decimals. Negative for a discount.
    price: Option<Decimal>,
    /// The number of items, 0–1,000,000. If absent, it counts as 1.
    quantity: Option<i32>,
    /// The monthly price of one item, in the same format as `price`.
    monthly_price: Option<Decimal>,
    /// The number of items that are paid monthly, 0–1,000,000. If absent, it counts as 1.
    monthly_quantity: Option<i32>,
    /// The number of items in stock.
    stock_balance: Option<i32>,
}

/// The current state of a cart in the shop.
#[derive(InputObject)]
struct UpsertShoppingCartInput {
    /// The id of the visitor who owns the cart.
    visitor_id: ID,
    /// The id of the cart in the shop: 1–128 characters, unique in the organization.
    external_id: String,
    /// The id of the chat that the cart belongs to, which must be a chat with this visitor. If absent, it is
    /// unchanged.
    chat_id: Option<ID>,
    /// The currency of all prices in the cart: an ISO 4217 code, such as `EUR`.
    currency: String,
    /// All products now in the cart, up to 200. Products that are not listed are marked as removed.
    products: Vec<ShoppingCartProductInput>,
    /// The time at which the first product was added. Default for a new cart: now.
    opened_at: Option<DateTime>,
    /// The time of purchase. Once it is set, the cart can no longer change.
    locked_at: Option<DateTime>,
}

/// The result of `upsertShoppingCart`.
#[derive(SimpleObject)]
struct UpsertShoppingCartPayload {
    /// The current state of the cart.
    shopping_cart: Option<ShoppingCart>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct CartMutation;

#[Object]
impl CartMutation {
    /// Creates or updates a visitor's shopping cart. Idempotent. For admins and API clients. Errors:
    /// `INVALID` if the cart was already bought and would change, `CONFLICT` if its `externalId` belongs to
    /// another visitor's cart.
    async fn upsert_shopping_cart(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The current state of the cart.")] input: UpsertShoppingCartInput,
    ) -> Result<Option<UpsertShoppingCartPayload>> {
        let caller = caller(context)?;
        let upserted = async {
            let visitor_id = ActorId(Kind::Visitor.expect(&input.visitor_id, "visitor", "visitorId")?);
            let chat_id =
                input.chat_id.map(|id| Kind::Chat.expect(&id, "chat", "chatId")).transpose()?.map(ChatId);
            let input = UpsertCart {
                external_id: input.external_id,
                visitor_id,
                chat_id,
                currency: input.currency,
                opened_at: input.opened_at.map(|DateTime(at)| at),
                locked_at: input.locked_at.map(|DateTime(at)| at),
                products: input.products.into_iter().map(product).collect(),
            };
            Ok(caller.actions.upsert_cart(&caller.viewer, input).await?)
        };
        let (row, user_errors) = settle(upserted.await)?;
        Ok(Some(UpsertShoppingCartPayload { shopping_cart: row.map(ShoppingCart), user_errors }))
    }
}

fn product(input: ShoppingCartProductInput) -> Product {
    Product {
        external_id: input.external_id,
        name: input.name,
        description: input.description,
        category: input.category,
        product_number: input.product_number,
        price: input.price.map(|Decimal(amount)| amount),
        quantity: input.quantity,
        monthly_price: input.monthly_price.map(|Decimal(amount)| amount),
        monthly_quantity: input.monthly_quantity,
        stock_balance: input.stock_balance,
    }
}
