//! Users and visitors.

use super::{Actions, Result};
use crate::domain::viewer::Viewer;
use entity::{ActorId, UserRole, actor};

#[derive(Clone, Debug)]
pub struct CreateUser {
    pub name: String,
    /// The name itself, where it is not given.
    pub public_name: Option<String>,
    pub role: UserRole,
    pub external_id: Option<String>,
}

#[derive(Clone, Debug)]
pub struct UpdateUser {
    pub user_id: ActorId,
    pub name: Option<String>,
    pub public_name: Option<String>,
    pub role: Option<UserRole>,
    pub is_active: Option<bool>,
}

#[derive(Clone, Debug)]
pub struct UpsertVisitor {
    pub external_id: String,
    /// `None` leaves it, `Some(None)` takes it away.
    pub display_name: Option<Option<String>>,
    /// Replaces all attributes, where given.
    pub attributes: Option<Vec<(String, String)>>,
}

impl Actions {
    pub async fn create_user(&self, _viewer: &Viewer, _input: CreateUser) -> Result<actor::Model> {
        todo!()
    }
    pub async fn update_user(&self, _viewer: &Viewer, _input: UpdateUser) -> Result<actor::Model> {
        todo!()
    }
    pub async fn upsert_visitor(&self, _viewer: &Viewer, _input: UpsertVisitor) -> Result<actor::Model> {
        todo!()
    }
}
