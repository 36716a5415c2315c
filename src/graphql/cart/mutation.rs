//! Saying what is in a shopping cart.

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

/// A product in a cart.
#[derive(InputObject)]
struct ShoppingCartProductInput {
    /// The shop's own id of it: 1 to 128 characters, unique in the cart.
    external_id: String,
    /// The name: 1–200 characters, at least one of them visible; bidirectional controls are removed.
    name: String,
    /// More about it: up to 1,000 characters.
    description: Option<String>,
    /// To which kind of products it belongs: up to 200 characters.
    category: Option<String>,
    /// Its number in the shop: up to 200 characters.
    product_number: Option<String>,
    /// The price of one item: up to twelve digits and four decimals; below 0 for what is taken off.
    price: Option<Decimal>,
    /// The quantity, 0–1,000,000. Counts as 1 if absent.
    quantity: Option<i32>,
    /// The monthly price of one item, as `price`.
    monthly_price: Option<Decimal>,
    /// The quantity that is paid monthly, 0–1,000,000. Counts as 1 if absent.
    monthly_quantity: Option<i32>,
    /// The number of items in stock.
    stock_balance: Option<i32>,
}

/// A cart as it now is in the shop.
#[derive(InputObject)]
struct UpsertShoppingCartInput {
    /// The visitor.
    visitor_id: ID,
    /// The shop's own id of it: 1 to 128 characters, unique in the organization.
    external_id: String,
    /// The chat that it has to do with, one with this visitor. Absent, it stays as it is.
    chat_id: Option<ID>,
    /// The currency of all of its prices: an ISO 4217 code, such as `EUR`.
    currency: String,
    /// All that is in it now: up to 200. What was in it before and is not named was taken out.
    products: Vec<ShoppingCartProductInput>,
    /// The time at which the first product was added. Now, if absent and it is new.
    opened_at: Option<DateTime>,
    /// The purchase time. Afterwards the cart cannot be changed.
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
    /// Makes a visitor's shopping cart known, or what became of it. Repeating it changes nothing. For admins and API
    /// clients.
    async fn upsert_shopping_cart(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart.")] input: UpsertShoppingCartInput,
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
