//! An address that is told of what happens in an organization.

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
    /// Sent along, so that the receiver knows who calls.
    pub api_key: String,
    /// Sent along, and never shown again.
    pub api_secret: SecretText,
    /// Signs what is sent; shown once.
    pub signing_secret: SecretText,
    /// The one before: signs too until `previous_until`, so that receivers can change over.
    pub previous_signing_secret: Option<SecretText>,
    pub previous_until: Option<Timestamp>,
    pub is_enabled: bool,
    /// Why the server disabled it; absent where an admin did.
    pub disabled_reason: Option<String>,
    /// The first failure since anything was delivered.
    pub failing_since: Option<Timestamp>,
    /// Until when the receiver asked to be left alone.
    pub resume_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// It is not there any more; what is left of it is being cleared away.
    pub deleted_at: Option<Timestamp>,
}

/// Which events a webhook is told of: each once, in the order of the enum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Events(pub Vec<WebhookEvent>);

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
