//! Where visitors are: the page of each, what chats keep of it, and for how long a room takes a chat for a recent
//! or for a living one.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "ALTER TABLE room ADD COLUMN resume_window_minutes integer NOT NULL DEFAULT 30",
    "ALTER TABLE room ADD COLUMN end_after_idle_minutes integer NOT NULL DEFAULT 0",
    "ALTER TABLE actor ADD COLUMN page_url text",
    "ALTER TABLE actor ADD COLUMN page_title text",
    "ALTER TABLE chat ADD COLUMN is_autosuggested boolean NOT NULL DEFAULT false",
    "ALTER TABLE chat ADD COLUMN first_visitor_message_url text",
    "ALTER TABLE chat ADD COLUMN first_visitor_message_title text",
    "ALTER TABLE chat ADD COLUMN autosuggest_url text",
    "ALTER TABLE chat ADD COLUMN autosuggest_title text",
    "CREATE INDEX chat_open_of_visitor ON chat (visitor_id, active_at, id) WHERE ended_at IS NULL",
    "CREATE INDEX chat_idle ON chat (room_id, logged_at, id) WHERE ended_at IS NULL",
    "CREATE INDEX room_that_ends_chats ON room (id) WHERE end_after_idle_minutes > 0",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CHANGES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("where visitors were would be lost: restore a backup instead".into()))
    }
}
