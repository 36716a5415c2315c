//! Pages of the customer's site.

use crate::domain::text::web_url;
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
        // Stored before URLs were normalized, it may mean another place within a page.
        let url = web_url(&url).map_or(url, Into::into);
        Self { url, title }
    }
}

/// A page of the customer's site.
#[derive(InputObject)]
pub(super) struct WebPageInput {
    /// The URL: http or https, up to 2,048 characters. It is normalized as browsers do; a user name and password
    /// in it
    /// are removed.
    url: String,
    /// The title: up to 200 characters. Bidirectional controls are removed; a title without a visible character is
    /// null.
    title: Option<String>,
}

impl From<WebPageInput> for entity::WebPage {
    fn from(WebPageInput { url, title }: WebPageInput) -> Self {
        Self { url, title }
    }
}
