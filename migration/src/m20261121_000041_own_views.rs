//! What a participant makes of a chat for themself, and the order of their list.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "ALTER TABLE participation ADD COLUMN name text",
    "ALTER TABLE participation ADD COLUMN detail text",
    "ALTER TABLE participation ADD COLUMN hidden_sequence bigint",
    "ALTER TABLE participation ADD COLUMN viewed_at bigint",
    "ALTER TABLE participation ADD COLUMN active_at bigint NOT NULL DEFAULT 0",
    "UPDATE participation SET active_at = (SELECT chat.active_at FROM chat WHERE chat.id = participation.chat_id)",
    "CREATE INDEX participation_by_activity ON participation (actor_id, active_at, id) WHERE ended_at IS NULL",
    "CREATE INDEX participation_viewed ON participation (actor_id, viewed_at) WHERE viewed_at IS NOT NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CHANGES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("everybody's own names would be lost: restore a backup instead".into()))
    }
}
