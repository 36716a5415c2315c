//! When a session last changed, so that who comes back is told of it.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "ALTER TABLE chat_session ADD COLUMN changed_at bigint NOT NULL DEFAULT 0",
    "UPDATE chat_session
        SET changed_at = coalesce(finished_at, rejected_at, accepted_at, started_at, created_at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CHANGES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("when sessions changed would be lost: restore a backup instead".into()))
    }
}
