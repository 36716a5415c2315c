//! Creates webhooks.

use crate::actions::{Actions, Result};
use crate::delivery::{Target, new_secret};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, organizations, webhooks};
use entity::webhook::{self, Events};
use entity::{SecretText, WebhookEvent, WebhookId};

/// A webhook to create.
#[derive(Clone, Debug)]
pub struct CreateWebhook {
    /// The endpoint's URL.
    pub url: String,
    /// The events to deliver.
    pub events: Vec<WebhookEvent>,
    /// The key sent with each request.
    pub api_key: String,
    /// The secret sent with each request.
    pub api_secret: SecretText,
}

impl Actions {
    pub async fn create_webhook(&self, viewer: &Viewer, input: CreateWebhook) -> Result<webhook::Model> {
        let permit = self.permit(viewer, Verb::ManageWebhooks)?;
        self.check(Some(&input.url), Some(&input.events), Some(&input.api_key), Some(&input.api_secret))?;
        Ok(permit.write(create, input).await?.value)
    }

    pub(in crate::actions) fn check(
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
            return Err(Refused::Invalid {
                field: "events".into(),
                reason: "`events` must have at least one item.",
            }
            .into());
        }
        if let Some(api_key) = api_key {
            text::header("apiKey", api_key, limits::WEBHOOK_KEY)?;
        }
        if let Some(api_secret) = api_secret {
            text::header("apiSecret", api_secret.expose(), limits::WEBHOOK_KEY)?;
        }
        Ok(())
    }
}

async fn create(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
    input: CreateWebhook,
) -> Result<webhook::Model> {
    let CreateWebhook { url, events, api_key, api_secret } = input;
    organizations::lock(tx, organization_id).await?;
    if webhooks::count_in_organization(tx, organization_id).await? >= limits::WEBHOOKS {
        let reason = "An organization can have at most 20 webhooks.";
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

pub(super) fn sorted(mut events: Vec<WebhookEvent>) -> Events {
    events.sort_unstable();
    events.dedup();
    Events(events)
}
