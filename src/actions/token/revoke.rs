//! Revokes all tokens of an actor.

use super::issue::TokenSubject;
use crate::actions::{Actions, Error, Result};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, actors, sign_ins};
use entity::{ActorId, ActorType, OrganizationId, actor};

impl Actions {
    /// Revokes all tokens of an actor, closes their sockets and ends their presences.
    pub async fn revoke_tokens(&self, viewer: &Viewer, subject: TokenSubject) -> Result<actor::Model> {
        let permit = self.permit(viewer, Verb::RevokeTokens)?;
        let organization_id = viewer.organization_id;
        let (field, actor) = match subject {
            TokenSubject::Actor(id) => {
                ("actorId", actors::find_in_organization(&self.0.store, organization_id, id).await?)
            }
            TokenSubject::ApiClient(mut name) => {
                text::name("apiClientName", &mut name)?;
                text::line("apiClientName", &name, limits::EXTERNAL_ID)?;
                let kind = ActorType::ApiClient;
                let found = actors::find_by_external_id(&self.0.store, organization_id, kind, &name).await?;
                ("apiClientName", found)
            }
        };
        let actor_id = actor.ok_or(Refused::NotFound { what: "actor", field: field.into() })?.id;
        let actor = permit.write(revoke, actor_id).await?.value;
        self.end_presences_of(organization_id, actor_id).await?;
        Ok(actor)
    }
}

pub(in crate::actions) async fn revoke(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
    actor_id: ActorId,
) -> Result<actor::Model> {
    let mut actor = lock(tx, organization_id, actor_id).await?;
    sign_ins::end_all_of(tx, actor.id, tx.now()).await?;
    actor.auth_version += 1;
    actor.token_generation += 1;
    actors::update(tx, &actor).await?;
    tx.actor_changed(actor.clone());
    Ok(actor)
}

pub(in crate::actions) async fn lock(
    tx: &Tx,
    organization_id: OrganizationId,
    actor_id: ActorId,
) -> Result<actor::Model> {
    let locked = actors::lock_in_organization(tx, organization_id, &[actor_id]).await?.pop();
    locked.ok_or_else(|| Error::Failed("an actor is gone".into()))
}
