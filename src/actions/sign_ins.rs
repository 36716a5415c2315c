//! Signing in by a widget, and renewing tokens.
//!
//! A visitor's sign-in has a family of refresh tokens: each is used once, for the next one. For a minute
//! after its use, a token is accepted again, because two tabs share it and responses get lost. After that, a
//! second use means that the token was stolen, and the whole family is revoked.

use super::identity::{self, Identity};
use super::people::{UpsertVisitor, upsert};
use super::tokens::{IssuedToken, NewToken, new_actor, unguessable, viewer_of};
use super::{Actions, Error, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, actors, rooms, sign_ins};
use chrono::TimeDelta;
use entity::{
    ActorType, OrganizationId, RoomId, SignInId, Timestamp, WebPage, actor, refresh_token, sign_in,
};
use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// A visitor to sign in.
#[derive(Clone, Debug, Default)]
pub struct SignInVisitor {
    /// The one who was signed in before.
    pub refresh_token: Option<String>,
    /// The one whom the organization's own server names.
    pub identity_token: Option<String>,
    /// How a visitor whom the organization does not know wants to be called.
    pub display_name: Option<String>,
    /// The page that the visitor is on.
    pub page: Option<WebPage>,
}

/// A visitor who is signed in, or somebody whose token was renewed.
pub struct SignedIn {
    /// The bearer of the new token.
    pub viewer: Viewer,
    /// The new token.
    pub issued: IssuedToken,
    /// What the next one is had for; absent where the token renews itself.
    pub refresh_token: Option<String>,
}

/// What is written of a sign-in, before a token is signed.
struct Family {
    actor: actor::Model,
    sign_in: sign_in::Model,
    refresh_token: String,
}

/// What came of a refresh token.
enum Refreshed {
    Next(Box<Family>),
    /// It was used before, too long ago: its family has ended.
    Reused,
}

impl Actions {
    /// Signs a visitor in: the one whom the identity token names, or the one of the refresh token, or a new one.
    pub async fn sign_in_visitor(
        &self,
        viewer: &Viewer,
        mut input: SignInVisitor,
    ) -> Result<(RoomId, SignedIn)> {
        policy::may(viewer.role, Verb::SignInVisitor)?;
        let room_id = viewer.widget_room().ok_or(Error::Forbidden)?;
        check(&mut input)?;
        let organization_id = viewer.organization_id;
        let Some(identity_token) = input.identity_token.clone() else {
            let written = self.write(move |tx| sign_in_as_oneself(tx, organization_id, input).boxed());
            return Ok((room_id, self.signed_in(written.await?.value)?));
        };
        let room = rooms::find_in_organization(&self.0.store, organization_id, room_id).await?;
        let identity = identity::read(&room.ok_or(Error::Forbidden)?, &identity_token, self.now())?;
        let (known, same) = (identity.clone(), input.clone());
        let first = self.write(move |tx| sign_in_as_known(tx, organization_id, identity, input).boxed());
        let refreshed = match first.await {
            // Two pages made the same visitor at once: the second one finds it there.
            Err(Error::Refused(Refused::Conflict { .. })) => {
                let second = self.write(move |tx| sign_in_as_known(tx, organization_id, known, same).boxed());
                second.await?.value
            }
            other => other?.value,
        };
        Ok((room_id, self.signed_in(refreshed)?))
    }

    /// Makes another token for the viewer: for the refresh token of their sign-in, or, where that has none, of the
    /// same length.
    pub async fn renew_token(&self, viewer: &Viewer, refresh_token: Option<String>) -> Result<SignedIn> {
        policy::may(viewer.role, Verb::KeepOwnTokens)?;
        let pass = viewer.pass.ok_or(Error::Forbidden)?;
        if let Some(token) = refresh_token {
            check_token("refreshToken", &token)?;
            let viewer = viewer.clone();
            let refreshed = self.write(move |tx| renew(tx, viewer, token).boxed()).await?.value;
            return self.signed_in(refreshed);
        }
        if sign_ins::find(&self.0.store, pass.sign_in_id).await?.is_some() {
            let reason = "This token came from a sign-in. Renew it with its refresh token.";
            return Err(Refused::Invalid { field: "refreshToken".into(), reason }.into());
        }
        let actor =
            actors::find_in_organization(&self.0.store, viewer.organization_id, viewer.actor_id).await?;
        let actor = actor.ok_or(Error::Forbidden)?;
        let length = viewer.expires_at.since(pass.issued_at);
        let new = NewToken {
            sign_in_id: pass.sign_in_id,
            first_issued_at: pass.first_issued_at,
            expires_at: self.now().plus(length).min(last_end(viewer.expires_at, pass.first_issued_at)),
        };
        self.bearer(&actor, new, None)
    }

    /// Forgets sign-ins and refresh tokens that ended: whether there may be more.
    pub async fn forget_sign_ins(&self) -> Result<bool> {
        let now = self.now();
        Ok(self.write(move |tx| forget(tx, now).boxed()).await?.value)
    }

    fn signed_in(&self, refreshed: Refreshed) -> Result<SignedIn> {
        let Refreshed::Next(family) = refreshed else { return Err(no_refresh_token().into()) };
        let Family { actor, sign_in, refresh_token } = *family;
        let new = NewToken {
            sign_in_id: sign_in.id,
            first_issued_at: sign_in.created_at,
            expires_at: self.now().plus(TimeDelta::seconds(limits::VISITOR_TOKEN_SECONDS)),
        };
        self.bearer(&actor, new, Some(refresh_token))
    }

    fn bearer(&self, actor: &actor::Model, new: NewToken, refresh_token: Option<String>) -> Result<SignedIn> {
        let (issued, pass) = self.sign(actor, new)?;
        let viewer = viewer_of(actor, pass, issued.expires_at).ok_or(Error::Forbidden)?;
        Ok(SignedIn { viewer, issued, refresh_token })
    }
}

/// Rows that are forgotten in one transaction.
const ROWS: u64 = 500;

/// Until when tokens can be renewed without a refresh token: for thirty days from the first one on, or, where the
/// first one lives longer, until its end.
pub(super) fn last_end(expires_at: Timestamp, first_issued_at: Timestamp) -> Timestamp {
    expires_at.max(first_issued_at.plus(TimeDelta::seconds(limits::REFRESH_SECONDS)))
}

fn check(input: &mut SignInVisitor) -> Result<()> {
    let SignInVisitor { refresh_token, identity_token, display_name, page } = input;
    for (field, token) in [("refreshToken", refresh_token), ("identityToken", identity_token)] {
        if let Some(token) = token {
            check_token(field, token)?;
        }
    }
    if let Some(display_name) = display_name {
        text::name("displayName", display_name)?;
    }
    if let Some(page) = page {
        text::page("page", page)?;
    }
    Ok(())
}

fn check_token(field: impl Into<FieldPath>, token: &str) -> Result<()> {
    Ok(text::header(field, token, limits::SECRET_TOKEN)?)
}

async fn sign_in_as_oneself(
    tx: &mut Tx,
    organization_id: OrganizationId,
    input: SignInVisitor,
) -> Result<Refreshed> {
    let SignInVisitor { refresh_token, identity_token: _, display_name, page } = input;
    let Some(token) = refresh_token else {
        let mut visitor = new_actor(tx, organization_id, ActorType::Visitor);
        visitor.name = display_name;
        if let Some(page) = page {
            visitor.set_page(page);
        }
        actors::insert(tx, &visitor).await?;
        return begin(tx, visitor).await;
    };
    let mut refreshed = refresh(tx, organization_id, &token).await?.ok_or_else(no_refresh_token)?;
    if let Refreshed::Next(family) = &mut refreshed {
        // What the organization says of a visitor whom it knows is not theirs to change.
        let display_name = display_name.filter(|_| family.actor.external_id.is_none());
        note(tx, &mut family.actor, display_name, page).await?;
    }
    Ok(refreshed)
}

async fn sign_in_as_known(
    tx: &mut Tx,
    organization_id: OrganizationId,
    identity: Identity,
    input: SignInVisitor,
) -> Result<Refreshed> {
    let SignInVisitor { refresh_token, identity_token: _, display_name: _, page } = input;
    let Identity { external_id, name, attributes } = identity;
    let known = UpsertVisitor { external_id, display_name: name.map(Some), attributes };
    let mut visitor = upsert(tx, organization_id, known).await?;
    note(tx, &mut visitor, None, page).await?;
    if let Some(token) = refresh_token
        && let Some((_, sign_in)) = sign_ins::find_refresh(tx, &hash(&token)).await?
        && sign_in.actor_id == visitor.id
        && let Some(Refreshed::Next(family)) = refresh(tx, organization_id, &token).await?
    {
        return Ok(Refreshed::Next(family));
    }
    begin(tx, visitor).await
}

/// Writes what a visitor says of themself, where that is new.
async fn note(
    tx: &Tx,
    visitor: &mut actor::Model,
    display_name: Option<String>,
    page: Option<WebPage>,
) -> Result<()> {
    let before = visitor.clone();
    if display_name.is_some() {
        visitor.name = display_name;
    }
    if let Some(page) = page {
        visitor.set_page(page);
    }
    if *visitor != before {
        actors::update(tx, visitor).await?;
    }
    Ok(())
}

async fn forget(tx: &mut Tx, before: Timestamp) -> Result<bool> {
    Ok(sign_ins::forget_before(tx, before, ROWS).await?)
}

async fn renew(tx: &mut Tx, viewer: Viewer, token: String) -> Result<Refreshed> {
    let known = sign_ins::find_refresh(tx, &hash(&token)).await?;
    if known.is_none_or(|(_, sign_in)| sign_in.actor_id != viewer.actor_id) {
        return Err(no_refresh_token().into());
    }
    Ok(refresh(tx, viewer.organization_id, &token).await?.ok_or_else(no_refresh_token)?)
}

/// Begins a family.
async fn begin(tx: &mut Tx, actor: actor::Model) -> Result<Refreshed> {
    let now = tx.now();
    let id = SignInId(tx.new_id());
    let sign_in =
        sign_in::Model { id, actor_id: actor.id, created_at: now, expires_at: now, revoked_at: None };
    go_on(tx, actor, sign_in).await
}

/// Takes a refresh token, which is then used; `None` where it is none, or has ended.
async fn refresh(tx: &mut Tx, organization_id: OrganizationId, token: &str) -> Result<Option<Refreshed>> {
    let hash = hash(token);
    let Some((_, sign_in)) = sign_ins::find_refresh(tx, &hash).await? else { return Ok(None) };
    let locked = actors::lock_in_organization(tx, organization_id, &[sign_in.actor_id]).await?.pop();
    let Some(mut actor) = locked.filter(|actor| actor.deactivated_at.is_none()) else { return Ok(None) };
    // Read again under the lock: another tab may have been faster.
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

/// Gives a family its next refresh token, and thirty days more.
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

/// Random tokens need no slower hash: there is nothing to guess.
fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The same whether it never was one, has ended or was used: nobody can tell which.
fn no_refresh_token() -> Refused {
    Refused::Invalid {
        field: "refreshToken".into(),
        reason: "The refresh token is expired, used or revoked. Sign in again.",
    }
}
