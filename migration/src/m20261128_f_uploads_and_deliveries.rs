//! Upload quotas, and the answers of webhook receivers that do not use up an attempt.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "CREATE TABLE upload_usage (
        actor_id {uuid} PRIMARY KEY NOT NULL REFERENCES actor (id),
        since bigint NOT NULL,
        bytes bigint NOT NULL
    )",
    "CREATE INDEX attachment_bytes ON attachment (organization_id, size) WHERE size IS NOT NULL",
    "ALTER TABLE webhook_delivery ADD COLUMN deferrals integer NOT NULL DEFAULT 0",
    "ALTER TABLE webhook_delivery ADD COLUMN deferred_since bigint",
    // Attempts used to be counted when they began.
    "UPDATE webhook_delivery SET attempts = attempts - 1 WHERE lease IS NOT NULL AND attempts > 0",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CHANGES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("quotas would start over: restore a backup instead".into()))
    }
}
