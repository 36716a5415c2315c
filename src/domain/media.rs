//! What files may be: the media types that can be uploaded, and what their bytes must look like. What a browser
//! would run (HTML, scripts) is not among them; it can be sent as bytes that nobody looks at.

use super::limits;
use super::refused::Refused;

/// What the bytes of a media type must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Anything.
    Unknown,
    /// An image that is decoded, for its size and its preview.
    Picture,
    /// An image of another kind.
    Image,
    /// Sound or film: containers do not tell which.
    Stream,
    /// A PDF.
    Pdf,
    /// A zip archive, which most documents of office programs are.
    Zip,
    /// A gzip archive.
    Gzip,
    /// A compound file, as older office programs write them.
    Compound,
    /// A DICOM image.
    Dicom,
    /// A text.
    Text,
}

/// The media types that can be uploaded. One that ends in `*` stands for all that begin so.
const TYPES: &[(&str, Looks)] = &[
    ("image/png", Looks::Picture),
    ("image/jpeg", Looks::Picture),
    ("image/gif", Looks::Picture),
    ("image/webp", Looks::Picture),
    ("image/avif", Looks::Image),
    ("image/bmp", Looks::Image),
    ("image/heic", Looks::Image),
    ("image/heif", Looks::Image),
    ("image/tiff", Looks::Image),
    ("image/svg+xml", Looks::Text),
    ("audio/*", Looks::Stream),
    ("video/*", Looks::Stream),
    ("application/ogg", Looks::Stream),
    ("application/pdf", Looks::Pdf),
    ("application/dicom", Looks::Dicom),
    ("application/zip", Looks::Zip),
    ("application/x-zip-compressed", Looks::Zip),
    ("application/epub+zip", Looks::Zip),
    ("application/gzip", Looks::Gzip),
    ("application/msword", Looks::Compound),
    ("application/vnd.ms-excel", Looks::Compound),
    ("application/vnd.ms-powerpoint", Looks::Compound),
    ("application/vnd.openxmlformats-officedocument.*", Looks::Zip),
    ("application/vnd.oasis.opendocument.*", Looks::Zip),
    ("application/rtf", Looks::Text),
    ("application/json", Looks::Text),
    ("application/fhir+json", Looks::Text),
    ("text/calendar", Looks::Text),
    ("text/csv", Looks::Text),
    ("text/markdown", Looks::Text),
    ("text/plain", Looks::Text),
    ("text/rtf", Looks::Text),
    ("text/tab-separated-values", Looks::Text),
    ("text/vcard", Looks::Text),
    (ANY, Looks::Unknown),
];

/// Bytes that nobody looks at.
pub const ANY: &str = "application/octet-stream";

/// A media type as it is stored, in lower case and without parameters: `Image/PNG; x=y` is `image/png`.
pub fn essence(field: &'static str, text: &str) -> Result<String, Refused> {
    if text.chars().nth(limits::MEDIA_TYPE).is_some() {
        return Err(Refused::TooLong { field, limit: limits::MEDIA_TYPE });
    }
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token = |text: &str| {
        let is_fine = |letter: char| letter.is_ascii_alphanumeric() || "!#$&^_.+-".contains(letter);
        !text.is_empty() && text.chars().all(is_fine)
    };
    match essence.split_once('/') {
        Some((kind, name)) if is_token(kind) && is_token(name) && !text.chars().any(char::is_control) => {
            Ok(essence)
        }
        Some(_) | None => {
            Err(Refused::Invalid { field, reason: "This is no media type, such as image/png." })
        }
    }
}

/// What a file of this media type looks like; `None` where none can be uploaded.
#[must_use]
pub fn looks(essence: &str) -> Option<Looks> {
    let is_one = |name: &str| match name.strip_suffix('*') {
        Some(start) => essence.starts_with(start),
        None => essence == name,
    };
    TYPES.iter().find(|(name, _)| is_one(name)).map(|(_, looks)| *looks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_stored_in_one_form() {
        assert_eq!(essence("m", "Image/PNG; charset=x").as_deref(), Ok("image/png"));
        for none in ["", "png", "image/", "/png", "a b/c", "image/png\n", "image/p ng", "image/(x)"] {
            assert!(matches!(essence("m", none), Err(Refused::Invalid { .. })), "{none}");
        }
    }

    #[test]
    fn what_a_browser_would_run_is_not_taken() {
        for active in
            ["text/html", "application/xhtml+xml", "text/javascript", "application/javascript", "text/xml"]
        {
            assert_eq!(looks(active), None, "{active}");
        }
        assert_eq!(looks("image/svg+xml"), Some(Looks::Text));
        assert_eq!(looks("audio/x-anything"), Some(Looks::Stream));
        assert_eq!(looks("application/vnd.oasis.opendocument.text"), Some(Looks::Zip));
        assert_eq!(looks(ANY), Some(Looks::Unknown));
    }
}
