//! Changing the organization.

use super::super::caller::caller;
use super::super::error::Result;
use super::super::id::Halt;
use super::super::payload::{UserErrors, settle};
use super::Organization;
use crate::actions::UpdateOrganization;
use async_graphql::{Context, InputObject, Object, SimpleObject};

/// Changes to the viewer's organization. Absent fields are unchanged.
#[derive(InputObject)]
struct UpdateOrganizationInput {
    /// The name of the organization: 1–200 characters.
    name: Option<String>,
    /// The number of minutes in which senders can edit and delete their messages, 0–525,600 (one year). 0:
    /// they cannot.
    edit_window_minutes: Option<i32>,
}

/// The result of `updateOrganization`.
#[derive(SimpleObject)]
struct UpdateOrganizationPayload {
    /// The current state of the organization.
    organization: Option<Organization>,
    /// Errors that prevented the mutation. Empty on success.
    user_errors: UserErrors,
}

#[derive(Default)]
pub(in crate::graphql) struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Updates the viewer's organization. For admins.
    async fn update_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes to the organization.")] input: UpdateOrganizationInput,
    ) -> Result<Option<UpdateOrganizationPayload>> {
        let caller = caller(context)?;
        let UpdateOrganizationInput { name, edit_window_minutes } = input;
        let input = UpdateOrganization { name, edit_window_minutes };
        let updated = caller.actions.update_organization(&caller.viewer, input).await;
        let (row, user_errors) = settle(updated.map_err(Halt::from))?;
        let organization = match row {
            Some(row) => Organization(row),
            None => Organization::of_viewer(context).await?,
        };
        Ok(Some(UpdateOrganizationPayload { organization: Some(organization), user_errors }))
    }
}
