//! Revoking tokens: of one's own sign-in, or of an actor.

use super::sign_ins::last_end;
use super::tokens::TokenSubject;
use super::{Actions, Error, Result};
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::{Pass, Viewer};
use crate::domain::{limits, text};
use crate::store::{Tx, actors, sign_ins};
use entity::{ActorId, ActorType, OrganizationId, actor, sign_in};
use futures_util::FutureExt;

impl Actions {
    /// Ends the viewer's sign-in, or all of theirs: its tokens, its sockets, and the viewer's presences.
    pub async fn sign_out(&self, viewer: &Viewer, is_everywhere: bool) -> Result<()> {
        policy::may(viewer.role, Verb::KeepOwnTokens)?;
        let pass = viewer.pass.ok_or(Error::Forbidden)?;
        let (organization_id, actor_id) = (viewer.organization_id, viewer.actor_id);
        if is_everywhere {
            self.write(move |tx| revoke(tx, organization_id, actor_id).boxed()).await?;
        } else {
            let viewer = viewer.clone();
            self.write(move |tx| end(tx, viewer, pass).boxed()).await?;
        }
        self.end_presences_of(organization_id, actor_id).await
    }

    /// Ends all tokens of somebody of the organization, with their sockets and presences.
    pub async fn revoke_tokens(&self, viewer: &Viewer, subject: TokenSubject) -> Result<actor::Model> {
        policy::may(viewer.role, Verb::RevokeTokens)?;
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
        let actor = self.write(move |tx| revoke(tx, organization_id, actor_id).boxed()).await?.value;
        self.end_presences_of(organization_id, actor_id).await?;
        Ok(actor)
    }
}

async fn end(tx: &mut Tx, viewer: Viewer, pass: Pass) -> Result<()> {
    let mut actor = lock(tx, viewer.organization_id, viewer.actor_id).await?;
    let now = tx.now();
    let mut row = sign_ins::find(tx, pass.sign_in_id).await?.unwrap_or(sign_in::Model {
        id: pass.sign_in_id,
        actor_id: actor.id,
        created_at: pass.first_issued_at,
        expires_at: last_end(viewer.expires_at, pass.first_issued_at),
        revoked_at: None,
    });
    row.revoked_at = row.revoked_at.or(Some(now));
    sign_ins::save(tx, &row).await?;
    actor.auth_version += 1;
    actors::update(tx, &actor).await?;
    tx.actor_changed(actor);
    Ok(())
}

async fn revoke(tx: &mut Tx, organization_id: OrganizationId, actor_id: ActorId) -> Result<actor::Model> {
    let mut actor = lock(tx, organization_id, actor_id).await?;
    sign_ins::end_all_of(tx, actor.id, tx.now()).await?;
    actor.auth_version += 1;
    actor.token_generation += 1;
    actors::update(tx, &actor).await?;
    tx.actor_changed(actor.clone());
    Ok(actor)
}

async fn lock(tx: &Tx, organization_id: OrganizationId, actor_id: ActorId) -> Result<actor::Model> {
    let locked = actors::lock_in_organization(tx, organization_id, &[actor_id]).await?.pop();
    locked.ok_or_else(|| Error::Failed("an actor is gone".into()))
}
