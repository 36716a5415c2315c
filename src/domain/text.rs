//! The rules for texts: lengths in Unicode scalar values, and no control characters except line breaks and
//! tabs.

use super::{field_path::FieldPath, limits, refused::Refused};
use entity::WebPage;
use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use url::Url;

/// Checks a message's text: 1 to 2000 characters.
pub fn message(field: impl Into<FieldPath>, text: &str) -> Result<(), Refused> {
    let field = field.into();
    if text.is_empty() {
        return Err(Refused::Invalid { field, reason: "The text must have 1–2,000 characters." });
    }
    bounded(&field, text, limits::TEXT)?;
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(Refused::Invalid {
            field,
            reason: "The only control characters allowed in a text are newline, carriage return and tab.",
        });
    }
    Ok(())
}

/// Checks a name: 1 to 200 characters on one line, at least one of them visible. Removes bidirectional
/// controls.
pub fn name(field: impl Into<FieldPath>, name: &mut String) -> Result<(), Refused> {
    let field = field.into();
    remove_bidi_controls(name);
    if !has_visible(name) {
        return Err(Refused::Invalid { field, reason: "A name must have at least one visible character." });
    }
    line(&field, name, limits::NAME)
}

/// Removes bidirectional controls. Names are shown within other text, whose direction they must not change.
/// Right-to-left text keeps its direction without them, because its letters have one.
pub fn remove_bidi_controls(text: &mut String) {
    text.retain(|letter| !CodePointSetData::new::<BidiControl>().contains(letter));
}

/// Whether a text has a visible character. White space, marks without a letter, and unassigned or nonprinting
/// characters are not visible.
#[must_use]
pub fn has_visible(text: &str) -> bool {
    text.chars().any(is_visible)
}

fn is_visible(letter: char) -> bool {
    /// Characters that are blank despite their category: a Braille pattern without dots, the object
    /// replacement character, a note without a head.
    const BLANK: [char; 3] = ['\u{2800}', '\u{fffc}', '\u{1d159}'];
    if BLANK.contains(&letter) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter) {
        return false;
    }
    !matches!(
        CodePointMapData::<GeneralCategory>::new().get(letter),
        GeneralCategory::Unassigned
            | GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::SpaceSeparator
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
            | GeneralCategory::EnclosingMark
    )
}

/// Checks a longer text that may be empty: the description of a chat, the reason for a rejection.
pub fn note(field: impl Into<FieldPath>, text: &str, limit: usize) -> Result<(), Refused> {
    let field = field.into();
    bounded(&field, text, limit)?;
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(Refused::Invalid {
            field,
            reason: "The only control characters allowed are newline, carriage return and tab.",
        });
    }
    Ok(())
}

/// Checks an id from a client: 1 to 128 characters on one line.
pub fn external_id(field: impl Into<FieldPath>, id: &str) -> Result<(), Refused> {
    let field = field.into();
    if id.is_empty() {
        return Err(Refused::Invalid { field, reason: "An id must have at least one character." });
    }
    line(&field, id, limits::EXTERNAL_ID)
}

/// Checks a text on one line of at most `limit` characters.
pub fn line(field: impl Into<FieldPath>, text: &str, limit: usize) -> Result<(), Refused> {
    let field = field.into();
    bounded(&field, text, limit)?;
    if text.chars().any(char::is_control) {
        return Err(Refused::Invalid { field, reason: "Control characters are not allowed." });
    }
    Ok(())
}

/// Checks the value of an HTTP header: 1 to `limit` visible ASCII characters, no white space.
pub fn header(field: impl Into<FieldPath>, text: &str, limit: usize) -> Result<(), Refused> {
    let field = field.into();
    bounded(&field, text, limit)?;
    if text.is_empty() || !text.chars().all(|character| character.is_ascii_graphic()) {
        let reason = "The value must be visible ASCII characters without white space.";
        return Err(Refused::Invalid { field, reason });
    }
    Ok(())
}

/// Checks a tag: 1 to 64 characters on one line, at least one of them visible. Trims it and removes
/// bidirectional controls.
pub fn tag(field: impl Into<FieldPath>, mut tag: String) -> Result<String, Refused> {
    let field = field.into();
    remove_bidi_controls(&mut tag);
    let tag = tag.trim();
    if !has_visible(tag) {
        return Err(Refused::Invalid { field, reason: "A tag must have at least one visible character." });
    }
    line(&field, tag, limits::TAG)?;
    Ok(tag.to_owned())
}

/// Checks a page of the customer's site: an http or https URL, and a title of up to 200 characters.
/// Normalizes the URL as browsers do, and removes credentials. Removes a title without visible characters.
pub fn page(field: impl Into<FieldPath>, page: &mut WebPage) -> Result<(), Refused> {
    let field = field.into();
    line(field.field("url"), &page.url, limits::PAGE_URL)?;
    let Some(mut url) = web_url(&page.url) else {
        let reason = "The URL of a page must start with http:// or https://.";
        return Err(Refused::Invalid { field: field.field("url"), reason });
    };
    // Fails only for URLs without a host.
    let _ = (url.set_username(""), url.set_password(None));
    page.url = url.into();
    if let Some(title) = &mut page.title {
        remove_bidi_controls(title);
        line(field.field("title"), title, limits::NAME)?;
    }
    page.title.take_if(|title| !has_visible(title));
    Ok(())
}

/// Parses an absolute http or https URL as browsers do. Its normalized form leads to the same host in every
/// client.
#[must_use]
pub fn web_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn bounded(field: &FieldPath, text: &str, limit: usize) -> Result<(), Refused> {
    if text.chars().nth(limit).is_some() {
        return Err(Refused::TooLong { field: field.clone(), limit });
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
            Err(Refused::TooLong { field: "text".into(), limit: limits::TEXT })
        );
    }

    #[test]
    fn control_characters_are_refused_but_line_breaks_and_tabs_are_kept() {
        assert_eq!(message("text", "a\r\n\tb"), Ok(()));
        assert!(matches!(message("text", "a\u{0}b"), Err(Refused::Invalid { .. })));
        assert!(matches!(message("text", "a\u{7f}b"), Err(Refused::Invalid { .. })));
        assert!(matches!(message("text", "a\u{85}b"), Err(Refused::Invalid { .. })));
        assert!(matches!(name("name", &mut "a\nb".into()), Err(Refused::Invalid { .. })));
    }

    #[test]
    fn page_is_normalized_and_loses_credentials() {
        let tried = |url: &str, title: Option<&str>| {
            let mut tried = WebPage { url: url.to_owned(), title: title.map(ToOwned::to_owned) };
            page("page", &mut tried).map(|()| (tried.url, tried.title))
        };
        for (url, normal) in [
            ("https://shop.example.org/a?b=c#d", "https://shop.example.org/a?b=c#d"),
            ("http://localhost:3000", "http://localhost:3000/"),
            ("https:e.org", "https://e.org/"),
            (r"https:\e.org\a", "https://e.org/a"),
            ("https://me:secret@e.org/", "https://e.org/"),
        ] {
            assert_eq!(tried(url, None), Ok((normal.to_owned(), None)), "{url}");
        }
        for url in
            ["", "shop.example.org", "javascript:alert(1)", "file:///etc/passwd", "https://", "data:,x"]
        {
            assert!(matches!(tried(url, None), Err(Refused::Invalid { .. })), "{url}");
        }
        for (title, kept) in [("Shop", Some("Shop")), ("\u{202e}pohS", Some("pohS")), (" \u{200b}", None)] {
            let url = "https://e.org/";
            assert_eq!(tried(url, Some(title)), Ok((url.to_owned(), kept.map(ToOwned::to_owned))));
        }
    }

    #[test]
    fn name_without_a_visible_character_is_refused() {
        let invisible = [
            "",
            " ",
            "\u{3000}",
            "\u{a0}",
            "\u{ad}",
            "\u{34f}",
            "\u{61c}",
            "\u{115f}",
            "\u{1160}",
            "\u{17b4}",
            "\u{180e}",
            "\u{200b}",
            "\u{200c}",
            "\u{200d}",
            "\u{200e}",
            "\u{202e}",
            "\u{2028}",
            "\u{2060}",
            "\u{2064}",
            "\u{2066}",
            "\u{2800}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{feff}",
            "\u{ffa0}",
            "\u{fff9}",
            "\u{fffc}",
            "\u{e000}",
            "\u{1d159}",
            "\u{1d173}",
            "\u{e0041}",
            "\u{e0100}",
            "\u{301}",
            "\u{378}",
            "\u{202e}\u{200b} \u{3164}",
        ];
        for text in invisible {
            assert!(matches!(name("name", &mut text.into()), Err(Refused::Invalid { .. })), "{text:?}");
            assert!(matches!(tag("tags", text.into()), Err(Refused::Invalid { .. })), "{text:?}");
        }
        for text in [
            "a",
            "字",
            "👍",
            "1",
            "-",
            "می\u{200c}خواهم",
            "👨\u{200d}👩\u{200d}👧",
            "é",
            "e\u{301}",
            "\u{3164}a",
        ] {
            let mut kept = text.to_owned();
            assert_eq!(name("name", &mut kept), Ok(()), "{text:?}");
            assert_eq!(kept, text);
        }
    }

    #[test]
    fn bidirectional_controls_are_removed_from_names() {
        for control in
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
                .chars()
        {
            let mut text = format!("invoice{control}fdp.exe");
            assert_eq!(name("name", &mut text), Ok(()));
            assert_eq!(text, "invoicefdp.exe");
            assert_eq!(tag("tags", format!(" {control}VIP ")).as_deref(), Ok("VIP"));
        }
        let mut long = format!("\u{202e}{}", "a".repeat(limits::NAME));
        assert_eq!(name("name", &mut long), Ok(()));
    }

    #[test]
    fn nothing_is_no_message_and_no_id() {
        assert!(matches!(message("text", ""), Err(Refused::Invalid { .. })));
        assert_eq!(message("text", " "), Ok(()));
        assert_eq!(message("text", "\u{202e}abc"), Ok(()));
        assert!(matches!(external_id("externalId", ""), Err(Refused::Invalid { .. })));
    }
}
