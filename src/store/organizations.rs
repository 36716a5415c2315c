//! Organizations.

use super::changed::all_but_key;
use super::{Result, Rows, Tx};
use entity::{OrganizationId, organization};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};

pub async fn find(rows: &impl Rows, id: OrganizationId) -> Result<Option<organization::Model>> {
    Ok(organization::Entity::find_by_id(id).one(rows.connection()).await?)
}

/// Locks the organization until the transaction ends, so that its objects can be counted and added to. Other
/// work in it continues.
pub async fn lock(tx: &Tx, id: OrganizationId) -> Result<()> {
    organization::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx.connection()).await?;
    Ok(())
}

/// Finds the organization with these names.
pub async fn find_by_names(
    rows: &impl Rows,
    tenant_name: &str,
    instance_name: &str,
) -> Result<Option<organization::Model>> {
    Ok(organization::Entity::find()
        .filter(organization::Column::TenantName.eq(tenant_name))
        .filter(organization::Column::InstanceName.eq(instance_name))
        .one(rows.connection())
        .await?)
}

/// Whether the store has an organization.
pub async fn is_any(rows: &impl Rows) -> Result<bool> {
    Ok(organization::Entity::find().one(rows.connection()).await?.is_some())
}

pub async fn insert(tx: &Tx, row: &organization::Model) -> Result<()> {
    organization::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

pub async fn update(tx: &Tx, row: &organization::Model) -> Result<()> {
    organization::Entity::update_many()
        .set(all_but_key(row))
        .filter(organization::Column::Id.eq(row.id))
        .exec(tx.connection())
        .await?;
    Ok(())
}
