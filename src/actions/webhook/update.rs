//! Changes webhooks.

use super::create::sorted;
use super::delete::NOT_FOUND;
use crate::actions::{Actions, Result};
use crate::domain::policy::Verb;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, webhooks};
use entity::{SecretText, WebhookEvent, WebhookId, webhook};

/// Changes of a webhook. What is absent stays.
#[derive(Clone, Debug)]
pub struct UpdateWebhook {
    /// Which.
    pub webhook_id: WebhookId,
    /// Where to.
    pub url: Option<String>,
    /// What of.
    pub events: Option<Vec<WebhookEvent>>,
    /// Sent along.
    pub api_key: Option<String>,
    /// Sent along.
    pub api_secret: Option<SecretText>,
    /// Whether it is told of anything.
    pub is_enabled: Option<bool>,
}

impl Actions {
    /// Changes a webhook.
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
        // Another endpoint has its own story.
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
    // The worker gives up what was to be delivered to a webhook that is disabled.
    tx.fill_outbox();
    Ok(row)
}
