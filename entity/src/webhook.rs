//! A URL that receives events of an organization.

use crate::{OrganizationId, SecretText, Timestamp, WebhookEvent, WebhookId};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookId,
    pub organization_id: OrganizationId,
    pub url: String,
    pub events: Events,
    /// The key sent with each request, which identifies the caller.
    pub api_key: String,
    /// The secret sent with each request. Never shown again.
    pub api_secret: SecretText,
    /// The secret that signs requests. Shown once.
    pub signing_secret: SecretText,
    /// The previous secret, which also signs requests until `previous_until`, so that receivers can switch
    /// over.
    pub previous_signing_secret: Option<SecretText>,
    pub previous_until: Option<Timestamp>,
    pub is_enabled: bool,
    /// The reason why the server disabled the webhook. Absent if an admin did.
    pub disabled_reason: Option<String>,
    /// The time of the first failure since the last success.
    pub failing_since: Option<Timestamp>,
    /// The time until which the receiver asked not to get requests.
    pub resume_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// The time of deletion. The remaining rows are being deleted.
    pub deleted_at: Option<Timestamp>,
}

/// The events that a webhook receives, without duplicates, in the order of the enum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Events(pub Vec<WebhookEvent>);

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
