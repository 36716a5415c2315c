//! Signs tokens, and tells whom a token makes a viewer.

use crate::actions::{Actions, Error, Result};
use crate::domain::viewer::{Pass, Viewer};
use entity::{ActorId, SignInId, Timestamp, actor};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};

/// Who made the token and for whom: both are always this server.
pub(super) const ISSUER: &str = "anteroom";

#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    pub(in crate::actions) iss: String,
    pub(in crate::actions) aud: String,
    /// The actor.
    pub(in crate::actions) sub: ActorId,
    /// Seconds since the Unix epoch.
    pub(in crate::actions) iat: i64,
    pub(in crate::actions) exp: i64,
    /// When the first token of the sign-in was made.
    pub(in crate::actions) auth_time: i64,
    /// The sign-in.
    pub(in crate::actions) sid: SignInId,
    /// The actor's `token_generation`.
    #[serde(rename = "gen")]
    pub(in crate::actions) generation: i64,
}

/// A token to sign.
#[derive(Clone, Copy)]
pub(in crate::actions) struct NewToken {
    /// What it has in common with those that it is renewed from.
    pub sign_in_id: SignInId,
    /// When the first of them was made.
    pub first_issued_at: Timestamp,
    /// When it ends; whole seconds count.
    pub expires_at: Timestamp,
}

/// A token.
#[derive(Clone)]
pub struct IssuedToken {
    /// What goes behind `Authorization: Bearer`.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Actions {
    /// Signs a token, and answers what it says.
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

/// The actor as the bearer of this token; nobody, where the actor or the token may not act any more.
pub(in crate::actions) fn viewer_of(
    actor: &actor::Model,
    pass: Pass,
    expires_at: Timestamp,
) -> Option<Viewer> {
    if actor.deactivated_at.is_some() || actor.token_generation != pass.generation {
        return None;
    }
    Viewer::of(actor, expires_at, Some(pass))
}

/// Tokens know no smaller part of time.
pub(super) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(1_000) * 1_000)
}
