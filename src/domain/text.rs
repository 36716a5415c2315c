//! What may be written: lengths in Unicode scalar values, and no control characters but line breaks and tabs.

use super::{limits, refused::Refused};
use entity::WebPage;
use url::Url;

/// A message's text: 1 to 2000 characters.
pub fn message(field: &'static str, text: &str) -> Result<(), Refused> {
    if text.is_empty() {
        return Err(Refused::Invalid { field, reason: "A message needs a text." });
    }
    bounded(field, text, limits::TEXT)?;
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(Refused::Invalid {
            field,
            reason: "The text has a control character other than newline, carriage return and tab.",
        });
    }
    Ok(())
}

/// A name: 1 to 200 characters on one line, not only white space.
pub fn name(field: &'static str, name: &str) -> Result<(), Refused> {
    if name.trim().is_empty() {
        return Err(Refused::Invalid { field, reason: "A name needs at least one visible character." });
    }
    line(field, name, limits::NAME)
}

/// A longer text that may be empty: the detail of a chat, the reason for a rejection.
pub fn note(field: &'static str, text: &str, limit: usize) -> Result<(), Refused> {
    bounded(field, text, limit)?;
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(Refused::Invalid { field, reason: "The text has a control character." });
    }
    Ok(())
}

/// An id that a client made: 1 to 128 characters on one line.
pub fn external_id(field: &'static str, id: &str) -> Result<(), Refused> {
    if id.is_empty() {
        return Err(Refused::Invalid { field, reason: "An id needs at least one character." });
    }
    line(field, id, limits::EXTERNAL_ID)
}

/// A text on one line of at most `limit` characters.
pub fn line(field: &'static str, text: &str, limit: usize) -> Result<(), Refused> {
    bounded(field, text, limit)?;
    if text.chars().any(char::is_control) {
        return Err(Refused::Invalid { field, reason: "The value has a control character." });
    }
    Ok(())
}

/// What is sent as an HTTP header: 1 to `limit` visible ASCII characters, no white space.
pub fn header(field: &'static str, text: &str, limit: usize) -> Result<(), Refused> {
    bounded(field, text, limit)?;
    if text.is_empty() || !text.chars().all(|character| character.is_ascii_graphic()) {
        let reason = "A header needs visible ASCII characters, and nothing else.";
        return Err(Refused::Invalid { field, reason });
    }
    Ok(())
}

/// A tag without the white space around it: 1 to 64 characters on one line.
pub fn tag(field: &'static str, tag: &str) -> Result<String, Refused> {
    let tag = tag.trim();
    if tag.is_empty() {
        return Err(Refused::Invalid { field, reason: "A tag needs at least one visible character." });
    }
    line(field, tag, limits::TAG)?;
    Ok(tag.to_owned())
}

/// A page of the customer's site: an http or https address, a title of up to 200 characters.
pub fn page(field: &'static str, page: &WebPage) -> Result<(), Refused> {
    line(field, &page.url, limits::PAGE_URL)?;
    let is_web = Url::parse(&page.url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_web {
        return Err(Refused::Invalid { field, reason: "A page has an address of http or https." });
    }
    page.title.as_ref().map_or(Ok(()), |title| line(field, title, limits::NAME))
}

fn bounded(field: &'static str, text: &str, limit: usize) -> Result<(), Refused> {
    if text.chars().nth(limit).is_some() {
        return Err(Refused::TooLong { field, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_counted_in_characters_not_bytes() {
        assert_eq!(message("text", &"ä".repeat(limits::TEXT)), Ok(()));
        assert_eq!(
            message("text", &"ä".repeat(limits::TEXT + 1)),
            Err(Refused::TooLong { field: "text", limit: limits::TEXT })
        );
    }

    #[test]
    fn control_characters_are_refused_but_line_breaks_and_tabs_are_kept() {
        assert_eq!(message("text", "a\r\n\tb"), Ok(()));
        assert!(matches!(message("text", "a\u{0}b"), Err(Refused::Invalid { .. })));
        assert!(matches!(message("text", "a\u{7f}b"), Err(Refused::Invalid { .. })));
        assert!(matches!(message("text", "a\u{85}b"), Err(Refused::Invalid { .. })));
        assert!(matches!(name("name", "a\nb"), Err(Refused::Invalid { .. })));
    }

    #[test]
    fn a_page_is_of_the_web() {
        let tried = |url: &str| page("page", &WebPage { url: url.to_owned(), title: None });
        assert_eq!(tried("https://shop.example.org/a?b=c#d"), Ok(()));
        assert_eq!(tried("http://localhost:3000"), Ok(()));
        for url in
            ["", "shop.example.org", "javascript:alert(1)", "file:///etc/passwd", "https://", "data:,x"]
        {
            assert!(matches!(tried(url), Err(Refused::Invalid { .. })), "{url}");
        }
    }

    #[test]
    fn nothing_is_no_message_and_blanks_are_no_name() {
        assert!(matches!(message("text", ""), Err(Refused::Invalid { .. })));
        assert_eq!(message("text", " "), Ok(()));
        assert!(matches!(name("name", " \u{3000}"), Err(Refused::Invalid { .. })));
        assert!(matches!(external_id("externalId", ""), Err(Refused::Invalid { .. })));
    }
}
