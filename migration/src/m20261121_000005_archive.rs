//! Archived messages: one mark on the chat, so that archiving a long history rewrites nothing.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "ALTER TABLE chat ADD COLUMN archived_sequence bigint NOT NULL DEFAULT 0",
    "ALTER TABLE chat ADD COLUMN archived_at bigint",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CHANGES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("what is archived would come back: restore a backup instead".into()))
    }
}
