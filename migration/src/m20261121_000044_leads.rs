//! Indexes that lead to what is listed of a person, in its order, and to long chats.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "DROP INDEX participation_by_activity",
    "CREATE INDEX participation_by_activity ON participation (actor_id, active_at, chat_id) WHERE ended_at IS NULL",
    "CREATE INDEX chat_long ON chat (organization_id, message_count) WHERE message_count >= 20",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CHANGES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("lists would be slow: restore a backup instead".into()))
    }
}
