//! Signs the viewer out.

use super::family::last_end;
use crate::actions::token::revoke::{lock, revoke};
use crate::actions::{Actions, Error, Result};
use crate::domain::policy::Verb;
use crate::domain::viewer::{Pass, Viewer};
use crate::store::{Tx, actors, sign_ins};
use entity::sign_in;

impl Actions {
    /// Ends the viewer's sign-in, or all of them: revokes tokens, closes sockets and ends presences.
    pub async fn sign_out(&self, viewer: &Viewer, is_everywhere: bool) -> Result<()> {
        let permit = self.permit(viewer, Verb::KeepOwnTokens)?;
        let pass = viewer.pass.ok_or(Error::Forbidden)?;
        if is_everywhere {
            permit.write(revoke, viewer.actor_id).await?;
        } else {
            permit.write(end, pass).await?;
        }
        self.end_presences_of(viewer.organization_id, viewer.actor_id).await
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
