//! Pages of the customer's site.

use async_graphql::{InputObject, SimpleObject};

/// A page of the customer's site.
#[derive(SimpleObject)]
pub(super) struct WebPage {
    /// Its address.
    url: String,
    /// Its title, where that is known.
    title: Option<String>,
}

impl From<entity::WebPage> for WebPage {
    fn from(entity::WebPage { url, title }: entity::WebPage) -> Self {
        Self { url, title }
    }
}

/// A page of the customer's site.
#[derive(InputObject)]
pub(super) struct WebPageInput {
    /// Its address: http or https, up to 2,048 characters.
    url: String,
    /// Its title: up to 200 characters.
    title: Option<String>,
}

impl From<WebPageInput> for entity::WebPage {
    fn from(WebPageInput { url, title }: WebPageInput) -> Self {
        Self { url, title }
    }
}
