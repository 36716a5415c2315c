//! The delivery of one event to one webhook: its body and its result. Written in the transaction of the
//! event.

use crate::{OrganizationId, Timestamp, WebhookDeliveryId, WebhookDeliveryState, WebhookEvent, WebhookId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookDeliveryId,
    pub webhook_id: WebhookId,
    pub organization_id: OrganizationId,
    pub event: WebhookEvent,
    /// The body of the request, the same for all attempts.
    pub body: String,
    pub state: WebhookDeliveryState,
    /// The number of completed attempts, with or without a response. An attempt that a stop or a crash
    /// interrupted is not counted.
    pub attempts: i32,
    /// The number of attempts that do not count toward the limit, because the receiver answered 429 or 503.
    pub deferrals: i32,
    /// The time of the first of these responses.
    pub deferred_since: Option<Timestamp>,
    /// Set only while PENDING: the time at which it is due or, while leased, the end of the lease.
    pub next_attempt_at: Option<Timestamp>,
    /// The lease of the current attempt. With another lease, another node has taken over.
    pub lease: Option<Uuid>,
    pub delivered_at: Option<Timestamp>,
    /// The HTTP status of the latest response.
    pub last_status: Option<i32>,
    /// The error of the latest attempt.
    pub last_error: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
