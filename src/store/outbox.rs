//! The outbox: each transaction stores its own webhook events, so that an event is delivered if and only if
//! it was committed.

use super::{Error, Result, Store, Tx, actors, deliveries, organizations, webhooks};
use crate::domain::event::Event;
use crate::domain::webhook::{self, About, Happening};
use entity::{ChatId, WebhookDeliveryId, WebhookDeliveryState, WebhookEvent, chat, webhook_delivery};
use url::Url;

/// The data for the bodies of webhooks, besides the log.
pub struct WebhookBodies {
    /// The base URL of patients, for `patientUrl`.
    pub patients: Url,
    /// Encodes the cursor of an event, given its chat and sequence.
    pub cursor_of: Box<dyn Fn(ChatId, i64) -> String + Send + Sync>,
}

impl Store {
    /// Waits until something to deliver is committed.
    pub async fn outbox_filled(&self) {
        self.0.outbox.notified().await;
    }
}

/// Writes the deliveries of the log's entries for each webhook that subscribes to them. Returns whether there
/// were any.
pub(super) async fn write(
    tx: &Tx,
    before: Option<&chat::Model>,
    chat: &chat::Model,
    log: &[Event],
) -> Result<bool> {
    let happenings = webhook::happenings(before, chat, log);
    if happenings.is_empty() {
        return Ok(false);
    }
    let webhooks = webhooks::list_enabled_in_organization(tx, chat.organization_id).await?;
    let mut rows = Vec::new();
    for happening in happenings {
        let mut body = None;
        for webhook in webhooks.iter().filter(|webhook| webhook.events.0.contains(&happening.event)) {
            let body = match &body {
                Some(body) => body,
                None => body.insert(write_body(tx, chat, happening).await?),
            };
            let (now, created_at) = (tx.clock_time(), tx.now());
            rows.push(webhook_delivery::Model {
                id: WebhookDeliveryId(tx.new_id()),
                webhook_id: webhook.id,
                organization_id: chat.organization_id,
                event: happening.event,
                body: body.clone(),
                state: WebhookDeliveryState::Pending,
                attempts: 0,
                deferrals: 0,
                deferred_since: None,
                next_attempt_at: Some(now),
                lease: None,
                delivered_at: None,
                last_status: None,
                last_error: None,
                created_at,
            });
        }
    }
    if rows.is_empty() {
        return Ok(false);
    }
    deliveries::insert(tx, rows).await?;
    Ok(true)
}

async fn write_body(tx: &Tx, chat: &chat::Model, happening: Happening<'_>) -> Result<String> {
    let unset = || Error::Failed("the bodies of webhooks were not set".into());
    let bodies = tx.webhook_bodies().ok_or_else(unset)?;
    let cursor = (bodies.cursor_of)(chat.id, happening.sequence);
    match (happening.event, happening.about, chat.visitor_id) {
        (WebhookEvent::MessageToVisitor, About::Message(row), Some(visitor_id)) => {
            let gone = || Error::Failed("a chat's visitor or organization is gone".into());
            let organization = organizations::find(tx, chat.organization_id).await?.ok_or_else(gone)?;
            let visitor = actors::find_in_organization(tx, chat.organization_id, visitor_id).await?;
            let to = webhook::Recipient {
                visitor: &visitor.ok_or_else(gone)?,
                organization: &organization,
                patients: &bodies.patients,
            };
            Ok(webhook::message_body(happening, chat, row, &to, cursor))
        }
        (
            WebhookEvent::MessageToVisitor
            | WebhookEvent::MessageAdded
            | WebhookEvent::ChatStarted
            | WebhookEvent::ChatEnded
            | WebhookEvent::ChatSessionChanged,
            About::Chat | About::Message(_) | About::Session(_),
            _,
        ) => Ok(webhook::thin_body(happening, chat, cursor)),
    }
}
