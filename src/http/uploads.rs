//! `PUT /uploads/…`: receives an upload at the URL that `createUpload` returned.

use super::Door;
use super::signed::{Refusal, granted};
use crate::actions::{Announced, Error, NotTaken};
use crate::files::{NotKept, Purpose};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};

/// Receives the bytes of an upload.
pub(super) async fn put(
    State(door): State<Door>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let (id, _) = granted(&door, Purpose::Upload, &id, request.uri())?;
    let announced = announced(request.headers());
    let body = request.into_body().into_data_stream();
    match door.actions.take_upload(id, announced, body).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(why) => Err(refusal(why)),
    }
}

fn announced(headers: &HeaderMap) -> Announced {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let essence = |value: &str| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Announced {
        size: text(header::CONTENT_LENGTH).and_then(|size| size.parse().ok()),
        media_type: text(header::CONTENT_TYPE).map(essence).filter(|essence| !essence.is_empty()),
    }
}

fn refusal(why: NotTaken) -> Refusal {
    let invalid = |message| Refusal::new(StatusCode::BAD_REQUEST, "INVALID", message);
    let unlike = |message| Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA", message);
    match why {
        NotTaken::Gone => Refusal::GONE,
        NotTaken::Complete => {
            Refusal::new(StatusCode::CONFLICT, "CONFLICT", "The bytes of this upload are already stored.")
        }
        NotTaken::Active => {
            unlike("Browsers run files of this `Content-Type`. Use `application/octet-stream`.")
        }
        NotTaken::NotKept(why) => match why {
            NotKept::TooLarge => Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "TOO_LARGE",
                "The body has more bytes than the `size` of the upload.",
            ),
            NotKept::TooSmall => invalid("The body has fewer bytes than the `size` of the upload."),
            NotKept::Active => unlike(
                "The content is a web page or a script. Upload it as `application/octet-stream` or as text.",
            ),
            NotKept::NoImage => unlike(
                "The image is damaged or has more than 64 megapixels. Upload it as `application/octet-stream`.",
            ),
            NotKept::CutOff => invalid("The connection broke before all bytes arrived."),
            NotKept::TooSlow => {
                Refusal::new(StatusCode::REQUEST_TIMEOUT, "UNAVAILABLE", "The bytes arrived too slowly.")
            }
            NotKept::Busy => Refusal::UNAVAILABLE,
            NotKept::NoRoom => {
                tracing::warn!("refused an upload: too little disk space is left for files");
                Refusal::new(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "UNAVAILABLE",
                    "The server has too little disk space left. Try again later.",
                )
            }
            NotKept::Unreachable(error) => {
                tracing::warn!(%error, "could not store an upload");
                Refusal::UNAVAILABLE
            }
        },
        NotTaken::Failed(error) => failed(&error),
    }
}

/// The refusal for bytes that could not be read or stored.
pub(super) fn failed(error: &Error) -> Refusal {
    match error {
        Error::Unavailable(cause) => {
            tracing::warn!(cause, "could not serve a file");
            Refusal::UNAVAILABLE
        }
        Error::Failed(cause) => {
            tracing::error!(cause, "could not serve a file");
            Refusal::INTERNAL
        }
        Error::Refused(_) | Error::Forbidden => Refusal::GONE,
    }
}
