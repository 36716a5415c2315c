//! Deletes webhooks.

use crate::actions::{Actions, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, webhooks};
use entity::{SecretText, WebhookId};

impl Actions {
    /// Deletes a webhook with its past and pending deliveries.
    pub async fn delete_webhook(&self, viewer: &Viewer, id: WebhookId) -> Result<()> {
        let permit = self.permit(viewer, Verb::ManageWebhooks)?;
        permit.write(delete, id).await?;
        Ok(())
    }
}

pub(super) const NOT_FOUND: Refused =
    Refused::NotFound { what: "webhook", field: FieldPath::of("webhookId") };

async fn delete(tx: &mut Tx, Viewer { organization_id, .. }: Viewer, id: WebhookId) -> Result<()> {
    let mut row = webhooks::lock_in_organization(tx, organization_id, id).await?.ok_or(NOT_FOUND)?;
    (row.is_enabled, row.deleted_at) = (false, Some(tx.now()));
    let nothing = || SecretText::from(String::new());
    (row.api_secret, row.signing_secret, row.previous_signing_secret) = (nothing(), nothing(), None);
    webhooks::update(tx, &row).await?;
    tx.fill_outbox();
    Ok(())
}
