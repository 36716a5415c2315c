//! Webhooks: the receivers of an event, and those with due deliveries.

use super::changed::all_but_key;
use super::keyset::{self, Sorting};
use super::{Result, Rows, Tx};
use crate::domain::page::{Page, PageRequest};
use entity::{OrganizationId, Timestamp, WebhookId, webhook, webhook_delivery};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

/// Finds a webhook of the organization.
pub async fn find_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    id: WebhookId,
) -> Result<Option<webhook::Model>> {
    Ok(find_many_in_organization(rows, organization_id, &[id]).await?.pop())
}

/// Finds webhooks of the organization.
pub async fn find_many_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    ids: &[WebhookId],
) -> Result<Vec<webhook::Model>> {
    Ok(all_in_organization(organization_id)
        .filter(webhook::Column::Id.is_in(ids.iter().copied()))
        .all(rows.connection())
        .await?)
}

/// Lists the organization's webhooks, oldest first.
pub async fn list_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    page: &PageRequest,
) -> Result<Page<webhook::Model>> {
    let sorting = Sorting::ascending(webhook::Column::CreatedAt, webhook::Column::Id);
    keyset::page(rows, all_in_organization(organization_id), sorting, page).await
}

/// Counts the organization's webhooks.
pub async fn count_in_organization(rows: &impl Rows, organization_id: OrganizationId) -> Result<u64> {
    Ok(all_in_organization(organization_id).count(rows.connection()).await?)
}

/// Lists the organization's enabled webhooks.
pub async fn list_enabled_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
) -> Result<Vec<webhook::Model>> {
    Ok(all_in_organization(organization_id)
        .filter(webhook::Column::IsEnabled.eq(true))
        .order_by_asc(webhook::Column::Id)
        .all(rows.connection())
        .await?)
}

/// Locks a webhook of the organization. Changes to a webhook and its deliveries require this lock; adding
/// deliveries does not.
pub async fn lock_in_organization(
    tx: &Tx,
    organization_id: OrganizationId,
    id: WebhookId,
) -> Result<Option<webhook::Model>> {
    Ok(all_in_organization(organization_id)
        .filter(webhook::Column::Id.eq(id))
        .lock(LockType::NoKeyUpdate)
        .one(tx.connection())
        .await?)
}

/// Locks a webhook of any organization, even a deleted one. For the delivery worker.
pub async fn lock_any(tx: &Tx, id: WebhookId) -> Result<Option<webhook::Model>> {
    Ok(webhook::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx.connection()).await?)
}

/// Lists up to `limit` webhooks of all organizations with pending work, ordered by id, starting after
/// `after`. An enabled webhook has a due delivery and is not deferred; a disabled one has deliveries to
/// abandon. Each takes one index lookup, however many deliveries it has.
pub async fn list_due(
    rows: &impl Rows,
    now: Timestamp,
    after: Option<WebhookId>,
    limit: u64,
) -> Result<Vec<webhook::Model>> {
    let next_attempt_at = || Expr::col((webhook_delivery::Entity, webhook_delivery::Column::NextAttemptAt));
    let at_peace =
        Condition::any().add(webhook::Column::ResumeAt.is_null()).add(webhook::Column::ResumeAt.lte(now));
    let to_do = Condition::all()
        .add(webhook::Column::IsEnabled.eq(true))
        .add(at_peace)
        .add(has_delivery(next_attempt_at().lte(now.0)));
    let to_give_up = Condition::all()
        .add(webhook::Column::IsEnabled.eq(false))
        .add(has_delivery(next_attempt_at().is_not_null()));
    let mut list = webhook::Entity::find().filter(Condition::any().add(to_do).add(to_give_up));
    if let Some(after) = after {
        list = list.filter(webhook::Column::Id.gt(after));
    }
    Ok(list.order_by_asc(webhook::Column::Id).limit(limit).all(rows.connection()).await?)
}

fn has_delivery(which: Expr) -> Expr {
    let is_of_it = Expr::col((webhook_delivery::Entity, webhook_delivery::Column::WebhookId))
        .equals((webhook::Entity, webhook::Column::Id));
    let found = Query::select()
        .expr(Expr::val(1))
        .from(webhook_delivery::Entity)
        .and_where(is_of_it)
        .and_where(which)
        .to_owned();
    Expr::exists(found)
}

/// Lists up to `limit` webhooks of all organizations that were deleted before a moment.
pub async fn list_deleted(rows: &impl Rows, before: Timestamp, limit: u64) -> Result<Vec<webhook::Model>> {
    Ok(webhook::Entity::find()
        .filter(webhook::Column::DeletedAt.lt(before))
        .limit(limit)
        .all(rows.connection())
        .await?)
}

pub async fn insert(tx: &Tx, row: &webhook::Model) -> Result<()> {
    webhook::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.connection()).await?;
    Ok(())
}

pub async fn update(tx: &Tx, row: &webhook::Model) -> Result<()> {
    webhook::Entity::update_many()
        .set(all_but_key(row))
        .filter(webhook::Column::Id.eq(row.id))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Removes a deleted webhook, whose deliveries are gone already.
pub async fn remove(tx: &Tx, id: WebhookId) -> Result<()> {
    webhook::Entity::delete_by_id(id).exec(tx.connection()).await?;
    Ok(())
}

fn all_in_organization(organization_id: OrganizationId) -> Select<webhook::Entity> {
    webhook::Entity::find()
        .filter(webhook::Column::OrganizationId.eq(organization_id))
        .filter(webhook::Column::DeletedAt.is_null())
}
