//! Signing in by a widget, and renewing tokens.
//!
//! A visitor's sign-in has a family of refresh tokens: each is used once, for the next one. For a minute it is taken
//! again, because two tabs share one and answers get lost; after that, whoever brings it again has it from somebody
//! else, and the whole family ends.

use super::family::{Refreshed, SignedIn, begin, check_token, hash, no_refresh_token, refresh};
use super::identity::{self, Identity};
use crate::actions::actor::add::new_actor;
use crate::actions::actor::upsert_visitor::{UpsertVisitor, upsert};
use crate::actions::{Actions, Error, Result};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::text;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, actors, rooms, sign_ins};
use entity::{ActorType, RoomId, WebPage, actor};

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

impl Actions {
    /// Signs a visitor in: the one whom the identity token names, or the one of the refresh token, or a new one.
    pub async fn sign_in_visitor(
        &self,
        viewer: &Viewer,
        mut input: SignInVisitor,
    ) -> Result<(RoomId, SignedIn)> {
        let permit = self.permit(viewer, Verb::SignInVisitor)?;
        let room_id = viewer.widget_room().ok_or(Error::Forbidden)?;
        check(&mut input)?;
        let Some(identity_token) = input.identity_token.clone() else {
            let written = permit.write(sign_in_as_oneself, input);
            return Ok((room_id, self.signed_in(written.await?.value)?));
        };
        let room = rooms::find_in_organization(&self.0.store, viewer.organization_id, room_id).await?;
        let identity = identity::read(&room.ok_or(Error::Forbidden)?, &identity_token, self.now())?;
        let (known, same) = (identity.clone(), input.clone());
        let refreshed = match permit.write(sign_in_as_known, (identity, input)).await {
            // Two pages made the same visitor at once: the second one finds it there.
            Err(Error::Refused(Refused::Conflict { .. })) => {
                permit.write(sign_in_as_known, (known, same)).await?.value
            }
            other => other?.value,
        };
        Ok((room_id, self.signed_in(refreshed)?))
    }
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

async fn sign_in_as_oneself(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
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
    Viewer { organization_id, .. }: Viewer,
    (identity, input): (Identity, SignInVisitor),
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
