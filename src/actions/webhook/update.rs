//! Changes webhooks.

use super::create::sorted;
use super::delete::NOT_FOUND;
use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, webhooks};
use entity::{SecretText, WebhookEvent, WebhookId, webhook};

/// Changes to a webhook. Absent fields stay as they are.
#[derive(Clone, Debug)]
pub struct UpdateWebhook {
    /// The webhook to change.
    pub webhook_id: WebhookId,
    /// The endpoint's URL.
    pub url: Option<String>,
    /// The events to deliver.
    pub events: Option<Vec<WebhookEvent>>,
    /// The key sent with each request.
    pub api_key: Option<String>,
    /// The secret sent with each request.
    pub api_secret: Option<SecretText>,
    /// Whether events are delivered.
    pub is_enabled: Option<bool>,
}

impl Actions {
    pub async fn update_webhook(&self, viewer: &Viewer, input: UpdateWebhook) -> Result<webhook::Model> {
        let permit = self.permit(viewer, Verb::ManageWebhooks)?;
        let UpdateWebhook { url, events, api_key, api_secret, .. } = &input;
        self.check(url.as_ref(), events.as_ref(), api_key.as_ref(), api_secret.as_ref())?;
        Ok(permit.write(update, input).await?.value)
    }
}

async fn update(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
    input: UpdateWebhook,
) -> Result<webhook::Model> {
    let UpdateWebhook { webhook_id, url, events, api_key, api_secret, is_enabled } = input;
    let mut row = webhooks::lock_in_organization(tx, organization_id, webhook_id).await?.ok_or(NOT_FOUND)?;
    if let Some(url) = url.filter(|url| *url != row.url) {
        row.url = url;
        // The failures belong to the previous URL.
        (row.failing_since, row.resume_at) = (None, None);
    }
    if let Some(events) = events {
        row.events = sorted(events);
    }
    if let Some(api_key) = api_key {
        row.api_key = api_key;
    }
    if let Some(api_secret) = api_secret {
        row.api_secret = api_secret;
    }
    if let Some(is_enabled) = is_enabled.filter(|is_enabled| *is_enabled != row.is_enabled) {
        (row.is_enabled, row.disabled_reason) = (is_enabled, None);
        (row.failing_since, row.resume_at) = (None, None);
    }
    webhooks::update(tx, &row).await?;
    // Wakes the worker, which cancels pending deliveries of a disabled webhook.
    tx.fill_outbox();
    Ok(row)
}
