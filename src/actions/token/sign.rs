//! Signs tokens, and derives viewers from them.

use crate::actions::{Actions, Error, Result};
use crate::domain::rooms::Principal;
use crate::domain::viewer::{Pass, Viewer};
use entity::{ActorId, SignInId, Timestamp, actor};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};

/// The issuer and audience of tokens, which are always this server.
pub(super) const ISSUER: &str = "anteroom";

#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    pub(in crate::actions) iss: String,
    pub(in crate::actions) aud: String,
    pub(in crate::actions) sub: ActorId,
    /// Seconds since the Unix epoch.
    pub(in crate::actions) iat: i64,
    pub(in crate::actions) exp: i64,
    /// The time when the first token of the sign-in was issued, in seconds since the Unix epoch.
    pub(in crate::actions) auth_time: i64,
    pub(in crate::actions) sid: SignInId,
    /// The actor's `token_generation`.
    #[serde(rename = "gen")]
    pub(in crate::actions) generation: i64,
}

/// A token to sign.
#[derive(Clone, Copy)]
pub(in crate::actions) struct NewToken {
    /// The sign-in, which renewed tokens share.
    pub sign_in_id: SignInId,
    /// The time when the first token of the sign-in was issued.
    pub first_issued_at: Timestamp,
    /// The expiry, rounded down to whole seconds.
    pub expires_at: Timestamp,
}

/// A token.
#[derive(Clone)]
pub struct IssuedToken {
    /// The text after `Authorization: Bearer`.
    pub token: String,
    /// The expiry.
    pub expires_at: Timestamp,
}

impl Actions {
    /// Signs a token and returns its claims.
    pub(in crate::actions) fn sign(
        &self,
        actor: &actor::Model,
        new: NewToken,
    ) -> Result<(IssuedToken, Pass)> {
        let NewToken { sign_in_id, first_issued_at, expires_at } = new;
        let (issued_at, expires_at) = (whole_seconds(self.now()), whole_seconds(expires_at));
        let pass = Pass { sign_in_id, first_issued_at, issued_at, generation: actor.token_generation };
        let claims = Claims {
            iss: ISSUER.into(),
            aud: ISSUER.into(),
            sub: actor.id,
            iat: issued_at.0 / 1_000,
            exp: expires_at.0 / 1_000,
            auth_time: first_issued_at.0 / 1_000,
            sid: sign_in_id,
            generation: actor.token_generation,
        };
        let key = EncodingKey::from_secret(self.0.secret.bytes());
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
            .map_err(|error| Error::Failed(format!("a token could not be made: {error}")))?;
        Ok((IssuedToken { token, expires_at }, pass))
    }
}

/// The actor as the viewer of this token. `None` if the actor is deactivated or the token was revoked.
pub(in crate::actions) fn viewer_of(
    principal: &Principal,
    pass: Pass,
    expires_at: Timestamp,
) -> Option<Viewer> {
    let actor = &principal.actor;
    if actor.deactivated_at.is_some() || actor.token_generation != pass.generation {
        return None;
    }
    Viewer::of(principal, expires_at, Some(pass))
}

/// Rounds a time down to whole seconds, the precision of tokens.
pub(super) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(1_000) * 1_000)
}
