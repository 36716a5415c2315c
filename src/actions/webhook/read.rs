//! Reads webhooks and their deliveries.

use crate::actions::{Actions, Result};
use crate::domain::page::{Page, PageRequest};
use crate::domain::policy::{self, Verb};
use crate::domain::viewer::Viewer;
use crate::store::{deliveries, webhooks};
use entity::{WebhookDeliveryId, WebhookDeliveryState, WebhookId, webhook, webhook_delivery};
use std::collections::HashMap;

impl Actions {
    /// Lists the organization's webhooks, oldest first.
    pub async fn webhooks(&self, viewer: &Viewer, page: &PageRequest) -> Result<Page<webhook::Model>> {
        policy::may(viewer.role, Verb::ManageWebhooks)?;
        Ok(webhooks::list_in_organization(&self.0.store, viewer.organization_id, page).await?)
    }

    /// Filters webhooks by visibility to the viewer.
    pub async fn visible_webhooks(&self, viewer: &Viewer, ids: &[WebhookId]) -> Result<Vec<webhook::Model>> {
        if policy::may(viewer.role, Verb::ManageWebhooks).is_err() {
            return Ok(Vec::new());
        }
        Ok(webhooks::find_many_in_organization(&self.0.store, viewer.organization_id, ids).await?)
    }

    /// Filters deliveries by visibility to the viewer.
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

    /// Lists the same page of deliveries for each webhook.
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
}
