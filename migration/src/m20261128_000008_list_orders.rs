//! Indexes for the orders in which sessions and a person's chats can be listed.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "CREATE INDEX chat_session_by_schedule ON chat_session (organization_id, scheduled_at, id)
        WHERE scheduled_at IS NOT NULL",
    "CREATE INDEX chat_session_of_chat_by_schedule ON chat_session (chat_id, scheduled_at, id)
        WHERE scheduled_at IS NOT NULL",
    "CREATE INDEX participation_by_creation ON participation (actor_id, created_at, id) WHERE ended_at IS NULL",
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
