//! Detects the type of a file by its first bytes, and compares it with the declared type.

use crate::domain::limits;
use crate::domain::media::{self, Looks};
use infer::MatcherType;

/// The number of bytes that are inspected: enough for every signature.
pub(super) const HEAD: usize = 8 * 1024;

/// The detected type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The content matches the declared type.
    AsSaid,
    /// Another type. The file is stored under that name, or as plain bytes.
    As(&'static str),
    /// A type that browsers execute, under a misleading name.
    Active,
}

/// Compares the first bytes of a file of `size` bytes with its declared media type.
pub(super) fn find(head: &[u8], media_type: &str, looks: Looks, size: u64) -> Found {
    // Photos often have the name of another image format.
    let is_image =
        matches!(looks, Looks::Picture | Looks::Heif | Looks::Image) && size <= limits::IMAGE_BYTES;
    let found = infer::get(head).map(|found| found.mime_type());
    let other =
        found.filter(|found| is_image && *found != media_type && media::looks(found) == Some(Looks::Picture));
    if let Some(other) = other {
        Found::As(other)
    } else if is_like(head, media_type, looks) && (is_read_as_text(looks) || !is_active(head)) {
        Found::AsSaid
    } else if is_active(head) {
        Found::Active
    } else {
        Found::As(media::ANY)
    }
}

/// Whether a web page's source is acceptable for the declared type: a text, or bytes of any kind.
fn is_read_as_text(looks: Looks) -> bool {
    matches!(looks, Looks::Text | Looks::Unknown)
}

/// Whether a browser that sniffs content would treat it as a page, or as another type that runs scripts.
fn is_active(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start().to_ascii_lowercase();
    let is_xml = head.starts_with(b"<?xml");
    PAGES.iter().any(|tag| head.starts_with(tag.as_bytes()))
        || (is_xml && IN_XML.iter().any(|mark| has(&head, mark.as_bytes())))
}

/// The first bytes of web pages (WHATWG MIME Sniffing section 7.1), and of images with scripts.
const PAGES: [&str; 19] = [
    "<!doctype html",
    "<html",
    "<head",
    "<script",
    "<iframe",
    "<h1",
    "<div",
    "<font",
    "<table",
    "<a ",
    "<style",
    "<title",
    "<b>",
    "<body",
    "<br",
    "<p>",
    "<!--",
    "<svg",
    "<!doctype svg",
];

/// Strings that make browsers execute an XML file.
const IN_XML: [&str; 5] = ["<html", "<svg", "xml-stylesheet", "1999/xhtml", "<xsl:"];

/// Whether a file that starts with these bytes can be of this media type.
pub(super) fn is_like(head: &[u8], media_type: &str, looks: Looks) -> bool {
    let found = infer::get(head);
    let is = |name: &str| found.is_some_and(|found| found.mime_type() == name);
    match looks {
        Looks::Unknown => true,
        Looks::Picture => is(media_type),
        Looks::Heif | Looks::Image => found.is_some_and(|found| found.matcher_type() == MatcherType::Image),
        // Some containers have no signature.
        Looks::Stream => found.is_none_or(|found| {
            matches!(found.matcher_type(), MatcherType::Audio | MatcherType::Video)
                || found.mime_type() == "application/ogg"
        }),
        Looks::Pdf => is("application/pdf"),
        Looks::Zip => head.starts_with(b"PK"),
        Looks::Gzip => is("application/gzip"),
        Looks::Compound => head.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"),
        Looks::Dicom => head.get(128..132) == Some(b"DICM"),
        Looks::Text => is_text(head) && (media_type != "image/svg+xml" || has(head, b"<svg")),
    }
}

/// A text is not a program or archive, and has no zero bytes unless its first two bytes announce UTF-16.
fn is_text(head: &[u8]) -> bool {
    let is_wide = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF");
    is_wide || !head.contains(&0)
}

fn has(head: &[u8], mark: &[u8]) -> bool {
    head.windows(mark.len()).any(|bytes| bytes == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTML: &[u8] = b"<!DOCTYPE html><html><script>alert(1)</script></html>";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    fn found(head: &[u8], media_type: &str) -> Found {
        find(head, media_type, media::looks(media_type).expect("a type"), 1_000)
    }

    #[test]
    fn page_under_another_name_is_found_out() {
        let types = [
            "image/png",
            "image/heic",
            "audio/mpeg",
            "application/pdf",
            "application/zip",
            "application/gzip",
            "application/msword",
            "application/dicom",
            "image/svg+xml",
        ];
        let pages = [
            HTML,
            b"\xEF\xBB\xBF \n<HTML>",
            b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>",
            b"<?xml version='1.0'?><?xml-stylesheet href='x.xsl'?><a/>",
        ];
        for media_type in types {
            for page in pages {
                assert_eq!(found(page, media_type), Found::Active, "{media_type}");
            }
        }
        assert_eq!(found(b"<svg onload='x'/>", "image/png"), Found::Active);
        assert_eq!(found(HTML, media::ANY), Found::AsSaid);
        assert_eq!(found(HTML, "text/plain"), Found::AsSaid, "the source of a page is a text");
    }

    #[test]
    fn harmless_bytes_under_another_name_are_kept() {
        let bytes = Found::As(media::ANY);
        assert_eq!(found(b"name;amount\r\nVera;7\r\n", "application/vnd.ms-excel"), bytes);
        assert_eq!(found(b"MZ\0\0\0", "text/plain"), bytes);
        // At least as long as a program's header.
        let program = [&b"\x7fELF\x02\x01\x01"[..], &[0; 57]].concat();
        assert_eq!(found(&program, "video/mp4"), bytes);
        assert_eq!(found(b"<?xml version='1.0'?><invoice/>", "application/zip"), bytes);
        assert_eq!(found(&[7; 20], "image/png"), bytes);
        for media_type in ["image/jpeg", "image/gif", "image/webp", "image/heic"] {
            assert_eq!(found(PNG, media_type), Found::As("image/png"), "{media_type}");
        }
        assert_eq!(found(PNG, "application/pdf"), bytes);
    }

    #[test]
    fn bytes_that_are_what_they_are_said_to_be_are_kept_as_that() {
        for (head, media_type) in [
            (PNG, "image/png"),
            ("Grüße\n".as_bytes(), "text/plain"),
            (b"\xFF\xFEG\0r\0", "text/plain"),
            (b"<svg xmlns=''/>", "image/svg+xml"),
            (b"PK\x03\x04", "application/zip"),
            (b"%PDF-1.7", "application/pdf"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0", "video/mp4"),
        ] {
            assert_eq!(found(head, media_type), Found::AsSaid, "{media_type}");
        }
    }
}
