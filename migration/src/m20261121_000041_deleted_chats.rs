//! Deleted chats: marked, and kept for whoever audits the database.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "ALTER TABLE chat ADD COLUMN deleted_at bigint",
    "ALTER TABLE chat ADD COLUMN deleted_by {uuid} REFERENCES actor (id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CHANGES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("what is deleted would come back: restore a backup instead".into()))
    }
}
