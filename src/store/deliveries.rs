//! Webhook deliveries: pending, delivered and failed.

use super::changed::all_but_key;
use super::keyset::{self, Sorting};
use super::{Result, Rows, Tx};
use crate::domain::page::{Page, PageRequest};
use entity::{
    OrganizationId, Timestamp, WebhookDeliveryId, WebhookDeliveryState, WebhookId, webhook, webhook_delivery,
};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

/// The deliveries to claim, and the lease.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    pub webhook_id: WebhookId,
    /// The current time, at which the deliveries must be due.
    pub now: Timestamp,
    /// The end of the lease.
    pub until: Timestamp,
    /// The id of the lease.
    pub lease: Uuid,
    /// The maximum number of deliveries.
    pub limit: u64,
}

/// Finds a delivery of the organization whose webhook still exists.
pub async fn find_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    id: WebhookDeliveryId,
) -> Result<Option<webhook_delivery::Model>> {
    Ok(find_many_in_organization(rows, organization_id, &[id]).await?.pop())
}

/// Finds deliveries of the organization whose webhooks still exist.
pub async fn find_many_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    ids: &[WebhookDeliveryId],
) -> Result<Vec<webhook_delivery::Model>> {
    let there = webhook::Entity::find()
        .select_only()
        .column(webhook::Column::Id)
        .filter(webhook::Column::OrganizationId.eq(organization_id))
        .filter(webhook::Column::DeletedAt.is_null())
        .into_query();
    Ok(webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::OrganizationId.eq(organization_id))
        .filter(webhook_delivery::Column::Id.is_in(ids.iter().copied()))
        .filter(webhook_delivery::Column::WebhookId.in_subquery(there))
        .all(rows.connection())
        .await?)
}

/// Lists the same page of deliveries for each webhook. The caller must check that the viewer
/// may see the webhooks.
pub async fn list_of_each(
    rows: &impl Rows,
    webhook_ids: &[WebhookId],
    states: Option<&[WebhookDeliveryState]>,
    is_descending: bool,
    page: &PageRequest,
) -> Result<Vec<Page<webhook_delivery::Model>>> {
    let lists = webhook_ids.iter().map(|webhook_id| {
        let list = of_webhook(*webhook_id);
        match states {
            Some(states) => list.filter(webhook_delivery::Column::State.is_in(states.iter().copied())),
            None => list,
        }
    });
    let sorting =
        Sorting::by(webhook_delivery::Column::CreatedAt, webhook_delivery::Column::Id, is_descending);
    let owner = |row: &webhook_delivery::Model| {
        webhook_ids.iter().position(|id| *id == row.webhook_id).unwrap_or(usize::MAX)
    };
    keyset::page_of_each(rows, lists.collect(), sorting, page, owner).await
}

pub async fn insert(tx: &Tx, rows: Vec<webhook_delivery::Model>) -> Result<()> {
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    webhook_delivery::Entity::insert_many(rows).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Claims due deliveries, the longest overdue first. Skips those that another node is claiming. The attempt
/// is counted when its outcome is written.
pub async fn claim(tx: &Tx, claim: Claim) -> Result<Vec<webhook_delivery::Model>> {
    let mut due = of_webhook(claim.webhook_id)
        .filter(webhook_delivery::Column::NextAttemptAt.lte(claim.now))
        .order_by_asc(webhook_delivery::Column::NextAttemptAt)
        .order_by_asc(webhook_delivery::Column::Id)
        .limit(claim.limit)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .all(tx.connection())
        .await?;
    if due.is_empty() {
        return Ok(due);
    }
    webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::NextAttemptAt, Expr::value(Some(claim.until)))
        .col_expr(webhook_delivery::Column::Lease, Expr::value(Some(claim.lease)))
        .col_expr(webhook_delivery::Column::LastStatus, Expr::value(None::<i32>))
        .col_expr(webhook_delivery::Column::LastError, Expr::value(None::<String>))
        .filter(webhook_delivery::Column::Id.is_in(due.iter().map(|row| row.id)))
        .exec(tx.connection())
        .await?;
    for row in &mut due {
        row.next_attempt_at = Some(claim.until);
        row.lease = Some(claim.lease);
        (row.last_status, row.last_error) = (None, None);
    }
    Ok(due)
}

pub async fn update(tx: &Tx, row: &webhook_delivery::Model) -> Result<()> {
    webhook_delivery::Entity::update_many()
        .set(all_but_key(row))
        .filter(webhook_delivery::Column::Id.eq(row.id))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Updates the row if the lease still holds. Returns whether it did.
pub async fn update_leased(tx: &Tx, row: &webhook_delivery::Model, lease: Uuid) -> Result<bool> {
    let updated = webhook_delivery::Entity::update_many()
        .set(all_but_key(row))
        .filter(webhook_delivery::Column::Id.eq(row.id))
        .filter(webhook_delivery::Column::Lease.eq(lease))
        .exec(tx.connection())
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Makes a delivery due now if the lease still holds, because its attempt was interrupted.
pub async fn release(tx: &Tx, id: WebhookDeliveryId, lease: Uuid, now: Timestamp) -> Result<()> {
    webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::NextAttemptAt, Expr::value(Some(now)))
        .col_expr(webhook_delivery::Column::Lease, Expr::value(None::<Uuid>))
        .filter(webhook_delivery::Column::Id.eq(id))
        .filter(webhook_delivery::Column::Lease.eq(lease))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Abandons up to `limit` pending deliveries of a webhook. Returns their number.
pub async fn give_up(tx: &Tx, webhook_id: WebhookId, why: &str, limit: u64) -> Result<u64> {
    let open = of_webhook(webhook_id)
        .filter(webhook_delivery::Column::NextAttemptAt.is_not_null())
        .select_only()
        .column(webhook_delivery::Column::Id)
        .order_by_asc(webhook_delivery::Column::NextAttemptAt)
        .limit(limit)
        .into_query();
    let given_up = webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::State, Expr::value(WebhookDeliveryState::Failed))
        .col_expr(webhook_delivery::Column::NextAttemptAt, Expr::value(None::<i64>))
        .col_expr(webhook_delivery::Column::Lease, Expr::value(None::<Uuid>))
        .col_expr(webhook_delivery::Column::LastError, Expr::value(why))
        .filter(webhook_delivery::Column::Id.in_subquery(open))
        .exec(tx.connection())
        .await?;
    Ok(given_up.rows_affected)
}

/// Makes all leased deliveries due, because the server that attempted them has stopped. Only for a database
/// that a single server uses.
pub async fn end_leases(tx: &Tx, now: Timestamp) -> Result<()> {
    webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::NextAttemptAt, Expr::value(Some(now)))
        .col_expr(webhook_delivery::Column::Lease, Expr::value(None::<Uuid>))
        .filter(webhook_delivery::Column::Lease.is_not_null())
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Deletes up to `limit` delivered or abandoned deliveries that are older than a moment. Returns their
/// number.
pub async fn forget_before(tx: &Tx, before: Timestamp, limit: u64) -> Result<u64> {
    let old = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::NextAttemptAt.is_null())
        .filter(webhook_delivery::Column::CreatedAt.lt(before));
    forget(tx, old, limit).await
}

/// Deletes up to `limit` deliveries of a webhook. Returns their number.
pub async fn forget_webhook(tx: &Tx, webhook_id: WebhookId, limit: u64) -> Result<u64> {
    forget(tx, of_webhook(webhook_id), limit).await
}

async fn forget(tx: &Tx, which: Select<webhook_delivery::Entity>, limit: u64) -> Result<u64> {
    let ids = which.select_only().column(webhook_delivery::Column::Id).limit(limit).into_query();
    let deleted = webhook_delivery::Entity::delete_many()
        .filter(webhook_delivery::Column::Id.in_subquery(ids))
        .exec(tx.connection())
        .await?;
    Ok(deleted.rows_affected)
}

fn of_webhook(webhook_id: WebhookId) -> Select<webhook_delivery::Entity> {
    webhook_delivery::Entity::find().filter(webhook_delivery::Column::WebhookId.eq(webhook_id))
}
