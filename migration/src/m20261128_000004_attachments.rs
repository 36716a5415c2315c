//! Attachments (files, links and contacts), and the upload quotas.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "CREATE TABLE attachment (
        id {uuid} PRIMARY KEY NOT NULL,
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        chat_id {uuid} NOT NULL REFERENCES chat (id),
        creator_id {uuid} NOT NULL REFERENCES actor (id),
        message_id {uuid} REFERENCES message (id),
        position integer NOT NULL,
        kind text NOT NULL,
        name text,
        media_type text,
        size bigint,
        object {uuid},
        width integer,
        height integer,
        preview_type text,
        url text,
        actor_id {uuid} REFERENCES actor (id),
        address text,
        created_at bigint NOT NULL,
        removed_at bigint
    )",
    "CREATE INDEX attachment_of_message ON attachment (message_id, position) WHERE message_id IS NOT NULL",
    "CREATE INDEX attachment_unsent ON attachment (created_at) WHERE message_id IS NULL",
    "CREATE INDEX attachment_unsent_of_creator ON attachment (creator_id) WHERE message_id IS NULL",
    "CREATE INDEX attachment_removed ON attachment (removed_at) WHERE removed_at IS NOT NULL",
    "CREATE INDEX attachment_bytes ON attachment (organization_id, size) WHERE size IS NOT NULL",
    "CREATE TABLE upload_usage (
        actor_id {uuid} PRIMARY KEY NOT NULL REFERENCES actor (id),
        since bigint NOT NULL,
        bytes bigint NOT NULL
    )",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, TABLES).await
    }
}
