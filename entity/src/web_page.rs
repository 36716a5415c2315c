//! A page of the customer's website, stored in two columns.

/// A page: its URL, and its title if known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebPage {
    pub url: String,
    pub title: Option<String>,
}

impl WebPage {
    pub(crate) fn of(url: Option<&String>, title: Option<&String>) -> Option<Self> {
        url.map(|url| Self { url: url.clone(), title: title.cloned() })
    }
}
