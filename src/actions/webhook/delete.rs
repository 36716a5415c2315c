//! Deletes webhooks.

use crate::actions::{Actions, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, webhooks};
use entity::{OrganizationId, SecretText, WebhookId};
use futures_util::FutureExt;

impl Actions {
    /// Deletes a webhook with everything that was and was to be delivered to it.
    pub async fn delete_webhook(&self, viewer: &Viewer, id: WebhookId) -> Result<()> {
        policy::may(viewer.role, Verb::ManageWebhooks)?;
        let organization_id = viewer.organization_id;
        self.write(move |tx| delete(tx, organization_id, id).boxed()).await?;
        Ok(())
    }
}

pub(super) const NOT_FOUND: Refused =
    Refused::NotFound { what: "webhook", field: FieldPath::of("webhookId") };

async fn delete(tx: &mut Tx, organization_id: OrganizationId, id: WebhookId) -> Result<()> {
    let mut row = webhooks::lock_in_organization(tx, organization_id, id).await?.ok_or(NOT_FOUND)?;
    (row.is_enabled, row.deleted_at) = (false, Some(tx.now()));
    let nothing = || SecretText::from(String::new());
    (row.api_secret, row.signing_secret, row.previous_signing_secret) = (nothing(), nothing(), None);
    webhooks::update(tx, &row).await?;
    tx.fill_outbox();
    Ok(())
}
