//! Whether bytes look like what they are said to be, by how they begin.

use crate::domain::media::Looks;
use infer::MatcherType;

/// Bytes that are looked at: enough for every mark that is looked for.
pub(super) const HEAD: usize = 8 * 1024;

/// Whether a file that begins so can be of this media type.
pub(super) fn is_like(head: &[u8], media_type: &str, looks: Looks) -> bool {
    let found = infer::get(head);
    let is = |name: &str| found.is_some_and(|found| found.mime_type() == name);
    match looks {
        Looks::Unknown => true,
        Looks::Picture => is(media_type),
        Looks::Image => found.is_some_and(|found| found.matcher_type() == MatcherType::Image),
        // Some containers have no mark of their own.
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

/// A text has no zero bytes, unless its first two say that it is UTF-16, and is no program or archive.
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

    #[test]
    fn a_type_that_lies_is_found_out() {
        assert!(is_like(PNG, "image/png", Looks::Picture));
        for media_type in ["image/jpeg", "image/gif", "image/webp"] {
            assert!(!is_like(PNG, media_type, Looks::Picture), "{media_type}");
        }
        for (media_type, looks) in [
            ("image/png", Looks::Picture),
            ("image/heic", Looks::Image),
            ("audio/mpeg", Looks::Stream),
            ("application/pdf", Looks::Pdf),
            ("application/zip", Looks::Zip),
            ("application/gzip", Looks::Gzip),
            ("application/msword", Looks::Compound),
            ("application/dicom", Looks::Dicom),
            ("image/svg+xml", Looks::Text),
        ] {
            assert!(!is_like(HTML, media_type, looks), "{media_type}");
        }
        assert!(!is_like(b"MZ\0\0\0", "text/plain", Looks::Text));
        // As long as the header of a program is at least.
        let program = [&b"\x7fELF\x02\x01\x01"[..], &[0; 57]].concat();
        assert!(!is_like(&program, "video/mp4", Looks::Stream));
    }

    #[test]
    fn what_is_what_it_says_is_taken() {
        assert!(is_like("Grüße\n".as_bytes(), "text/plain", Looks::Text));
        assert!(is_like(b"\xFF\xFEG\0r\0", "text/plain", Looks::Text));
        assert!(is_like(b"<svg xmlns=''/>", "image/svg+xml", Looks::Text));
        assert!(is_like(b"PK\x03\x04", "application/zip", Looks::Zip));
        assert!(is_like(b"%PDF-1.7", "application/pdf", Looks::Pdf));
        assert!(is_like(b"\0\0\0\x18ftypmp42\0\0\0\0", "video/mp4", Looks::Stream));
        assert!(is_like(HTML, "application/octet-stream", Looks::Unknown));
    }
}
