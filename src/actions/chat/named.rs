//! Locks the actors that a call names.

use crate::actions::Result;
use crate::domain::field_path::FieldPath;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, policy};
use crate::store::{Tx, actors};
use entity::{ActorId, actor};

/// The actors that a call names, and the caller, locked.
pub(in crate::actions) struct Named {
    field: FieldPath,
    /// The ids as they were given.
    given: Vec<ActorId>,
    count: usize,
    found: Vec<actor::Model>,
}

impl Named {
    /// All of them, ordered by id, if each may take part.
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

/// Locks the named actors and the caller, who is always one of them, in the order of their ids. Whether they may
/// take part is asked only after the call is known to be no retry.
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
