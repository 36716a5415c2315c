//! Notes among colleagues: messages that visitors must not learn of, and so a chat's changes in the order in which the
//! organization's people learn of them.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "ALTER TABLE message ADD COLUMN is_internal boolean NOT NULL DEFAULT false",
    "ALTER TABLE message_text ADD COLUMN is_internal boolean NOT NULL DEFAULT false",
    "CREATE INDEX chat_by_log ON chat (organization_id, logged_at, id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CHANGES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("visitors would read what is not for them: restore a backup instead".into()))
    }
}
