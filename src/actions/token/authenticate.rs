//! Authenticates tokens and widget keys.

use super::sign::{Claims, ISSUER, viewer_of};
use crate::actions::room::secret::WIDGET_KEY;
use crate::actions::token::jws;
use crate::actions::{Actions, AuthFailure, Result};
use crate::domain::viewer::{Pass, Viewer};
use crate::store::{self, rooms, sign_ins};
use entity::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};

impl Actions {
    /// Authenticates a token and reads its viewer from the store. `origin` is the `Origin` header of the
    /// request.
    pub async fn authenticate(
        &self,
        token: &str,
        origin: Option<&str>,
    ) -> std::result::Result<Viewer, AuthFailure> {
        if token.starts_with(WIDGET_KEY) {
            return self.authenticate_widget(token, origin).await;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Expiry is checked against the server's clock, not the library's.
        validation.validate_exp = false;
        let key = DecodingKey::from_secret(self.0.secret.bytes());
        let claims: Claims = jws::claims(token, &key, &validation).ok_or(AuthFailure::Invalid)?;
        let expires_at = Timestamp(claims.exp.saturating_mul(1_000));
        if expires_at <= self.now() {
            return Err(AuthFailure::Expired);
        }
        let pass = Pass {
            sign_in_id: claims.sid,
            first_issued_at: Timestamp(claims.auth_time.saturating_mul(1_000)),
            issued_at: Timestamp(claims.iat.saturating_mul(1_000)),
            generation: claims.generation,
        };
        let actor = sign_ins::actor_of_token(&self.0.store, claims.sub, claims.sid).await;
        let actor = actor.map_err(|error| unavailable(&error))?.ok_or(AuthFailure::Invalid)?;
        viewer_of(&actor, pass, expires_at).ok_or(AuthFailure::Invalid)
    }

    /// Whether an accepted token would be accepted now, apart from its expiry.
    pub async fn still_holds(&self, viewer: &Viewer) -> Result<bool> {
        let Some(pass) = viewer.pass else { return Ok(true) };
        let actor = sign_ins::actor_of_token(&self.0.store, viewer.actor_id, pass.sign_in_id).await?;
        Ok(actor.is_some_and(|actor| viewer_of(&actor, pass, viewer.expires_at).is_some()))
    }

    async fn authenticate_widget(
        &self,
        key: &str,
        origin: Option<&str>,
    ) -> std::result::Result<Viewer, AuthFailure> {
        let room =
            rooms::find_by_widget_key(&self.0.store, key).await.map_err(|error| unavailable(&error))?;
        let room = room.ok_or(AuthFailure::Invalid)?;
        if !origin.is_some_and(|origin| room.allowed_origins.0.iter().any(|allowed| allowed == origin)) {
            return Err(AuthFailure::WrongOrigin);
        }
        Ok(Viewer::widget(&room))
    }

    /// Whether browsers may call from pages of this origin: any room's widget may allow it.
    pub async fn is_origin_allowed(&self, origin: &str) -> Result<bool> {
        Ok(rooms::is_origin_allowed(&self.0.store, origin).await?)
    }
}

fn unavailable(error: &store::Error) -> AuthFailure {
    tracing::warn!(%error, "could not read whose token it is");
    AuthFailure::Unavailable
}
