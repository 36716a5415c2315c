//! Families of refresh tokens.
//!
//! A visitor's sign-in has a family of refresh tokens. Each token is used once, to get the next one. It is
//! accepted again within a minute, because two tabs may share a token and responses may be lost. Using it
//! later than that means that it was stolen, and ends the whole family.

use crate::actions::random::unguessable;
use crate::actions::token::sign::{IssuedToken, NewToken, viewer_of};
use crate::actions::{Actions, Error, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::refused::Refused;
use crate::domain::rooms::Principal;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, actors, sign_ins};
use chrono::TimeDelta;
use entity::{OrganizationId, SignInId, Timestamp, actor, refresh_token, sign_in};
use sha2::{Digest, Sha256};

/// The result of signing a visitor in or renewing a token.
pub struct SignedIn {
    /// The viewer of the new token.
    pub viewer: Viewer,
    /// The new token.
    pub issued: IssuedToken,
    /// The refresh token for the next renewal. Absent if the access token renews itself.
    pub refresh_token: Option<String>,
}

/// The rows of a sign-in, before a token is signed.
pub(in crate::actions) struct Family {
    pub actor: actor::Model,
    pub sign_in: sign_in::Model,
    pub refresh_token: String,
}

/// The result of using a refresh token.
pub(in crate::actions) enum Refreshed {
    Next(Box<Family>),
    /// The token was used too long ago. Its family has ended.
    Reused,
}

impl Actions {
    pub(in crate::actions) fn signed_in(&self, refreshed: Refreshed) -> Result<SignedIn> {
        let Refreshed::Next(family) = refreshed else { return Err(no_refresh_token().into()) };
        let Family { actor, sign_in, refresh_token } = *family;
        let new = NewToken {
            sign_in_id: sign_in.id,
            first_issued_at: sign_in.created_at,
            expires_at: self.now().plus(TimeDelta::seconds(limits::VISITOR_TOKEN_SECONDS)),
        };
        // Only visitors have sign-ins with refresh tokens.
        self.bearer(&Principal::without_rooms(actor), new, Some(refresh_token))
    }

    pub(in crate::actions) fn bearer(
        &self,
        principal: &Principal,
        new: NewToken,
        refresh_token: Option<String>,
    ) -> Result<SignedIn> {
        let (issued, pass) = self.sign(&principal.actor, new)?;
        let viewer = viewer_of(principal, pass, issued.expires_at).ok_or(Error::Forbidden)?;
        Ok(SignedIn { viewer, issued, refresh_token })
    }
}

/// The time until which tokens can be renewed without a refresh token: thirty days after the first token was
/// issued, or the end of the first token if that is later.
pub(in crate::actions) fn last_end(expires_at: Timestamp, first_issued_at: Timestamp) -> Timestamp {
    expires_at.max(first_issued_at.plus(TimeDelta::seconds(limits::REFRESH_SECONDS)))
}

pub(in crate::actions) fn check_token(field: impl Into<FieldPath>, token: &str) -> Result<()> {
    Ok(text::header(field, token, limits::SECRET_TOKEN)?)
}

/// Begins a family.
pub(super) async fn begin(tx: &mut Tx, actor: actor::Model) -> Result<Refreshed> {
    let now = tx.now();
    let id = SignInId(tx.new_id());
    let sign_in =
        sign_in::Model { id, actor_id: actor.id, created_at: now, expires_at: now, revoked_at: None };
    go_on(tx, actor, sign_in).await
}

/// Uses up a refresh token. `None` if it is unknown or has ended.
pub(in crate::actions) async fn refresh(
    tx: &mut Tx,
    organization_id: OrganizationId,
    token: &str,
) -> Result<Option<Refreshed>> {
    let hash = hash(token);
    let Some((_, sign_in)) = sign_ins::find_refresh(tx, &hash).await? else { return Ok(None) };
    let locked = actors::lock_in_organization(tx, organization_id, &[sign_in.actor_id]).await?.pop();
    let Some(mut actor) = locked.filter(|actor| actor.deactivated_at.is_none()) else { return Ok(None) };
    // Read again under the lock, because another tab may have used the token.
    let Some((mut token, mut sign_in)) = sign_ins::find_refresh(tx, &hash).await? else { return Ok(None) };
    let now = tx.now();
    if sign_in.revoked_at.is_some() || token.expires_at <= now {
        return Ok(None);
    }
    let grace = TimeDelta::seconds(limits::REFRESH_GRACE_SECONDS);
    match token.used_at {
        None => {
            token.used_at = Some(now);
            sign_ins::update_refresh(tx, &token).await?;
        }
        Some(used_at) if now.since(used_at) <= grace => {}
        Some(_) => {
            sign_in.revoked_at = Some(now);
            sign_ins::save(tx, &sign_in).await?;
            actor.auth_version += 1;
            actors::update(tx, &actor).await?;
            tx.actor_changed(actor);
            return Ok(Some(Refreshed::Reused));
        }
    }
    go_on(tx, actor, sign_in).await.map(Some)
}

/// Gives a family its next refresh token and extends it by thirty days.
async fn go_on(tx: &mut Tx, actor: actor::Model, mut sign_in: sign_in::Model) -> Result<Refreshed> {
    sign_in.expires_at = tx.now().plus(TimeDelta::seconds(limits::REFRESH_SECONDS));
    sign_ins::save(tx, &sign_in).await?;
    let refresh_token = format!("rt_{}{}", unguessable(), unguessable());
    let row = refresh_token::Model {
        hash: hash(&refresh_token),
        sign_in_id: sign_in.id,
        expires_at: sign_in.expires_at,
        used_at: None,
    };
    sign_ins::insert_refresh(tx, &row).await?;
    Ok(Refreshed::Next(Box::new(Family { actor, sign_in, refresh_token })))
}

/// Hashes a refresh token. A fast hash suffices, because random tokens cannot be guessed.
pub(in crate::actions) fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// The refusal for an unknown, ended or used token. It does not reveal which of them it is.
pub(in crate::actions) fn no_refresh_token() -> Refused {
    Refused::Invalid {
        field: "refreshToken".into(),
        reason: "The refresh token is no longer valid. Sign in again.",
    }
}
