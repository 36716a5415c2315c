//! Replaces secrets: the widget key and the identity secret of a room, and the signing secret of a webhook.

use super::organizations::{new_identity_secret, new_widget_key};
use super::requests::{self, Requested};
use super::{Actions, Result};
use crate::delivery::new_secret;
use crate::domain::description::Description;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::webhook::PREVIOUS_SECRET;
use crate::store::{Tx, actors, rooms, webhooks};
use entity::{RequestKind, RoomId, WebhookId, room, webhook};
use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A secret of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomSecret {
    /// The key with which pages sign visitors in.
    WidgetKey,
    /// The secret that signs identity tokens.
    Identity,
}

/// Something with a secret that was replaced.
pub struct Rotated<T> {
    /// The room or webhook.
    pub of: T,
    /// The new secret. Absent for a retry of a rotation whose secret was replaced since.
    pub secret: Option<String>,
}

impl Actions {
    /// Replaces a secret of a room. A retry with the same `request_id` replaces nothing.
    pub async fn rotate_room_secret(
        &self,
        viewer: &Viewer,
        room_id: RoomId,
        which: RoomSecret,
        request_id: Option<String>,
    ) -> Result<Rotated<room::Model>> {
        policy::may(viewer.role, Verb::ManageOrganization)?;
        let viewer = viewer.clone();
        let written = self.write(move |tx| of_room(tx, viewer, room_id, which, request_id).boxed());
        Ok(written.await?.value)
    }

    /// Replaces the signing secret of a webhook; the one before signs too for a while. A retry with the same `request_id`
    /// replaces nothing.
    pub async fn rotate_signing_secret(
        &self,
        viewer: &Viewer,
        webhook_id: WebhookId,
        request_id: Option<String>,
    ) -> Result<Rotated<webhook::Model>> {
        policy::may(viewer.role, Verb::ManageWebhooks)?;
        let viewer = viewer.clone();
        Ok(self.write(move |tx| of_webhook(tx, viewer, webhook_id, request_id).boxed()).await?.value)
    }
}

async fn of_room(
    tx: &mut Tx,
    viewer: Viewer,
    room_id: RoomId,
    which: RoomSecret,
    request_id: Option<String>,
) -> Result<Rotated<room::Model>> {
    let (kind, mutation) = match which {
        RoomSecret::WidgetKey => (RequestKind::WidgetKey, "rotateWidgetKey"),
        RoomSecret::Identity => (RequestKind::IdentitySecret, "rotateIdentitySecret"),
    };
    let secret_of = |room: &room::Model| match which {
        RoomSecret::WidgetKey => room.widget_key.clone(),
        RoomSecret::Identity => room.identity_secret.expose().to_owned(),
    };
    actors::lock_in_organization(tx, viewer.organization_id, &[viewer.actor_id]).await?;
    let mut room = rooms::lock_in_organization(tx, viewer.organization_id, room_id)
        .await?
        .ok_or(Refused::NotFound { what: "room", field: "roomId".into() })?;
    let call = Description::of(mutation).with("roomId", Some(room_id));
    let request = requests::find(tx, &viewer, &[kind], request_id.as_deref(), &call).await?;
    if let Requested::Before(_, made) = request {
        let secret = Some(secret_of(&room)).filter(|secret| fingerprint(secret) == made);
        return Ok(Rotated { of: room, secret });
    }
    match which {
        RoomSecret::WidgetKey => room.widget_key = new_widget_key(),
        RoomSecret::Identity => room.identity_secret = new_identity_secret(),
    }
    rooms::update(tx, &room).await?;
    let secret = secret_of(&room);
    requests::remember(tx, &viewer, kind, request, fingerprint(&secret)).await?;
    Ok(Rotated { of: room, secret: Some(secret) })
}

async fn of_webhook(
    tx: &mut Tx,
    viewer: Viewer,
    webhook_id: WebhookId,
    request_id: Option<String>,
) -> Result<Rotated<webhook::Model>> {
    let kind = RequestKind::SigningSecret;
    actors::lock_in_organization(tx, viewer.organization_id, &[viewer.actor_id]).await?;
    let mut webhook = webhooks::lock_in_organization(tx, viewer.organization_id, webhook_id)
        .await?
        .ok_or(Refused::NotFound { what: "webhook", field: "webhookId".into() })?;
    let call = Description::of("rotateSigningSecret").with("webhookId", Some(webhook_id));
    let request = requests::find(tx, &viewer, &[kind], request_id.as_deref(), &call).await?;
    if let Requested::Before(_, made) = request {
        let secret =
            Some(webhook.signing_secret.expose().to_owned()).filter(|secret| fingerprint(secret) == made);
        return Ok(Rotated { of: webhook, secret });
    }
    webhook.previous_signing_secret = Some(std::mem::replace(&mut webhook.signing_secret, new_secret()));
    webhook.previous_until = Some(tx.now().plus(PREVIOUS_SECRET));
    webhooks::update(tx, &webhook).await?;
    let secret = webhook.signing_secret.expose().to_owned();
    requests::remember(tx, &viewer, kind, request, fingerprint(&secret)).await?;
    Ok(Rotated { of: webhook, secret: Some(secret) })
}

/// What is remembered of a secret that a request made: enough to recognize it, and nothing to guess it from.
fn fingerprint(secret: &str) -> Uuid {
    let digest = Sha256::new().chain_update(b"anteroom rotation\0").chain_update(secret).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}
