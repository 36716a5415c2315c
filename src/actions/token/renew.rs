//! Renews tokens.

use super::sign::NewToken;
use crate::actions::sign_in::family::{
    Refreshed, SignedIn, check_token, hash, last_end, no_refresh_token, refresh,
};
use crate::actions::{Actions, Error, Result};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, sign_ins};

impl Actions {
    /// Issues another token for the viewer: in exchange for the refresh token of their sign-in or, if the
    /// sign-in has none, with the same lifetime.
    pub async fn renew_token(&self, viewer: &Viewer, refresh_token: Option<String>) -> Result<SignedIn> {
        let permit = self.permit(viewer, Verb::KeepOwnTokens)?;
        let pass = viewer.pass.ok_or(Error::Forbidden)?;
        if let Some(token) = refresh_token {
            check_token("refreshToken", &token)?;
            let refreshed = permit.write(renew, token).await?.value;
            return self.signed_in(refreshed);
        }
        if sign_ins::find(&self.0.store, pass.sign_in_id).await?.is_some() {
            let reason = "`refreshToken` is required to renew the token of a sign-in.";
            return Err(Refused::Invalid { field: "refreshToken".into(), reason }.into());
        }
        let principal = sign_ins::actor_of_token(&self.0.store, viewer.actor_id, pass.sign_in_id).await?;
        let principal = principal.ok_or(Error::Forbidden)?;
        let length = viewer.expires_at.since(pass.issued_at);
        let new = NewToken {
            sign_in_id: pass.sign_in_id,
            first_issued_at: pass.first_issued_at,
            expires_at: self.now().plus(length).min(last_end(viewer.expires_at, pass.first_issued_at)),
        };
        self.bearer(&principal, new, None)
    }
}

async fn renew(tx: &mut Tx, viewer: Viewer, token: String) -> Result<Refreshed> {
    let known = sign_ins::find_refresh(tx, &hash(&token)).await?;
    if known.is_none_or(|(_, sign_in)| sign_in.actor_id != viewer.actor_id) {
        return Err(no_refresh_token().into());
    }
    Ok(refresh(tx, viewer.organization_id, &token).await?.ok_or_else(no_refresh_token)?)
}
