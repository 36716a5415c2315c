//! Media types of files, and the signatures of their content. HTML and scripts are refused, because browsers
//! execute them. Unknown types are stored as plain bytes.

use super::field_path::FieldPath;
use super::limits;
use super::refused::Refused;

/// The signature that the content of a media type must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Any content.
    Unknown,
    /// An image that is decoded for its size and preview.
    Picture,
    /// A HEIC or AVIF image, which is not decoded.
    Heif,
    /// An image of another kind.
    Image,
    /// Audio or video: containers do not tell which.
    Stream,
    /// A PDF.
    Pdf,
    /// A zip archive. Most office documents are zip archives.
    Zip,
    /// A gzip archive.
    Gzip,
    /// A compound file, as written by older office programs.
    Compound,
    /// A DICOM image.
    Dicom,
    /// A text.
    Text,
}

/// The media types that are stored by their name. A `*` at the end matches any ending.
const TYPES: &[(&str, Looks)] = &[
    ("image/png", Looks::Picture),
    ("image/jpeg", Looks::Picture),
    ("image/gif", Looks::Picture),
    ("image/webp", Looks::Picture),
    ("image/avif", Looks::Heif),
    ("image/bmp", Looks::Image),
    ("image/heic", Looks::Heif),
    ("image/heif", Looks::Heif),
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

/// The media type of bytes that are not inspected.
pub const ANY: &str = "application/octet-stream";

/// Aliases of these types that some programs use.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("image/x-png", "image/png"),
    ("image/x-ms-bmp", "image/bmp"),
    ("application/x-pdf", "application/pdf"),
    ("application/csv", "text/csv"),
    ("application/x-gzip", "application/gzip"),
    ("text/x-markdown", "text/markdown"),
    ("text/x-vcard", "text/vcard"),
];

/// Media types that a browser executes as a page, a script or a style sheet.
const ACTIVE: &[&str] = &[
    "text/html",
    "application/xhtml+xml",
    "text/javascript",
    "text/ecmascript",
    "text/jscript",
    "text/livescript",
    "text/x-javascript",
    "text/x-ecmascript",
    "text/vbscript",
    "application/javascript",
    "application/ecmascript",
    "application/x-javascript",
    "application/x-ecmascript",
    "application/xslt+xml",
    "text/xsl",
    "text/x-component",
    "application/hta",
    "application/x-shockwave-flash",
    "multipart/x-mixed-replace",
];

/// Normalizes a media type to lower case without parameters: `Image/PNG; x=y` becomes `image/png`.
pub fn essence(field: impl Into<FieldPath>, text: &str) -> Result<String, Refused> {
    let field = field.into();
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
        Some(_) | None => Err(Refused::Invalid { field, reason: "A media type must look like `image/png`." }),
    }
}

/// Whether browsers execute this media type.
#[must_use]
pub fn is_active(essence: &str) -> bool {
    ACTIVE.contains(&essence)
}

/// The media type under which such a file is stored. `None` if browsers execute it.
#[must_use]
pub fn kept_as(essence: &str) -> Option<&str> {
    let essence = OTHER_NAMES.iter().find(|(name, _)| *name == essence).map_or(essence, |(_, known)| known);
    if is_active(essence) {
        None
    } else if looks(essence).is_some() {
        Some(essence)
    } else {
        Some(ANY)
    }
}

/// The signature of this media type. `None` for types that are not stored by their name.
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
    fn what_a_browser_would_run_is_refused() {
        for active in
            ["text/html", "application/xhtml+xml", "text/javascript", "application/javascript", "text/xsl"]
        {
            assert_eq!((kept_as(active), looks(active)), (None, None), "{active}");
        }
    }

    #[test]
    fn known_types_keep_their_name_and_others_are_bytes() {
        for known in ["image/svg+xml", "audio/x-anything", "application/vnd.oasis.opendocument.text", ANY] {
            assert_eq!(kept_as(known), Some(known));
        }
        assert_eq!(kept_as("image/jpg"), Some("image/jpeg"));
        for other in [
            "application/vnd.rar",
            "application/x-7z-compressed",
            "application/xml",
            "text/xml",
            "message/rfc822",
            "application/vnd.apple.pages",
            "font/woff2",
        ] {
            assert_eq!(kept_as(other), Some(ANY), "{other}");
        }
        for (_, known) in OTHER_NAMES {
            assert!(looks(known).is_some(), "{known}");
        }
    }
}
