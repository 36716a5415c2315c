//! Replaces the signing secret of a webhook.

use crate::actions::requests::{self, Requested};
use crate::actions::rotation::{Rotated, fingerprint};
use crate::actions::{Actions, Result};
use crate::delivery::new_secret;
use crate::domain::description::Description;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::webhook::PREVIOUS_SECRET;
use crate::store::{Tx, actors, webhooks};
use entity::{RequestKind, WebhookId, webhook};

impl Actions {
    /// Replaces the signing secret of a webhook. Requests are also signed with the previous secret for a
    /// while. A retry with the same `request_id` does not replace it again.
    pub async fn rotate_signing_secret(
        &self,
        viewer: &Viewer,
        webhook_id: WebhookId,
        request_id: Option<String>,
    ) -> Result<Rotated<webhook::Model>> {
        let permit = self.permit(viewer, Verb::ManageWebhooks)?;
        Ok(permit.write(of_webhook, (webhook_id, request_id)).await?.value)
    }
}

async fn of_webhook(
    tx: &mut Tx,
    viewer: Viewer,
    (webhook_id, request_id): (WebhookId, Option<String>),
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
