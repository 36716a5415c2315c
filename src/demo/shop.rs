//! The shop of the clinic's pharmacy: an open cart, a bought cart, and a suggestion to a visitor.

use super::Stage;
use super::words::words;
use crate::actions::{SendMessage, StartChat, UpsertCart};
use crate::domain::cart::Product;
use crate::domain::viewer::Viewer;
use entity::{ChatId, MessageType, Money, RoomId, Timestamp, WebPage};

/// The products of every cart: number, name, category, price in euros and quantity.
const PRODUCTS: [(&str, &str, &str, &str, i32); 2] = [
    ("P-2214", "Blood pressure monitor", "Devices", "49.90", 1),
    ("P-0107", "Vitamin D, 90 tablets", "Supplements", "12.50", 2),
];

/// Creates a cart of a visitor with a related chat. It is bought if a time is given.
pub(super) async fn fill_cart(
    stage: &Stage<'_>,
    admin: &Viewer,
    visitor: &Viewer,
    chat_id: ChatId,
    bought_at: Option<Timestamp>,
) -> anyhow::Result<()> {
    let mut products = Vec::new();
    for (number, name, category, price, quantity) in PRODUCTS {
        products.push(Product {
            external_id: number.into(),
            name: name.into(),
            description: None,
            category: Some(category.into()),
            product_number: Some(number.into()),
            price: Some(price.parse::<Money>()?),
            quantity: Some(quantity),
            monthly_price: None,
            monthly_quantity: None,
            stock_balance: None,
        });
    }
    let cart = UpsertCart {
        external_id: format!("cart-of-{}", visitor.actor_id),
        visitor_id: visitor.actor_id,
        chat_id: Some(chat_id),
        currency: "EUR".into(),
        opened_at: None,
        locked_at: bought_at,
        products,
    };
    stage.actions.upsert_cart(admin, cart).await?;
    Ok(())
}

/// Sends a suggestion of a user to a visitor on a page.
pub(super) async fn suggest(
    stage: &Stage<'_>,
    user: &Viewer,
    visitor: &Viewer,
    room_id: RoomId,
    page: WebPage,
) -> anyhow::Result<()> {
    let chat = StartChat {
        room_id,
        visitor_id: Some(visitor.actor_id),
        auto_resume: false,
        auto_resume_user_id: None,
        is_private: false,
        page: None,
        message: None,
        request_id: None,
    };
    let chat_id = stage.actions.start_chat(user, chat).await?.chat.id;
    let suggestion = SendMessage {
        message_type: MessageType::Autosuggest,
        page: Some(page),
        ..words(chat_id, "Looking for your prescription? I can help.")
    };
    stage.actions.send_message(user, suggestion).await?;
    Ok(())
}
