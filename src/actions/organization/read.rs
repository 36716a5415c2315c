//! Reads the organization.

use crate::actions::{Actions, Error, Result};
use crate::domain::viewer::Viewer;
use crate::store::organizations;
use entity::organization;

impl Actions {
    /// Reads the viewer's organization.
    pub async fn organization(&self, viewer: &Viewer) -> Result<organization::Model> {
        organizations::find(&self.0.store, viewer.organization_id)
            .await?
            .ok_or_else(|| Error::Failed("the viewer's organization is gone".into()))
    }

    /// Finds the organization with this name. For the command line: checks no permissions.
    pub async fn find_organization(
        &self,
        tenant_name: &str,
        instance_name: &str,
    ) -> Result<Option<organization::Model>> {
        Ok(organizations::find_by_names(&self.0.store, tenant_name, instance_name).await?)
    }

    /// Whether an organization exists.
    pub async fn has_organization(&self) -> Result<bool> {
        Ok(organizations::is_any(&self.0.store).await?)
    }
}
