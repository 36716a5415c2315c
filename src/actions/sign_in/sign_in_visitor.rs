//! Signs visitors in for the widget.

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
    /// A refresh token of an earlier sign-in.
    pub refresh_token: Option<String>,
    /// An identity token from the organization's own server.
    pub identity_token: Option<String>,
    /// The display name, for visitors without an identity token.
    pub display_name: Option<String>,
    /// The page that the visitor is on.
    pub page: Option<WebPage>,
}

impl Actions {
    /// Signs in the visitor of the identity token, the visitor of the refresh token, or a new one, in this
    /// order.
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
            // Concurrent calls created the same visitor: the second call finds the visitor of the first.
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
        // Visitors cannot change a name that the organization manages.
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

/// Stores what visitors say about themselves, if it changed.
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
