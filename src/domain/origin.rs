//! Origins of websites: scheme, host and, if it is not the default, port.

use super::field_path::FieldPath;
use super::{limits, refused::Refused};
use url::Url;

/// Normalizes a list of origins and removes duplicates. The order stays.
pub fn origins(field: impl Into<FieldPath>, given: Vec<String>) -> Result<Vec<String>, Refused> {
    let field = field.into();
    if given.len() > limits::ORIGINS {
        return Err(Refused::TooMany { field, limit: limits::ORIGINS });
    }
    let mut origins = Vec::with_capacity(given.len());
    for (index, origin) in given.into_iter().enumerate() {
        let Some(origin) = normalized(&origin) else {
            return Err(Refused::Invalid { field: field.item(index), reason: REASON });
        };
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    Ok(origins)
}

/// The explanation for a value that is not an origin.
pub const REASON: &str =
    "An origin must have a scheme and a host, optionally a port, and no path, such as https://shop.example.";

/// Normalizes an origin to the form that browsers send: in lower case, in ASCII, without the default port.
/// `None` for a value that browsers never send.
#[must_use]
pub fn normalized(text: &str) -> Option<String> {
    let text = text.trim_matches(' ');
    let (scheme, authority) = text.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    // The URL parser accepts parts that an origin cannot have: paths, user names, line breaks, backslashes.
    let is_bare = !authority.is_empty()
        && !authority.contains(|letter: char| {
            letter.is_whitespace() || letter.is_control() || "/\\?#@*%".contains(letter)
        });
    if !is_web || !is_bare {
        return None;
    }
    let origin = Url::parse(text).ok()?.origin().ascii_serialization();
    // Compatibility forms of letters may normalize to a star, or to nothing.
    (origin.len() <= limits::ORIGIN && !origin.contains('*')).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_normalized_to_what_browsers_send() {
        for (given, sent) in [
            ("https://shop.example", "https://shop.example"),
            ("https://Shop.example:443", "https://shop.example"),
            ("HTTP://SHOP.EXAMPLE:80", "http://shop.example"),
            ("https://shop.example:80", "https://shop.example:80"),
            (" https://shop.example ", "https://shop.example"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://[::1]:1", "http://[::1]:1"),
            ("http://[0:0::1]", "http://[::1]"),
            ("http://127.1", "http://127.0.0.1"),
            ("https://xn--hllo-loa.example", "https://xn--hllo-loa.example"),
            ("https://hällo.example", "https://xn--hllo-loa.example"),
        ] {
            assert_eq!(normalized(given).as_deref(), Some(sent), "{given}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_no_origin() {
        for other in [
            "",
            "*",
            "null",
            "shop.example",
            "https:",
            "https://",
            "https:///",
            "https:shop.example",
            "https:\\\\shop.example",
            "https://*.shop.example",
            "https://shop.example/",
            "https://shop.example/path",
            "https://shop.example:0x",
            "https://shop.example:99999",
            "https://a@shop.example",
            "https://shop.example?",
            "https://shop.example#",
            "https://shop\n.example",
            "https://a b",
            "ftp://shop.example",
            "file:///",
        ] {
            assert_eq!(normalized(other), None, "{other}");
        }
        assert_eq!(normalized(&format!("https://{}", "x.".repeat(limits::ORIGIN))), None);
    }

    #[test]
    fn a_list_keeps_its_order_and_says_each_once() {
        let given = ["https://b.example", "https://a.example", "https://b.example"].map(str::to_owned);
        assert_eq!(
            origins("o", given.to_vec()),
            Ok(vec!["https://b.example".to_owned(), "https://a.example".to_owned()])
        );
        let many = |count: usize| (0..count).map(|number| format!("https://s{number}.example")).collect();
        assert!(origins("o", many(limits::ORIGINS)).is_ok());
        let too_many = Refused::TooMany { field: "o".into(), limit: limits::ORIGINS };
        assert_eq!(origins("o", many(limits::ORIGINS + 1)), Err(too_many));
    }
}
