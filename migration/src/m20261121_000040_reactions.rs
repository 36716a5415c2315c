//! Reactions: one row for each emoji of each actor under each message.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["CREATE TABLE reaction (
    message_id {uuid} NOT NULL,
    emoji text NOT NULL,
    actor_id {uuid} NOT NULL REFERENCES actor (id),
    created_at bigint NOT NULL,
    PRIMARY KEY (message_id, emoji, actor_id)
) {clustered}"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, TABLES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("reactions would be lost: restore a backup instead".into()))
    }
}
