//! Content negotiation: the response format that `Accept` requests.

use axum::http::{HeaderMap, header};

/// The response formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `application/json`: a well-formed request gets status 200, even if it failed.
    Json,
    /// `application/graphql-response+json`: the status says whether the request was valid.
    GraphqlResponse,
    /// `text/event-stream`.
    Events,
}

impl Format {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Events => "text/event-stream; charset=utf-8",
        }
    }
}

/// The acceptable format with the highest weight, or the first of equals. JSON without the header. `None` if
/// no supported format is acceptable.
pub(super) fn format(headers: &HeaderMap) -> Option<Format> {
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        ranges.extend(
            value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|range| !range.is_empty()),
        );
    }
    if ranges.is_empty() {
        return Some(Format::Json);
    }
    let mut best: Option<(f32, Format)> = None;
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let format = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/graphql-response+json" => Format::GraphqlResponse,
            "application/json" | "application/*" | "*/*" => Format::Json,
            "text/event-stream" => Format::Events,
            _ => continue,
        };
        let weight =
            parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0_f32);
        if weight > 0.0 && best.is_none_or(|(other, _)| weight > other) {
            best = Some((weight, format));
        }
    }
    best.map(|(_, format)| format)
}

/// Whether the body is declared as JSON in UTF-8.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.all(|part| match part.split_once('=') {
            Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
                charset.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            Some(_) | None => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn accepting(accept: &'static str) -> Option<Format> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        format(&headers)
    }

    #[test]
    fn the_answer_is_what_is_asked_for_and_json_for_whoever_does_not_care() {
        assert_eq!(format(&HeaderMap::new()), Some(Format::Json));
        assert_eq!(accepting("*/*"), Some(Format::Json));
        assert_eq!(accepting("application/json"), Some(Format::Json));
        assert_eq!(accepting("application/graphql-response+json"), Some(Format::GraphqlResponse));
        assert_eq!(
            accepting("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"),
            Some(Format::GraphqlResponse)
        );
        assert_eq!(
            accepting("application/graphql-response+json;q=0.5, application/json"),
            Some(Format::Json)
        );
        assert_eq!(accepting("text/event-stream"), Some(Format::Events));
        assert_eq!(accepting("text/html"), None);
        assert_eq!(accepting("application/json;q=0"), None);
    }

    #[test]
    fn a_body_is_json_in_utf_8_or_it_is_not_read() {
        let with = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            is_json(&headers)
        };
        assert!(with("application/json"));
        assert!(with("Application/JSON; charset=UTF-8"));
        assert!(!with("application/json; charset=latin1"));
        assert!(!with("text/plain"));
        assert!(!is_json(&HeaderMap::new()));
    }
}
