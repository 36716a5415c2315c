//! `requestId`: a retry by the same caller gets the same result. A different call with the same id is a
//! conflict.

use super::{Error, Result};
use crate::domain::description::Description;
use crate::domain::refused::Refused;
use crate::domain::text;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, requests};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::{RequestKind, request};
use uuid::Uuid;

/// The lookup of a call's `requestId`.
pub(super) enum Requested {
    /// The call has no id.
    Plain,
    /// The id is new and must be stored with the result.
    New { request_id: String, digest: String },
    /// An earlier call with this id created or found this.
    Before(RequestKind, Uuid),
}

/// Looks up a call by its id. The caller's row is locked, so that two identical calls run one after the
/// other.
pub(super) async fn find(
    tx: &Tx,
    viewer: &Viewer,
    kinds: &[RequestKind],
    request_id: Option<&str>,
    call: &Description,
) -> Result<Requested> {
    let Some(request_id) = request_id else { return Ok(Requested::Plain) };
    text::external_id("requestId", request_id)?;
    let digest = URL_SAFE_NO_PAD.encode(call.digest());
    match requests::find(tx, viewer.actor_id, request_id).await? {
        None => Ok(Requested::New { request_id: request_id.to_owned(), digest }),
        Some(before) if kinds.contains(&before.kind) && before.digest == digest => {
            Ok(Requested::Before(before.kind, before.subject_id))
        }
        Some(_) => Err(Refused::Conflict { field: "requestId".into() }.into()),
    }
}

/// Stores the result of the call.
pub(super) async fn remember(
    tx: &Tx,
    viewer: &Viewer,
    kind: RequestKind,
    requested: Requested,
    subject_id: Uuid,
) -> Result<()> {
    match requested {
        Requested::New { request_id, digest } => {
            let row = request::Model {
                caller_id: viewer.actor_id,
                request_id,
                kind,
                subject_id,
                digest,
                created_at: tx.now(),
            };
            Ok(requests::insert(tx, &row).await?)
        }
        Requested::Plain | Requested::Before(..) => Ok(()),
    }
}

/// The error for a retry whose result is no longer visible to the viewer.
pub(super) fn made_but_gone(what: &'static str) -> Error {
    Refused::NotFound { what, field: "requestId".into() }.into()
}

/// Replaces an error about a missing chat with [`made_but_gone`].
pub(super) fn if_gone(error: Error, what: &'static str) -> Error {
    if matches!(error, Error::Refused(Refused::NotFound { .. })) { made_but_gone(what) } else { error }
}
