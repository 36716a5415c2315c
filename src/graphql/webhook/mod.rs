//! Webhooks and the ledger of what is delivered to them. For admins alone.

pub(super) mod mutation;

use super::caller::caller;
use super::connection::{List, PageArguments, connection};
use super::enums::{WebhookDeliveryState, WebhookEvent};
use super::error::Result;
use super::id::Kind;
use super::loaders::LedgerOf;
use super::order::{WebhookDeliveryOrderField, WebhookDeliveryOrderInput};
use super::scalar::DateTime;
use async_graphql::{Context, ID, Object};
use entity::{webhook, webhook_delivery};

/// An address that is told of what happens in the organization.
#[derive(Clone)]
pub(super) struct Webhook(pub webhook::Model);

/// An address that is told of what happens in the organization, each time by an HTTP POST signed as Standard
/// Webhooks says (`webhook-id`, `webhook-timestamp`, `webhook-signature`), with `X-WEBHOOK-API-KEY` and
/// `X-WEBHOOK-API-SECRET`. An answer of 2xx is success; else it is tried again after 5 s, 5 min, 30 min, 2 h, 5 h,
/// 10 h, 14 h, 20 h and 24 h, or when `Retry-After` says. Every event is delivered at least once, perhaps twice with
/// the same id, and perhaps not in order.
#[Object]
impl Webhook {
    /// The global id.
    pub(super) async fn id(&self) -> ID {
        Kind::Webhook.encode(self.0.id.0)
    }

    /// The URL that events are sent to. Checked again at each delivery: the name must lead to public addresses.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// The events that are sent.
    async fn events(&self) -> Vec<WebhookEvent> {
        self.0.events.0.iter().copied().map(Into::into).collect()
    }

    /// The value of the header `X-WEBHOOK-API-KEY`.
    async fn api_key(&self) -> &str {
        &self.0.api_key
    }

    /// Whether it is told of anything. A disabled webhook gets no deliveries, and those to come are given up.
    async fn is_enabled(&self) -> bool {
        self.0.is_enabled
    }

    /// The reason for which the server disabled the webhook: its receiver answered 410, or nothing could be
    /// delivered for five days. Null
    /// where it is enabled, or an admin disabled it.
    async fn disabled_reason(&self) -> Option<&str> {
        self.0.disabled_reason.as_deref()
    }

    /// The creation time.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The deliveries of the webhook. They are stored for 30 days.
    #[allow(clippy::too_many_arguments)]
    async fn deliveries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only deliveries in one of these states.")] states: Option<
            Vec<WebhookDeliveryState>,
        >,
        #[graphql(
            desc = "The sort order.",
            default_with = "Some(WebhookDeliveryOrderInput::ascending(WebhookDeliveryOrderField::CreatedAt))"
        )]
        order_by: Option<WebhookDeliveryOrderInput>,
        #[graphql(desc = "Returns the first *n* items (0–100, default 25).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last *n* items (0–100).")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<WebhookDeliveryConnection> {
        let states = states.map(|states| states.into_iter().map(Into::into).collect());
        let is_descending = order_by.is_some_and(WebhookDeliveryOrderInput::is_descending);
        let list = List::ordered("deliveries", self.0.id, "CREATED_AT", is_descending);
        let page = PageArguments { first, after, last, before }.request(context, list)?;
        let asked = LedgerOf { webhook_id: self.0.id, states, is_descending, page };
        let page = caller(context)?.need(asked).await?;
        Ok(WebhookDeliveryConnection::new(page, |_, key| list.cursor(key), WebhookDelivery))
    }
}

/// An event for one webhook, and what became of it.
#[derive(Clone)]
pub(super) struct WebhookDelivery(pub webhook_delivery::Model);

/// An event for one webhook, and what became of it.
#[Object]
impl WebhookDelivery {
    /// The global id.
    pub(super) async fn id(&self) -> ID {
        Kind::WebhookDelivery.encode(self.0.id.0)
    }

    /// The event.
    async fn event(&self) -> WebhookEvent {
        self.0.event.into()
    }

    /// The state of the delivery.
    async fn state(&self) -> WebhookDeliveryState {
        self.0.state.into()
    }

    /// Number of attempts that ended, with an answer or without one. An attempt that is under way, or that a
    /// restart of
    /// the server cut off, is not counted.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// The time of the next attempt. Null unless PENDING. While it is being tried: when it is taken up again,
    /// should the
    /// server not live to see the end of it.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        self.0.next_attempt_at.map(DateTime)
    }

    /// The time at which the receiver accepted the delivery.
    async fn delivered_at(&self) -> Option<DateTime> {
        self.0.delivered_at.map(DateTime)
    }

    /// The HTTP status of the newest attempt; null while it is under way, and where there was no whole answer.
    async fn last_status(&self) -> Option<i32> {
        self.0.last_status
    }

    /// The error of the newest attempt, in English. Null while it is under way.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// The body: JSON, the same at every attempt.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// The time of the event.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

connection! {
    /// A page of webhooks.
    WebhookConnection,
    /// A webhook in a list.
    WebhookEdge of Webhook,
    fields {}
}

connection! {
    /// A page of deliveries.
    WebhookDeliveryConnection,
    /// A delivery in a list.
    WebhookDeliveryEdge of WebhookDelivery,
    fields {}
}

/// The organization's webhooks.
pub(super) async fn webhooks(context: &Context<'_>, page: PageArguments) -> Result<WebhookConnection> {
    let (caller, list) = (caller(context)?, List::named("webhooks"));
    let page = caller.actions.webhooks(&caller.viewer, &page.request(context, list)?).await?;
    Ok(WebhookConnection::new(page, |_, key| list.cursor(key), Webhook))
}
