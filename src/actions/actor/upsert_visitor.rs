//! Creates or changes visitors by their external id.

use super::add::{insert, new_actor};
use crate::actions::{Actions, Error, Result};
use crate::domain::field_path::FieldPath;
use crate::domain::policy::Verb;
use crate::domain::refused::Refused;
use crate::domain::viewer::Viewer;
use crate::domain::{limits, text};
use crate::store::{Tx, actors};
use entity::{ActorType, OrganizationId, actor};

/// A visitor to create or change.
#[derive(Clone, Debug)]
pub struct UpsertVisitor {
    /// The visitor's id in the organization's own systems; unique among its visitors.
    pub external_id: String,
    /// `None` keeps the name, `Some(None)` removes it.
    pub display_name: Option<Option<String>>,
    /// Replaces all attributes if present.
    pub attributes: Option<Vec<(String, String)>>,
}

impl Actions {
    /// Creates or changes the visitor with this external id.
    pub async fn upsert_visitor(&self, viewer: &Viewer, input: UpsertVisitor) -> Result<actor::Model> {
        let permit = self.permit(viewer, Verb::UpsertVisitor)?;
        match permit.write(upsert_for, input.clone()).await {
            // Concurrent calls created the same visitor: the second call finds the visitor of the first.
            Err(Error::Refused(Refused::Conflict { .. })) => Ok(permit.write(upsert_for, input).await?.value),
            other => Ok(other?.value),
        }
    }
}

async fn upsert_for(tx: &mut Tx, viewer: Viewer, input: UpsertVisitor) -> Result<actor::Model> {
    upsert(tx, viewer.organization_id, input).await
}

/// Creates or changes the visitor, and leaves their row locked.
pub(in crate::actions) async fn upsert(
    tx: &mut Tx,
    organization_id: OrganizationId,
    input: UpsertVisitor,
) -> Result<actor::Model> {
    let UpsertVisitor { external_id, mut display_name, mut attributes } = input;
    text::external_id("externalId", &external_id)?;
    if let Some(Some(display_name)) = &mut display_name {
        text::name("displayName", display_name)?;
    }
    if let Some(attributes) = &mut attributes {
        check_attributes("attributes", attributes)?;
    }
    let known = actors::find_by_external_id(tx, organization_id, ActorType::Visitor, &external_id).await?;
    // Read again under the lock, so that a concurrent change is not overwritten.
    let found = match known {
        Some(known) => actors::lock_in_organization(tx, organization_id, &[known.id]).await?.pop(),
        None => None,
    };
    let is_new = found.is_none();
    let mut row = found.unwrap_or_else(|| new_actor(tx, organization_id, ActorType::Visitor));
    if let Some(display_name) = display_name {
        row.name = display_name;
    }
    if let Some(attributes) = attributes {
        row.attributes = attributes.into();
    }
    row.external_id = Some(external_id);
    if is_new {
        return insert(tx, row).await;
    }
    actors::update(tx, &row).await?;
    Ok(row)
}

/// Checks the attributes that an organization sets on a visitor.
pub(in crate::actions) fn check_attributes(
    field: impl Into<FieldPath>,
    attributes: &mut [(String, String)],
) -> std::result::Result<(), Refused> {
    let field = field.into();
    if attributes.len() > limits::ATTRIBUTES {
        return Err(Refused::TooMany { field, limit: limits::ATTRIBUTES });
    }
    for (index, (name, value)) in attributes.iter_mut().enumerate() {
        text::name(field.item(index).field("name"), name)?;
        text::note(field.item(index).field("value"), value, limits::DETAIL)?;
    }
    for (index, (name, _)) in attributes.iter().enumerate() {
        if attributes[..index].iter().any(|(other, _)| other == name) {
            let reason = "Each attribute must have a unique name.";
            return Err(Refused::Invalid { field: field.item(index).field("name"), reason });
        }
    }
    Ok(())
}
