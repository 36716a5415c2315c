//! Bearer tokens: JWTs signed with the server's own secret. A token names an actor; the actor's permissions
//! are read from the store each time.

use super::{Actions, AuthFailure, Error, Result, jws};
use crate::domain::field_path::FieldPath;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::{Pass, Viewer, ViewerRole};
use crate::domain::{limits, text};
use crate::store::{self, Tx, actors, rooms, sign_ins};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use entity::{ActorId, ActorType, OrganizationId, SignInId, Timestamp, UserRole, actor};
use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rand::RngCore;
use serde::{Deserialize, Serialize};

/// The prefix of widget keys, which no other token has.
pub(super) const WIDGET_KEY: &str = "wk_";

/// The server's secret, at least 32 bytes. Never printed.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes a secret of at least 32 bytes (as long as the hash, RFC 7518 section 3.2); `None` for less.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= 32).then_some(Self(bytes))
    }

    /// The bytes, to derive other keys from.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Who made the token and for whom: both are always this server.
const ISSUER: &str = "anteroom";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The actor.
    sub: ActorId,
    /// Seconds since the Unix epoch.
    iat: i64,
    exp: i64,
    /// When the first token of the sign-in was made.
    auth_time: i64,
    /// The sign-in.
    sid: SignInId,
    /// The actor's `token_generation`.
    #[serde(rename = "gen")]
    generation: i64,
}

/// A token to sign.
#[derive(Clone, Copy)]
pub(super) struct NewToken {
    /// What it has in common with those that it is renewed from.
    pub sign_in_id: SignInId,
    /// When the first of them was made.
    pub first_issued_at: Timestamp,
    /// When it ends; whole seconds count.
    pub expires_at: Timestamp,
}

/// Whom a token is for.
#[derive(Clone, Debug)]
pub enum TokenSubject {
    /// A user or a visitor of the organization.
    Actor(ActorId),
    /// A program, known by its name; made when it is new.
    ApiClient(String),
}

/// A token to make.
#[derive(Clone, Debug)]
pub struct IssueToken {
    /// For whom.
    pub subject: TokenSubject,
    /// 60 to 31,536,000 (a year); an hour where absent.
    pub expires_in_seconds: Option<i32>,
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
    /// The viewer whom a token names, as they now are. `origin` is the site whose page asks, as its browser says.
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
        // The server's clock decides, not the library's.
        validation.validate_exp = false;
        let key = DecodingKey::from_secret(&self.0.secret.0);
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

    /// Whether a token that was taken would be taken now, but for its end.
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
        Ok(Viewer {
            organization_id: room.organization_id,
            actor_id: ActorId(room.id.0),
            role: ViewerRole::Widget,
            expires_at: Timestamp(i64::MAX),
            auth_version: 0,
            pass: None,
        })
    }

    /// Whether pages of this site may call from a browser: those of any room's widget may.
    pub async fn is_origin_allowed(&self, origin: &str) -> Result<bool> {
        Ok(rooms::is_origin_allowed(&self.0.store, origin).await?)
    }

    /// Makes a token for somebody of the viewer's organization.
    pub async fn issue_token(&self, viewer: &Viewer, input: IssueToken) -> Result<IssuedToken> {
        let verb = match &input.subject {
            TokenSubject::ApiClient(_) => Verb::IssueUserToken,
            TokenSubject::Actor(actor_id) => {
                policy::may(viewer.role, Verb::IssueVisitorToken)?;
                let actor =
                    actors::find_in_organization(&self.0.store, viewer.organization_id, *actor_id).await?;
                match actor.map(|actor| actor.actor_type) {
                    Some(ActorType::Visitor) | None => Verb::IssueVisitorToken,
                    Some(ActorType::User | ActorType::ApiClient) => Verb::IssueUserToken,
                }
            }
        };
        policy::may(viewer.role, verb)?;
        Ok(self.mint_token(viewer.organization_id, input).await?.1)
    }

    /// Makes a token for somebody of the organization; for the command line, which answers to nobody.
    pub async fn mint_token(
        &self,
        organization_id: OrganizationId,
        input: IssueToken,
    ) -> Result<(actor::Model, IssuedToken)> {
        let (least, default, most) = limits::TOKEN_SECONDS;
        let seconds = input.expires_in_seconds.unwrap_or(default);
        if !(least..=most).contains(&seconds) {
            let reason = "The lifetime of a token must be 60–31,536,000 seconds.";
            return Err(Refused::Invalid { field: "expiresInSeconds".into(), reason }.into());
        }
        let not_found = Refused::NotFound { what: "actor", field: FieldPath::of("subject").field("actorId") };
        let actor = match input.subject {
            TokenSubject::Actor(actor_id) => {
                actors::find_in_organization(&self.0.store, organization_id, actor_id).await?
            }
            TokenSubject::ApiClient(name) => Some(self.api_client(organization_id, name).await?),
        };
        let actor = actor.filter(|actor| actor.deactivated_at.is_none()).ok_or(not_found)?;
        let now = whole_seconds(self.now());
        let new = NewToken {
            sign_in_id: SignInId(self.0.clock.new_id()),
            first_issued_at: now,
            expires_at: now.plus(TimeDelta::seconds(seconds.into())),
        };
        let (issued, _) = self.sign(&actor, new)?;
        Ok((actor, issued))
    }

    /// Signs a token, and answers what it says.
    pub(super) fn sign(&self, actor: &actor::Model, new: NewToken) -> Result<(IssuedToken, Pass)> {
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
        let key = EncodingKey::from_secret(&self.0.secret.0);
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
            .map_err(|error| Error::Failed(format!("a token could not be made: {error}")))?;
        Ok((IssuedToken { token, expires_at }, pass))
    }

    pub(super) async fn api_client(
        &self,
        organization_id: OrganizationId,
        mut name: String,
    ) -> Result<actor::Model> {
        text::name("apiClientName", &mut name)?;
        text::line("apiClientName", &name, limits::EXTERNAL_ID)?;
        let found =
            actors::find_by_external_id(&self.0.store, organization_id, ActorType::ApiClient, &name).await?;
        if let Some(found) = found {
            return Ok(found);
        }
        let key = name.clone();
        match self.write(move |tx| add_api_client(tx, organization_id, name).boxed()).await {
            Ok(written) => Ok(written.value),
            // Somebody else made it in between, or the write failed for another reason, which then says so.
            Err(error) => {
                actors::find_by_external_id(&self.0.store, organization_id, ActorType::ApiClient, &key)
                    .await?
                    .ok_or(error)
            }
        }
    }
}

async fn add_api_client(tx: &mut Tx, organization_id: OrganizationId, name: String) -> Result<actor::Model> {
    let mut row = new_actor(tx, organization_id, ActorType::ApiClient);
    (row.name, row.external_id) = (Some(name.clone()), Some(name));
    match actors::insert(tx, &row).await {
        Err(store::Error::Taken(_)) => Err(Refused::Conflict { field: "apiClientName".into() }.into()),
        other => Ok(other.map(|()| row)?),
    }
}

/// An actor as it is before anything is known of it.
pub(super) fn new_actor(tx: &Tx, organization_id: OrganizationId, actor_type: ActorType) -> actor::Model {
    actor::Model::new(ActorId(tx.new_id()), organization_id, actor_type, tx.now())
}

/// The actor as the bearer of this token; nobody, where the actor or the token may not act any more.
pub(super) fn viewer_of(actor: &actor::Model, pass: Pass, expires_at: Timestamp) -> Option<Viewer> {
    if actor.deactivated_at.is_some() || actor.token_generation != pass.generation {
        return None;
    }
    Some(Viewer {
        organization_id: actor.organization_id,
        actor_id: actor.id,
        role: role_of(actor)?,
        expires_at,
        auth_version: actor.auth_version,
        pass: Some(pass),
    })
}

/// Tokens know no smaller part of time.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(1_000) * 1_000)
}

fn unavailable(error: &store::Error) -> AuthFailure {
    tracing::warn!(%error, "could not read the owner of a token");
    AuthFailure::Unavailable
}

fn role_of(actor: &actor::Model) -> Option<ViewerRole> {
    match (actor.actor_type, actor.role) {
        (ActorType::User, Some(UserRole::Admin)) => Some(ViewerRole::Admin),
        (ActorType::User, Some(UserRole::Operator)) => Some(ViewerRole::Operator),
        (ActorType::User, None) => None,
        (ActorType::Visitor, _) => Some(ViewerRole::Visitor),
        (ActorType::ApiClient, _) => Some(ViewerRole::ApiClient),
    }
}

/// 128 random bits as text: whoever does not know it cannot guess it.
pub(super) fn unguessable() -> String {
    let mut bytes = [0_u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
