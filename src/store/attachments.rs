//! Attachments: uploads, attachments of messages, and files to delete.

use super::changed::all_but_key;
use super::{Result, Rows, Tx};
use entity::{
    ActorId, AttachmentId, AttachmentKind, ChatId, MessageId, OrganizationId, Timestamp, attachment, chat,
};
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
};

/// The uploader and the chat whose uploads can be attached.
#[derive(Clone, Copy, Debug)]
pub struct Uploads {
    pub organization_id: OrganizationId,
    /// The chat that the uploads were created for.
    pub chat_id: ChatId,
    /// The uploader.
    pub creator_id: ActorId,
}

/// Finds a file of any organization, unless it or its chat was removed. For signed links, which carry no
/// viewer.
pub async fn find_file(rows: &impl Rows, id: AttachmentId) -> Result<Option<attachment::Model>> {
    Ok(there()
        .filter(attachment::Column::Id.eq(id))
        .filter(attachment::Column::Kind.eq(AttachmentKind::File))
        .filter(of_chat_that_exists())
        .one(rows.connection())
        .await?)
}

/// Finds attachments of the organization. The caller must check that the viewer sees their messages.
pub async fn find_many_in_organization(
    rows: &impl Rows,
    organization_id: OrganizationId,
    ids: &[AttachmentId],
) -> Result<Vec<attachment::Model>> {
    Ok(there()
        .filter(attachment::Column::OrganizationId.eq(organization_id))
        .filter(attachment::Column::Id.is_in(ids.iter().copied()))
        .filter(of_chat_that_exists())
        .all(rows.connection())
        .await?)
}

/// Lists the attachments of each message, in their order.
pub async fn list_of_each(
    rows: &impl Rows,
    organization_id: OrganizationId,
    message_ids: &[MessageId],
) -> Result<Vec<attachment::Model>> {
    Ok(there()
        .filter(attachment::Column::OrganizationId.eq(organization_id))
        .filter(attachment::Column::MessageId.is_in(message_ids.iter().copied()))
        .order_by_asc(attachment::Column::MessageId)
        .order_by_asc(attachment::Column::Position)
        .all(rows.connection())
        .await?)
}

/// The number of bytes of the organization's files, stored or granted, that were not removed yet.
pub async fn sum_of_organization(rows: &impl Rows, organization_id: OrganizationId) -> Result<u64> {
    let sum: Option<Option<i64>> = attachment::Entity::find()
        .select_only()
        .expr(Expr::col(attachment::Column::Size).sum().cast_as("bigint"))
        .filter(attachment::Column::OrganizationId.eq(organization_id))
        .filter(attachment::Column::Size.is_not_null())
        .into_tuple()
        .one(rows.connection())
        .await?;
    Ok(sum.flatten().and_then(|sum| u64::try_from(sum).ok()).unwrap_or_default())
}

/// Counts the actor's uploads that were not sent.
pub async fn count_unsent(rows: &impl Rows, creator_id: ActorId) -> Result<u64> {
    Ok(unsent().filter(attachment::Column::CreatorId.eq(creator_id)).count(rows.connection()).await?)
}

pub async fn insert(tx: &Tx, rows: Vec<attachment::Model>) -> Result<()> {
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    attachment::Entity::insert_many(rows).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Records that the bytes of an upload have arrived, unless they had before or it was removed. Returns
/// whether it did.
pub async fn complete(tx: &Tx, row: &attachment::Model) -> Result<bool> {
    let updated = attachment::Entity::update_many()
        .set(all_but_key(row))
        .filter(attachment::Column::Id.eq(row.id))
        .filter(attachment::Column::Object.is_null())
        .filter(attachment::Column::RemovedAt.is_null())
        .exec(tx.connection())
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Attaches an upload to a message if it is one of `uploads`, complete and unsent. Returns whether it did.
pub async fn attach(
    tx: &Tx,
    uploads: Uploads,
    id: AttachmentId,
    message_id: MessageId,
    position: i32,
) -> Result<bool> {
    let Uploads { organization_id, chat_id, creator_id } = uploads;
    let updated = attachment::Entity::update_many()
        .col_expr(attachment::Column::MessageId, Expr::value(Some(message_id)))
        .col_expr(attachment::Column::Position, Expr::value(position))
        .filter(attachment::Column::Id.eq(id))
        .filter(attachment::Column::OrganizationId.eq(organization_id))
        .filter(attachment::Column::ChatId.eq(chat_id))
        .filter(attachment::Column::CreatorId.eq(creator_id))
        .filter(attachment::Column::MessageId.is_null())
        .filter(attachment::Column::Object.is_not_null())
        .filter(attachment::Column::RemovedAt.is_null())
        .exec(tx.connection())
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Lists up to `limit` unsent uploads of all organizations that were created before a moment.
pub async fn list_unsent(rows: &impl Rows, before: Timestamp, limit: u64) -> Result<Vec<attachment::Model>> {
    let list = unsent().filter(attachment::Column::CreatedAt.lt(before));
    Ok(list.order_by_asc(attachment::Column::CreatedAt).limit(limit).all(rows.connection()).await?)
}

/// Removes uploads that are still unsent.
pub async fn remove_unsent(tx: &Tx, ids: &[AttachmentId], at: Timestamp) -> Result<()> {
    attachment::Entity::update_many()
        .col_expr(attachment::Column::RemovedAt, Expr::value(Some(at)))
        .filter(attachment::Column::Id.is_in(ids.iter().copied()))
        .filter(attachment::Column::MessageId.is_null())
        .filter(attachment::Column::RemovedAt.is_null())
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Removes a message's attachments. Links to them stop working at once; their bytes are deleted later.
pub async fn remove_of_message(tx: &Tx, message_id: MessageId, at: Timestamp) -> Result<()> {
    attachment::Entity::update_many()
        .col_expr(attachment::Column::RemovedAt, Expr::value(Some(at)))
        .filter(attachment::Column::MessageId.eq(message_id))
        .filter(attachment::Column::RemovedAt.is_null())
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Lists up to `limit` removed attachments of all organizations whose bytes are still stored.
pub async fn list_removed(rows: &impl Rows, limit: u64) -> Result<Vec<attachment::Model>> {
    Ok(attachment::Entity::find()
        .filter(attachment::Column::RemovedAt.is_not_null())
        .order_by_asc(attachment::Column::RemovedAt)
        .limit(limit)
        .all(rows.connection())
        .await?)
}

/// Deletes the rows of removed attachments, whose bytes are gone.
pub async fn forget(tx: &Tx, ids: &[AttachmentId]) -> Result<()> {
    attachment::Entity::delete_many()
        .filter(attachment::Column::Id.is_in(ids.iter().copied()))
        .filter(attachment::Column::RemovedAt.is_not_null())
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// The attachment's chat is not deleted. Attachments of a deleted chat are stored, but exist for nobody.
fn of_chat_that_exists() -> SimpleExpr {
    let existing = chat::Entity::find()
        .select_only()
        .column(chat::Column::Id)
        .filter(
            Expr::col((chat::Entity, chat::Column::Id))
                .equals((attachment::Entity, attachment::Column::ChatId)),
        )
        .filter(chat::Column::DeletedAt.is_null())
        .into_query();
    Expr::exists(existing)
}

fn there() -> Select<attachment::Entity> {
    attachment::Entity::find().filter(attachment::Column::RemovedAt.is_null())
}

fn unsent() -> Select<attachment::Entity> {
    there().filter(attachment::Column::MessageId.is_null())
}
