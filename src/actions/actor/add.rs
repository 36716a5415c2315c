//! Adds the row of an actor.

use crate::actions::Result;
use crate::domain::refused::Refused;
use crate::store::{self, Tx, actors};
use entity::{ActorId, ActorType, OrganizationId, actor};

pub(super) async fn insert(tx: &Tx, row: actor::Model) -> Result<actor::Model> {
    match actors::insert(tx, &row).await {
        Err(store::Error::Taken(_)) => Err(Refused::Conflict { field: "externalId".into() }.into()),
        other => Ok(other.map(|()| row)?),
    }
}

/// A new actor without any details.
pub(in crate::actions) fn new_actor(
    tx: &Tx,
    organization_id: OrganizationId,
    actor_type: ActorType,
) -> actor::Model {
    actor::Model::new(ActorId(tx.new_id()), organization_id, actor_type, tx.now())
}
