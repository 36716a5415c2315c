//! Webhooks: create, change and delete them, and have something delivered again.

use super::{Actions, Result};
use crate::delivery::{Target, new_secret};
use crate::domain::field_path::FieldPath;
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Verb};
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, deliveries, organizations, webhooks};
use entity::webhook::Events;
use entity::{
    OrganizationId, SecretText, WebhookDeliveryId, WebhookDeliveryState, WebhookEvent, WebhookId, webhook,
    webhook_delivery,
};
use futures_util::FutureExt;
use std::collections::HashMap;

/// A webhook to create.
#[derive(Clone, Debug)]
pub struct CreateWebhook {
    /// Where to.
    pub url: String,
    /// What of.
    pub events: Vec<WebhookEvent>,
    /// Sent along.
    pub api_key: String,
    /// Sent along.
    pub api_secret: SecretText,
}

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
    /// Creates a webhook.
    pub async fn create_webhook(&self, viewer: &Viewer, input: CreateWebhook) -> Result<webhook::Model> {
        policy::may(viewer.role, Verb::ManageWebhooks)?;
        self.check(Some(&input.url), Some(&input.events), Some(&input.api_key), Some(&input.api_secret))?;
        let organization_id = viewer.organization_id;
        Ok(self.write(move |tx| create(tx, organization_id, input).boxed()).await?.value)
    }

    /// Changes a webhook.
    pub async fn update_webhook(&self, viewer: &Viewer, input: UpdateWebhook) -> Result<webhook::Model> {
        policy::may(viewer.role, Verb::ManageWebhooks)?;
        let UpdateWebhook { url, events, api_key, api_secret, .. } = &input;
        self.check(url.as_ref(), events.as_ref(), api_key.as_ref(), api_secret.as_ref())?;
        let organization_id = viewer.organization_id;
        Ok(self.write(move |tx| update(tx, organization_id, input).boxed()).await?.value)
    }

    /// Deletes a webhook with everything that was and was to be delivered to it.
    pub async fn delete_webhook(&self, viewer: &Viewer, id: WebhookId) -> Result<()> {
        policy::may(viewer.role, Verb::ManageWebhooks)?;
        let organization_id = viewer.organization_id;
        self.write(move |tx| delete(tx, organization_id, id).boxed()).await?;
        Ok(())
    }

    /// Has something delivered again from the first attempt on, under the same id.
    pub async fn redeliver_webhook(
        &self,
        viewer: &Viewer,
        id: WebhookDeliveryId,
    ) -> Result<webhook_delivery::Model> {
        policy::may(viewer.role, Verb::ManageWebhooks)?;
        let organization_id = viewer.organization_id;
        Ok(self.write(move |tx| redeliver(tx, organization_id, id).boxed()).await?.value)
    }

    /// The organization's webhooks, oldest first.
    pub async fn webhooks(&self, viewer: &Viewer, page: &PageRequest) -> Result<Page<webhook::Model>> {
        policy::may(viewer.role, Verb::ManageWebhooks)?;
        Ok(webhooks::list_in_organization(&self.0.store, viewer.organization_id, page).await?)
    }

    /// Those of the webhooks that the viewer may see.
    pub async fn visible_webhooks(&self, viewer: &Viewer, ids: &[WebhookId]) -> Result<Vec<webhook::Model>> {
        if policy::may(viewer.role, Verb::ManageWebhooks).is_err() {
            return Ok(Vec::new());
        }
        Ok(webhooks::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?)
    }

    /// Those of the deliveries that the viewer may see.
    pub async fn visible_deliveries(
        &self,
        viewer: &Viewer,
        ids: &[WebhookDeliveryId],
    ) -> Result<Vec<webhook_delivery::Model>> {
        if policy::may(viewer.role, Verb::ManageWebhooks).is_err() {
            return Ok(Vec::new());
        }
        Ok(deliveries::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?)
    }

    /// The same page of the deliveries of each of the webhooks, by their age.
    pub async fn deliveries_of_each(
        &self,
        viewer: &Viewer,
        ids: &[WebhookId],
        states: Option<&[WebhookDeliveryState]>,
        is_descending: bool,
        page: &PageRequest,
    ) -> Result<HashMap<WebhookId, Page<webhook_delivery::Model>>> {
        policy::may(viewer.role, Verb::ManageWebhooks)?;
        let pages = deliveries::list_of_each(&self.0.store, ids, states, is_descending, page).await?;
        Ok(ids.iter().copied().zip(pages).collect())
    }

    fn check(
        &self,
        url: Option<&String>,
        events: Option<&Vec<WebhookEvent>>,
        api_key: Option<&String>,
        api_secret: Option<&SecretText>,
    ) -> Result<()> {
        if let Some(url) = url {
            text::line("url", url, limits::WEBHOOK_URL)?;
            Target::parse(url, &self.0.allowed)
                .map_err(|bad| Refused::Invalid { field: "url".into(), reason: bad.reason() })?;
        }
        if events.is_some_and(Vec::is_empty) {
            return Err(
                Refused::Invalid { field: "events".into(), reason: "Name at least one event." }.into()
            );
        }
        if let Some(api_key) = api_key {
            text::header("apiKey", api_key, limits::WEBHOOK_KEY)?;
        }
        if let Some(api_secret) = api_secret {
            text::header("apiSecret", &api_secret.0, limits::WEBHOOK_KEY)?;
        }
        Ok(())
    }
}

const NOT_FOUND: Refused = Refused::NotFound { what: "webhook", field: FieldPath::of("webhookId") };

async fn create(
    tx: &mut Tx,
    organization_id: OrganizationId,
    input: CreateWebhook,
) -> Result<webhook::Model> {
    let CreateWebhook { url, events, api_key, api_secret } = input;
    organizations::lock(tx, organization_id).await?;
    if webhooks::count_in_organization(tx, organization_id).await? >= limits::WEBHOOKS {
        let reason = "An organization has at most 20 webhooks.";
        return Err(Refused::Invalid { field: "url".into(), reason }.into());
    }
    let row = webhook::Model {
        id: WebhookId(tx.new_id()),
        organization_id,
        url,
        events: sorted(events),
        api_key,
        api_secret,
        signing_secret: new_secret(),
        previous_signing_secret: None,
        previous_until: None,
        is_enabled: true,
        disabled_reason: None,
        failing_since: None,
        resume_at: None,
        created_at: tx.now(),
        deleted_at: None,
    };
    webhooks::insert(tx, &row).await?;
    Ok(row)
}

async fn update(
    tx: &mut Tx,
    organization_id: OrganizationId,
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

async fn delete(tx: &mut Tx, organization_id: OrganizationId, id: WebhookId) -> Result<()> {
    let mut row = webhooks::lock_in_organization(tx, organization_id, id).await?.ok_or(NOT_FOUND)?;
    (row.is_enabled, row.deleted_at) = (false, Some(tx.now()));
    let nothing = || SecretText(String::new());
    (row.api_secret, row.signing_secret, row.previous_signing_secret) = (nothing(), nothing(), None);
    webhooks::update(tx, &row).await?;
    tx.fill_outbox();
    Ok(())
}

async fn redeliver(
    tx: &mut Tx,
    organization_id: OrganizationId,
    id: WebhookDeliveryId,
) -> Result<webhook_delivery::Model> {
    let not_found = Refused::NotFound { what: "delivery", field: "deliveryId".into() };
    let found = deliveries::find_in_organization(tx, organization_id, id).await?.ok_or(not_found.clone())?;
    let webhook = webhooks::lock_in_organization(tx, organization_id, found.webhook_id).await?;
    if !webhook.ok_or(not_found.clone())?.is_enabled {
        let reason = "The webhook is disabled: enable it first.";
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

fn sorted(mut events: Vec<WebhookEvent>) -> Events {
    events.sort_unstable();
    events.dedup();
    Events(events)
}
