//! `requestId`: the same call by the same caller gets the same result again. A different call with the same
//! id is a conflict.

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

/// What is known of a call.
pub(super) enum Requested {
    /// It carries no id.
    Plain,
    /// It carries a new id; this is to be remembered.
    New { request_id: String, digest: String },
    /// It made or found this before.
    Before(RequestKind, Uuid),
}

/// Looks a call up by its id. The caller's row is locked, so that two of the same do not pass at once.
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

/// Remembers what the call made.
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

/// A retry of what made something that is not there for the viewer any more.
pub(super) fn made_but_gone(what: &'static str) -> Error {
    Refused::NotFound { what, field: "requestId".into() }.into()
}

/// The same, where an error says that a chat is not there.
pub(super) fn if_gone(error: Error, what: &'static str) -> Error {
    if matches!(error, Error::Refused(Refused::NotFound { .. })) { made_but_gone(what) } else { error }
}
