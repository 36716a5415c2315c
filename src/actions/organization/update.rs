//! Changes the settings of an organization.

use crate::actions::{Actions, Error, Result};
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, organizations};
use entity::organization;

/// Changes to an organization. Absent fields stay as they are.
#[derive(Clone, Debug)]
pub struct UpdateOrganization {
    /// The organization's name.
    pub name: Option<String>,
    /// For how many minutes senders may edit and delete a message.
    pub edit_window_minutes: Option<i32>,
}

impl Actions {
    pub async fn update_organization(
        &self,
        viewer: &Viewer,
        input: UpdateOrganization,
    ) -> Result<organization::Model> {
        let permit = self.permit(viewer, Verb::ManageOrganization)?;
        Ok(permit.write(change, input).await?.value)
    }
}

async fn change(
    tx: &mut Tx,
    Viewer { organization_id, .. }: Viewer,
    input: UpdateOrganization,
) -> Result<organization::Model> {
    let UpdateOrganization { mut name, edit_window_minutes } = input;
    if let Some(name) = &mut name {
        text::name("name", name)?;
    }
    let (least, _, most) = limits::EDIT_WINDOW_MINUTES;
    if edit_window_minutes.is_some_and(|minutes| !(least..=most).contains(&minutes)) {
        let reason = "`editWindowMinutes` must be 0–525,600 (one year).";
        return Err(Refused::Invalid { field: "editWindowMinutes".into(), reason }.into());
    }
    organizations::lock(tx, organization_id).await?;
    let row = organizations::find(tx, organization_id).await?;
    let mut row = row.ok_or_else(|| Error::Failed("the viewer's organization is gone".into()))?;
    row.name = name.unwrap_or(row.name);
    row.edit_window_minutes = edit_window_minutes.unwrap_or(row.edit_window_minutes);
    organizations::update(tx, &row).await?;
    Ok(row)
}
