//! The widget's door: what a visitor on a page of the organization's site may do, and from where.

mod origins;

use crate::harness::client::Client;
use crate::harness::world::{World, text};
use serde_json::json;

/// The site that may.
const SHOP: &str = "https://shop.example";

/// The room's widget, on a page of the site that may.
async fn widget(world: &World) -> Client {
    let input = json!({ "roomId": world.room, "allowedOrigins": [SHOP] });
    let room = world.admin.done("updateRoom", "room { widgetKey }", input).await;
    Client::new(&world.app.url, &text(&room["room"]["widgetKey"])).on_page_of(SHOP)
}
