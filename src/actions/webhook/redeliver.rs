//! Restarts webhook deliveries.

use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, deliveries, webhooks};
use entity::{WebhookDeliveryId, WebhookDeliveryState, webhook_delivery};

impl Actions {
    /// Restarts a delivery with its first attempt, under the same id.
    pub async fn redeliver_webhook(
        &self,
        viewer: &Viewer,
        id: WebhookDeliveryId,
    ) -> Result<webhook_delivery::Model> {
        let permit = self.permit(viewer, Verb::ManageWebhooks)?;
        Ok(permit.write(redeliver, id).await?.value)
    }
}

async fn redeliver(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
    id: WebhookDeliveryId,
) -> Result<webhook_delivery::Model> {
    let not_found = Refused::NotFound { what: "delivery", field: "deliveryId".into() };
    let found = deliveries::find_in_organization(tx, organization_id, id).await?.ok_or(not_found.clone())?;
    let webhook = webhooks::lock_in_organization(tx, organization_id, found.webhook_id).await?;
    if !webhook.ok_or(not_found.clone())?.is_enabled {
        let reason = "The webhook is disabled. Enable it first.";
        return Err(Refused::Invalid { field: "deliveryId".into(), reason }.into());
    }
    let mut row = deliveries::find_in_organization(tx, organization_id, id).await?.ok_or(not_found)?;
    let now = tx.now();
    let is_being_tried = row.lease.is_some() && row.next_attempt_at.is_some_and(|until| now < until);
    if !is_being_tried {
        row.state = WebhookDeliveryState::Pending;
        (row.attempts, row.next_attempt_at) = (0, Some(now));
        (row.deferrals, row.deferred_since) = (0, None);
        (row.lease, row.delivered_at) = (None, None);
        deliveries::update(tx, &row).await?;
        tx.fill_outbox();
    }
    Ok(row)
}
