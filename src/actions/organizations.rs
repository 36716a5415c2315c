//! Organizations and rooms.

use super::{Actions, Result};
use crate::domain::viewer::Viewer;
use entity::{RoomId, actor, organization, room};

/// An organization with its first admin.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    pub tenant_name: String,
    pub instance_name: String,
    pub name: String,
    pub admin_name: String,
}

#[derive(Clone, Debug)]
pub struct CreateRoom {
    pub name: String,
}

#[derive(Clone, Debug)]
pub struct UpdateRoom {
    pub room_id: RoomId,
    pub name: Option<String>,
}

impl Actions {
    pub async fn create_organization(&self, _input: NewOrganization) -> Result<(organization::Model, actor::Model)> {
        todo!()
    }
    pub async fn create_room(&self, _viewer: &Viewer, _input: CreateRoom) -> Result<room::Model> {
        todo!()
    }
    pub async fn update_room(&self, _viewer: &Viewer, _input: UpdateRoom) -> Result<room::Model> {
        todo!()
    }
}
