//! Actors: users, visitors and API clients. They share one table because a message's sender, a participant
//! and a token's subject can be any of them.

use crate::{ActorId, ActorType, OrganizationId, Timestamp, UserRole, WebPage};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "actor")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ActorId,
    pub organization_id: OrganizationId,
    #[sea_orm(column_name = "type")]
    pub actor_type: ActorType,
    /// Users only.
    pub role: Option<UserRole>,
    /// A user's name as colleagues see it, a visitor's display name, an API client's name.
    pub name: Option<String>,
    /// The name in the folded form used for search, maintained by the store. See `domain::search::fold`.
    pub folded_name: String,
    /// A user's name as visitors see it.
    pub public_name: Option<String>,
    /// The id of this person in the organization's own systems; unique for the type in the organization.
    pub external_id: Option<String>,
    /// The custom attributes of a visitor.
    pub attributes: Attributes,
    /// The last known page of the customer's site that a visitor was on.
    pub page_url: Option<String>,
    pub page_title: Option<String>,
    /// Increases when the role, the status or the validity of tokens changes, so that every node notices.
    pub auth_version: i64,
    /// Increases when all tokens are revoked. Tokens with an earlier number are invalid.
    pub token_generation: i64,
    /// The time at which the rooms that the actor sees last changed. It grows with `auth_version`.
    pub access_changed_at: Timestamp,
    pub last_seen_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub deactivated_at: Option<Timestamp>,
}

impl Model {
    /// A new actor without any details.
    #[must_use]
    pub fn new(id: ActorId, organization_id: OrganizationId, actor_type: ActorType, now: Timestamp) -> Self {
        Self {
            id,
            organization_id,
            actor_type,
            role: None,
            name: None,
            folded_name: String::new(),
            public_name: None,
            external_id: None,
            attributes: Attributes::default(),
            page_url: None,
            page_title: None,
            auth_version: 1,
            token_generation: 0,
            access_changed_at: Timestamp(0),
            last_seen_at: None,
            created_at: now,
            deactivated_at: None,
        }
    }

    /// The page that the visitor is on.
    #[must_use]
    pub fn page(&self) -> Option<WebPage> {
        WebPage::of(self.page_url.as_ref(), self.page_title.as_ref())
    }

    /// Stores the page that the visitor is on.
    pub fn set_page(&mut self, page: WebPage) {
        (self.page_url, self.page_title) = (Some(page.url), page.title);
    }
}

/// Name and value pairs, in the order they were given. Clones share them, because an actor's row is cloned
/// for each of their messages in a page, and its attributes can be larger than all of those.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(from = "Vec<(String, String)>", into = "Vec<(String, String)>")]
pub struct Attributes(pub Arc<[(String, String)]>);

impl From<Vec<(String, String)>> for Attributes {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into())
    }
}

impl From<Attributes> for Vec<(String, String)> {
    fn from(attributes: Attributes) -> Self {
        attributes.0.to_vec()
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
