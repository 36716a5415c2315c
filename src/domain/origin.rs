//! Sites, by what a browser calls their origin: scheme, host and, unless it is the usual one, port.

use super::{limits, refused::Refused};
use url::Url;

/// Takes a list of origins as browsers send them: each once, in its order.
pub fn origins(field: &'static str, given: Vec<String>) -> Result<Vec<String>, Refused> {
    if given.len() > limits::ORIGINS {
        return Err(Refused::TooMany { field, limit: limits::ORIGINS });
    }
    let mut origins = Vec::with_capacity(given.len());
    for origin in given {
        if !is_origin(&origin) {
            let reason = "An origin is what a browser sends, such as https://shop.example.";
            return Err(Refused::Invalid { field, reason });
        }
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    Ok(origins)
}

/// Whether a browser would send exactly this: anything else would never match.
fn is_origin(text: &str) -> bool {
    // A library's host may have a star in it; no browser's has.
    text.len() <= limits::ORIGIN
        && !text.contains('*')
        && Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_as_a_browser_sends_it_and_not_otherwise() {
        for origin in [
            "https://shop.example",
            "http://localhost:8080",
            "http://[::1]:1",
            "https://xn--hllo-bpa.example",
        ] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in [
            "",
            "*",
            "null",
            "shop.example",
            "https://*.shop.example",
            "https://shop.example/",
            "https://shop.example:443",
            "https://Shop.example",
            "https://hällo.example",
            "https://a@shop.example",
            "https://shop.example?",
            " https://shop.example",
            "ftp://shop.example",
            "file:///",
        ] {
            assert!(!is_origin(other), "{other}");
        }
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
        let too_many = Refused::TooMany { field: "o", limit: limits::ORIGINS };
        assert_eq!(origins("o", many(limits::ORIGINS + 1)), Err(too_many));
    }
}
