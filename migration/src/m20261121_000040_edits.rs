//! Messages that are edited and deleted: what a text was before, and for how long its sender may change it.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "ALTER TABLE organization ADD COLUMN edit_window_minutes integer NOT NULL DEFAULT 15",
    "ALTER TABLE message ADD COLUMN edited_at bigint",
    "ALTER TABLE message ADD COLUMN deleted_at bigint",
    "ALTER TABLE message ADD COLUMN sent_digest text",
    "CREATE TABLE message_revision (
        message_id {uuid} NOT NULL,
        number integer NOT NULL,
        text text NOT NULL,
        created_at bigint NOT NULL,
        PRIMARY KEY (message_id, number)
    ) {clustered}",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CHANGES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("what was deleted would come back empty: restore a backup instead".into()))
    }
}
