//! Tags, and what the lists of a report are read by: each filter has an index in which the chats that it matches stand
//! in the order of their starts.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The tags themselves are the chat's; the table is where chats are found by one. Every index begins with the
/// organization, as every read does: of two that match, SQLite takes the one that more equalities lead into.
const CHANGES: &[&str] = &[
    "ALTER TABLE chat ADD COLUMN tags {json} NOT NULL DEFAULT '[]'",
    "CREATE TABLE chat_tag (
        organization_id {uuid} NOT NULL,
        tag text NOT NULL,
        started_at bigint NOT NULL,
        chat_id {uuid} NOT NULL REFERENCES chat (id),
        PRIMARY KEY (organization_id, tag, started_at, chat_id)
    ) {clustered}",
    "CREATE INDEX chat_tag_of_chat ON chat_tag (chat_id)",
    "DROP INDEX chat_of_room",
    "CREATE INDEX chat_of_room ON chat (organization_id, room_id, started_at, id)",
    "CREATE INDEX chat_of_room_by_end ON chat (organization_id, room_id, ended_at, id) WHERE ended_at IS NOT NULL",
    "DROP INDEX chat_of_visitor",
    "CREATE INDEX chat_of_visitor ON chat (organization_id, visitor_id, started_at, id)",
    "DROP INDEX chat_open_of_visitor",
    "CREATE INDEX chat_open_of_visitor ON chat (organization_id, visitor_id, room_id, active_at, id)
        WHERE ended_at IS NULL",
    "DROP INDEX chat_waiting",
    "CREATE INDEX chat_waiting ON chat (organization_id, room_id, waiting_since, id) WHERE waiting_since IS NOT NULL",
    "CREATE INDEX chat_waiting_by_start ON chat (organization_id, room_id, started_at, id)
        WHERE waiting_since IS NOT NULL",
    "CREATE INDEX chat_waiting_anywhere ON chat (organization_id, waiting_since, id)
        WHERE waiting_since IS NOT NULL",
    "CREATE INDEX chat_waiting_anywhere_by_start ON chat (organization_id, started_at, id)
        WHERE waiting_since IS NOT NULL",
    "CREATE INDEX chat_by_type ON chat (organization_id, type, started_at, id)",
    "CREATE INDEX chat_by_privacy ON chat (organization_id, is_private, started_at, id)",
    "CREATE INDEX chat_by_reality ON chat (organization_id, is_real, started_at, id)",
    "CREATE INDEX chat_open ON chat (organization_id, started_at, id) WHERE ended_at IS NULL",
];

/// Whether people really talk, kept by the database, so that no writer can forget it.
const IS_REAL: &str = "ALTER TABLE chat ADD COLUMN is_real boolean
    GENERATED ALWAYS AS (user_message_count >= 2 AND visitor_message_count >= 1)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_postgres = manager.get_connection().get_database_backend() == DbBackend::Postgres;
        // SQLite adds no stored column to a table that has rows; an index stores it all the same.
        let kept = if is_postgres { "STORED" } else { "VIRTUAL" };
        dialect::run(manager, &[&format!("{IS_REAL} {kept}")]).await?;
        dialect::run(manager, CHANGES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the tags would be lost: restore a backup instead".into()))
    }
}
