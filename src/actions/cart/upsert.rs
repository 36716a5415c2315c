//! Creates or changes a shopping cart from the report of the organization's shop.

use crate::actions::history::record_chat_among_staff;
use crate::actions::write::lock_visible_chat;
use crate::actions::{Actions, Error, Result};
use crate::domain::cart::{self, Product};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{self, Tx, actors, carts};
use entity::{
    ActorId, ActorType, ChatId, ShoppingCartId, ShoppingCartProductId, Timestamp, shopping_cart,
    shopping_cart_product,
};

/// The state of a cart to store. Absent fields stay as they are.
#[derive(Clone, Debug)]
pub struct UpsertCart {
    /// The cart's id in the shop.
    pub external_id: String,
    /// The visitor who owns the cart.
    pub visitor_id: ActorId,
    /// The related chat, which must be one of the visitor's.
    pub chat_id: Option<ChatId>,
    /// The ISO 4217 code of the currency.
    pub currency: String,
    /// The time when the first product was added. Defaults to now for a new cart.
    pub opened_at: Option<Timestamp>,
    /// The time of the purchase.
    pub locked_at: Option<Timestamp>,
    /// All products now in the cart.
    pub products: Vec<Product>,
}

impl Actions {
    /// Creates or changes a cart. Products that are no longer listed are marked as removed.
    pub async fn upsert_cart(&self, viewer: &Viewer, input: UpsertCart) -> Result<shopping_cart::Model> {
        let permit = self.permit(viewer, Verb::UpsertShoppingCart)?;
        Ok(permit.write(upsert, input).await?.value)
    }
}

async fn upsert(tx: &mut Tx, viewer: Viewer, mut input: UpsertCart) -> Result<shopping_cart::Model> {
    text::external_id("externalId", &input.external_id)?;
    cart::currency("currency", &input.currency)?;
    cart::products("products", &mut input.products)?;
    let organization_id = viewer.organization_id;
    // The visitor's lock serializes calls about the same cart.
    let visitor = actors::lock_in_organization(tx, organization_id, &[input.visitor_id]).await?.pop();
    visitor
        .filter(|actor| actor.actor_type == ActorType::Visitor)
        .ok_or(Refused::NotFound { what: "visitor", field: "visitorId".into() })?;
    if let Some(chat_id) = input.chat_id {
        lock_visible_chat(tx, &viewer, chat_id).await?;
        if tx.chat()?.visitor_id != Some(input.visitor_id) {
            return Err(Refused::NotFound { what: "chat", field: "chatId".into() }.into());
        }
    }
    let found = carts::find_by_external_id(tx, organization_id, &input.external_id).await?;
    if found.as_ref().is_some_and(|found| found.visitor_id != input.visitor_id) {
        return Err(Refused::Conflict { field: "externalId".into() }.into());
    }
    let cart = match found {
        Some(before) => change(tx, before, &input).await?,
        None => add(tx, &viewer, &input).await?,
    };
    if input.chat_id.is_some() && cart.locked_at.is_some() && !tx.chat()?.has_sales {
        tx.chat_mut()?.has_sales = true;
        record_chat_among_staff(tx, Some(viewer.actor_id))?;
    }
    Ok(cart)
}

async fn add(tx: &Tx, viewer: &Viewer, input: &UpsertCart) -> Result<shopping_cart::Model> {
    let cart = shopping_cart::Model {
        id: ShoppingCartId(tx.new_id()),
        organization_id: viewer.organization_id,
        visitor_id: input.visitor_id,
        chat_id: input.chat_id,
        external_id: input.external_id.clone(),
        currency: input.currency.clone(),
        opened_at: input.opened_at.unwrap_or_else(|| tx.now()),
        locked_at: input.locked_at,
    };
    carts::insert(tx, &cart).await.map_err(|error| match error {
        // A concurrent call for another visitor used the same id.
        store::Error::Taken(_) => Refused::Conflict { field: "externalId".into() }.into(),
        other @ (store::Error::Unavailable(_) | store::Error::Failed(_)) => Error::from(other),
    })?;
    let products = input.products.iter().map(|product| put(tx, cart.id, product)).collect();
    carts::insert_products(tx, products).await?;
    Ok(cart)
}

async fn change(tx: &Tx, before: shopping_cart::Model, input: &UpsertCart) -> Result<shopping_cart::Model> {
    let mut cart = before.clone();
    cart.chat_id = input.chat_id.or(cart.chat_id);
    cart.currency.clone_from(&input.currency);
    cart.opened_at = input.opened_at.unwrap_or(cart.opened_at);
    cart.locked_at = input.locked_at.or(cart.locked_at);
    let lines = lines(tx, cart.id, &input.products).await?;
    let is_same = cart == before && lines.changed.is_empty() && lines.added.is_empty();
    if before.locked_at.is_some() && !is_same {
        let reason = "The cart was bought and can no longer be changed.";
        return Err(Refused::Invalid { field: "externalId".into(), reason }.into());
    }
    if cart != before {
        carts::update(tx, &cart).await?;
    }
    for line in &lines.changed {
        carts::update_product(tx, line).await?;
    }
    carts::insert_products(tx, lines.added).await?;
    Ok(cart)
}

/// The rows to write when a cart's products change.
struct Lines {
    changed: Vec<shopping_cart_product::Model>,
    added: Vec<shopping_cart_product::Model>,
}

async fn lines(tx: &Tx, cart_id: ShoppingCartId, products: &[Product]) -> Result<Lines> {
    let before = carts::products_of_each(tx, &[cart_id]).await?;
    let known = |product: &Product| before.iter().any(|line| line.external_id == product.external_id);
    let added: Vec<_> =
        products.iter().filter(|product| !known(product)).map(|product| put(tx, cart_id, product)).collect();
    let limit = limits::PRODUCTS_EVER;
    if before.len() + added.len() > limit {
        return Err(Refused::TooMany { field: "products".into(), limit }.into());
    }
    let mut changed = Vec::new();
    for line in before {
        let wanted = products.iter().find(|product| product.external_id == line.external_id);
        let after = if let Some(product) = wanted {
            let added_at = if line.deleted_at.is_some() { tx.now() } else { line.added_at };
            shopping_cart_product::Model { id: line.id, added_at, ..put(tx, cart_id, product) }
        } else {
            let deleted_at = line.deleted_at.or(Some(tx.now()));
            shopping_cart_product::Model { deleted_at, ..line.clone() }
        };
        if after != line {
            changed.push(after);
        }
    }
    Ok(Lines { changed, added })
}

/// A product that is added to the cart now.
fn put(tx: &Tx, cart_id: ShoppingCartId, product: &Product) -> shopping_cart_product::Model {
    let product = product.clone();
    shopping_cart_product::Model {
        id: ShoppingCartProductId(tx.new_id()),
        cart_id,
        external_id: product.external_id,
        name: product.name,
        description: product.description,
        category: product.category,
        product_number: product.product_number,
        price: product.price,
        quantity: product.quantity,
        monthly_price: product.monthly_price,
        monthly_quantity: product.monthly_quantity,
        stock_balance: product.stock_balance,
        added_at: tx.now(),
        deleted_at: None,
    }
}
