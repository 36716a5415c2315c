//! Webhooks and their deliveries. Only for admins.

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

/// A URL of the organization that receives events.
#[derive(Clone)]
pub(super) struct Webhook(pub webhook::Model);

/// A URL that receives events of the organization by HTTP POST. Each request is signed according to Standard
/// Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`) and has the headers `X-WEBHOOK-API-KEY`
/// and `X-WEBHOOK-API-SECRET`. A 2xx status is success. Otherwise the server tries again after 5 s, 5 min, 30
/// min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, or at the time given by `Retry-After`. Each event is delivered at
/// least once, sometimes twice with the same `webhook-id`, and not always in order.
#[Object]
impl Webhook {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::Webhook.encode(self.0.id.0)
    }

    /// The URL that receives the events. The server checks at each attempt that it leads to a public address.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// The events that the webhook receives.
    async fn events(&self) -> Vec<WebhookEvent> {
        self.0.events.0.iter().copied().map(Into::into).collect()
    }

    /// The value of the header `X-WEBHOOK-API-KEY`.
    async fn api_key(&self) -> &str {
        &self.0.api_key
    }

    /// True if the webhook receives events. Disabling a webhook cancels its pending deliveries.
    async fn is_enabled(&self) -> bool {
        self.0.is_enabled
    }

    /// The reason why the server disabled the webhook: the receiver answered 410, or no delivery succeeded
    /// for five days. Null if it is enabled, or an admin disabled it.
    async fn disabled_reason(&self) -> Option<&str> {
        self.0.disabled_reason.as_deref()
    }

    /// The time at which the webhook was created.
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
            desc = "The sort order of the list.",
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

/// The delivery of one event to one webhook.
#[derive(Clone)]
pub(super) struct WebhookDelivery(pub webhook_delivery::Model);

/// The delivery of one event to one webhook.
#[Object]
impl WebhookDelivery {
    /// The global id, for `node(id:)`.
    pub(super) async fn id(&self) -> ID {
        Kind::WebhookDelivery.encode(self.0.id.0)
    }

    /// The event that is delivered.
    async fn event(&self) -> WebhookEvent {
        self.0.event.into()
    }

    /// The state of the delivery.
    async fn state(&self) -> WebhookDeliveryState {
        self.0.state.into()
    }

    /// The number of attempts that have ended. A running attempt, or one that a restart of the server
    /// interrupted, does not count.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// The time of the next attempt. Null unless the state is PENDING. During an attempt, the time of the retry
    /// if the server stops before the attempt ends.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        self.0.next_attempt_at.map(DateTime)
    }

    /// The time at which the receiver accepted the delivery. Null unless the state is DELIVERED.
    async fn delivered_at(&self) -> Option<DateTime> {
        self.0.delivered_at.map(DateTime)
    }

    /// The HTTP status of the latest attempt. Null during an attempt, or if no complete response arrived.
    async fn last_status(&self) -> Option<i32> {
        self.0.last_status
    }

    /// The error of the latest attempt, in English. Null during an attempt or after success.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// The body of the request as JSON, the same at every attempt.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// The time at which the event happened.
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
