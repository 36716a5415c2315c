//! `GET /files/…` and `GET /previews/…`: serves the file of a signed link, in a form that no browser
//! executes.

use super::Door;
use super::signed::{Refusal, granted};
use super::uploads::failed;
use crate::files::{Part, Purpose};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use entity::{AttachmentId, Timestamp, attachment};
use http_range_header::{RangeUnsatisfiableError, parse_range_header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::ops::Range;
use uuid::Uuid;

/// A policy under which nothing in the file can run, load or be framed.
const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";
/// The characters that need no escape in `filename*`: `attr-char` of RFC 8187.
const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Serves a file as a download.
pub(super) async fn file(
    State(door): State<Door>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (id, until) = granted(&door, Purpose::File, &id, request.uri())?;
    let (row, object) = find(&door, id).await?;
    let size = row.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
    let etag = format!("\"{}\"", object.simple());
    let media_type = row.media_type.as_deref().unwrap_or_default();
    let mut head = head(&etag, media_type, &disposition(row.name.as_deref().unwrap_or_default()))?;
    head.insert(header::CACHE_CONTROL, caching(&door, until));
    head.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if is_known(request.headers(), &etag) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    let range = match wanted(request.headers(), size, &etag) {
        Wanted::Whole => None,
        Wanted::Range(range) => Some(range),
        Wanted::Nothing => {
            head.insert(header::CONTENT_RANGE, value(&format!("bytes */{size}"))?);
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, head).into_response());
        }
    };
    let mut status = StatusCode::OK;
    let mut length = size;
    if let Some(Range { start, end }) = range {
        status = StatusCode::PARTIAL_CONTENT;
        length = end - start;
        head.insert(header::CONTENT_RANGE, value(&format!("bytes {start}-{}/{size}", end - 1))?);
    }
    head.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if request.method() == Method::HEAD {
        return Ok((status, head).into_response());
    }
    let (_, body) = read(&door, id, object, Part::Whole, range).await?;
    Ok((status, head, body).into_response())
}

/// Serves the preview of an image inline.
pub(super) async fn preview(
    State(door): State<Door>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (id, until) = granted(&door, Purpose::Preview, &id, request.uri())?;
    let (row, object) = find(&door, id).await?;
    let media_type = row.preview_type.ok_or(Refusal::GONE)?;
    let etag = format!("\"{}-preview\"", object.simple());
    let mut head = head(&etag, &media_type, "inline")?;
    head.insert(header::CACHE_CONTROL, caching(&door, until));
    if is_known(request.headers(), &etag) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    let (length, body) = read(&door, id, object, Part::Preview, None).await?;
    head.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    Ok((head, body).into_response())
}

async fn find(door: &Door, id: AttachmentId) -> Result<(attachment::Model, Uuid), Refusal> {
    let row = door.actions.file(id).await.map_err(|error| failed(&error))?.ok_or(Refusal::GONE)?;
    let object = row.object.ok_or(Refusal::GONE)?;
    Ok((row, object))
}

async fn read(
    door: &Door,
    id: AttachmentId,
    object: Uuid,
    part: Part,
    range: Option<Range<u64>>,
) -> Result<(u64, Body), Refusal> {
    match door.actions.files().read(id, object, part, range).await {
        Ok(Some((length, bytes))) => Ok((length, Body::from_stream(bytes))),
        Ok(None) => {
            tracing::error!(attachment = %id, "the bytes of a file are missing");
            Err(Refusal::GONE)
        }
        Err(error) => {
            tracing::warn!(%error, attachment = %id, "could not read a file");
            Err(Refusal::UNAVAILABLE)
        }
    }
}

fn head(etag: &str, media_type: &str, disposition: &str) -> Result<HeaderMap, Refusal> {
    let fixed = |name: &'static str, text: &'static str| {
        (HeaderName::from_static(name), HeaderValue::from_static(text))
    };
    let mut head = HeaderMap::from_iter([
        fixed("content-security-policy", POLICY),
        fixed("x-content-type-options", "nosniff"),
        fixed("cross-origin-resource-policy", "cross-origin"),
    ]);
    head.insert(header::CONTENT_TYPE, value(media_type)?);
    head.insert(header::CONTENT_DISPOSITION, value(disposition)?);
    head.insert(header::ETAG, value(etag)?);
    Ok(head)
}

fn value(text: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_str(text).map_err(|_| {
        tracing::error!("the name or type of a file cannot be sent as a header");
        Refusal::INTERNAL
    })
}

/// Caching headers. The bytes never change, so the client may cache them privately while the link is valid.
fn caching(door: &Door, until: Timestamp) -> HeaderValue {
    let seconds = until.since(door.actions.now()).num_seconds().max(0);
    HeaderValue::from_str(&format!("private, max-age={seconds}, immutable"))
        .unwrap_or(HeaderValue::from_static("no-store"))
}

/// A download under the file's name: in ASCII for simple clients, and in full (RFC 6266). The name has no
/// folders, and no characters that change the direction of text.
fn disposition(name: &str) -> String {
    let is_turning = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_unfit =
        |letter: char| letter.is_control() || letter == '/' || letter == '\\' || is_turning(letter);
    let name: String = name.chars().map(|letter| if is_unfit(letter) { '_' } else { letter }).collect();
    let is_plain = |letter: char| (letter.is_ascii_graphic() || letter == ' ') && !"\"%".contains(letter);
    let plain: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(&name, ATTR_CHAR))
}

/// Whether the client has these bytes already.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == etag || tag == "*")
    })
}

/// The requested bytes of a file.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Range(Range<u64>),
    /// A range beyond the end of the file.
    Nothing,
}

/// Parses a single range, as requested by players and resumed downloads. Several or invalid ranges get the
/// whole file (RFC 9110 section 14.2).
fn wanted(headers: &HeaderMap, size: u64, etag: &str) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(Ok(ranges)) = text(header::RANGE).map(parse_range_header) else { return Wanted::Whole };
    if text(header::IF_RANGE).is_some_and(|known| known != etag) {
        return Wanted::Whole;
    }
    match ranges.validate(size).as_deref() {
        Ok([range]) => Wanted::Range(*range.start()..range.end().saturating_add(1)),
        Err(RangeUnsatisfiableError::Unsatisfiable) => Wanted::Nothing,
        Ok(_) | Err(_) => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_name_and_nothing_else() {
        let name = "../../etc/pass\\wd";
        assert_eq!(
            disposition(name),
            "attachment; filename=\".._.._etc_pass_wd\"; filename*=UTF-8''.._.._etc_pass_wd"
        );
        let name = "Be\"fund\r\nX: y; 100%.pdf";
        assert_eq!(
            disposition(name),
            "attachment; filename=\"Be_fund__X: y; 100_.pdf\"; filename*=UTF-8''Be%22fund__X%3A%20y%3B%20100%25.pdf"
        );
        let name = "Röntgen\u{202e}gpj.exe";
        assert_eq!(
            disposition(name),
            "attachment; filename=\"R_ntgen_gpj.exe\"; filename*=UTF-8''R%C3%B6ntgen_gpj.exe"
        );
    }

    #[test]
    fn one_range_is_served_and_everything_else_is_whole() {
        let wanted = |range: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_static(range));
            wanted(&headers, 100, "\"a\"")
        };
        assert_eq!(wanted("bytes=0-0"), Wanted::Range(0..1));
        assert_eq!(wanted("bytes=10-"), Wanted::Range(10..100));
        assert_eq!(wanted("bytes=-10"), Wanted::Range(90..100));
        assert_eq!(wanted("bytes=-1000"), Wanted::Range(0..100));
        assert_eq!(wanted("bytes=90-1000"), Wanted::Range(90..100));
        assert_eq!(wanted("bytes=0-18446744073709551615"), Wanted::Range(0..100));
        for nothing in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(wanted(nothing), Wanted::Nothing, "{nothing}");
        }
        for whole in
            ["bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes=+1-2"]
        {
            assert_eq!(wanted(whole), Wanted::Whole, "{whole}");
        }
    }

    #[test]
    fn a_range_of_other_bytes_is_answered_whole() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"b\""));
        assert_eq!(wanted(&headers, 100, "\"a\""), Wanted::Whole);
        assert_eq!(wanted(&headers, 100, "\"b\""), Wanted::Range(0..2));
    }
}
