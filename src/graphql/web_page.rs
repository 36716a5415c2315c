//! Pages of the customer's website.

use crate::domain::text::web_url;
use async_graphql::{InputObject, SimpleObject};

/// A page of the customer's website.
#[derive(SimpleObject)]
pub(super) struct WebPage {
    /// The URL of the page.
    url: String,
    /// The title of the page. Null if unknown.
    title: Option<String>,
}

impl From<entity::WebPage> for WebPage {
    fn from(entity::WebPage { url, title }: entity::WebPage) -> Self {
        // A URL that was stored before URLs were normalized could be read differently within a page.
        let url = web_url(&url).map_or(url, Into::into);
        Self { url, title }
    }
}

/// A page of the customer's website.
#[derive(InputObject)]
pub(super) struct WebPageInput {
    /// The URL of the page: http or https, up to 2,048 characters. It is normalized as in browsers, without
    /// user name and password.
    url: String,
    /// The title of the page: up to 200 characters. Bidirectional control characters are removed. A title
    /// without a visible character becomes null.
    title: Option<String>,
}

impl From<WebPageInput> for entity::WebPage {
    fn from(WebPageInput { url, title }: WebPageInput) -> Self {
        Self { url, title }
    }
}
