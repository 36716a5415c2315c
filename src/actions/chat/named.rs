//! Locks the actors named in a call.

use crate::actions::Result;
use crate::domain::field_path::FieldPath;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, policy};
use crate::store::{Tx, actors};
use entity::{ActorId, actor};

/// The named actors and the caller, locked.
pub(in crate::actions) struct Named {
    field: FieldPath,
    /// The ids in the order of the input.
    given: Vec<ActorId>,
    count: usize,
    found: Vec<actor::Model>,
}

impl Named {
    /// All actors, ordered by id. Fails if one of them cannot participate.
    pub(in crate::actions) fn all(self) -> Result<Vec<actor::Model>> {
        if self.found.len() == self.count && self.found.iter().all(policy::can_participate) {
            Ok(self.found)
        } else {
            let is_missing = |id: &ActorId| {
                !self.found.iter().any(|actor| actor.id == *id && policy::can_participate(actor))
            };
            let field = match self.given.iter().position(is_missing) {
                Some(index) if self.field.name() == "participantIds" => self.field.item(index),
                _ => self.field,
            };
            Err(Refused::NotFound { what: "participant", field }.into())
        }
    }
}

/// Locks the named actors and the caller, in the order of their ids. Whether they can participate is checked
/// later, after retries have been recognized.
pub(in crate::actions) async fn lock_named(
    tx: &Tx,
    viewer: &Viewer,
    ids: &[ActorId],
    field: impl Into<FieldPath>,
) -> Result<Named> {
    let (field, given) = (field.into(), ids.to_vec());
    let mut ids = given.clone();
    ids.push(viewer.actor_id);
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > limits::PARTICIPANTS {
        return Err(Refused::TooMany { field, limit: limits::PARTICIPANTS }.into());
    }
    let found = actors::lock_in_organization(tx, viewer.organization_id, &ids).await?;
    Ok(Named { field, given, count: ids.len(), found })
}
