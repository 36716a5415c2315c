//! Chat sessions and the actors they are for.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "CREATE TABLE chat_session (
        id {uuid} PRIMARY KEY NOT NULL,
        chat_id {uuid} NOT NULL REFERENCES chat (id),
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        type text NOT NULL,
        state text NOT NULL,
        outcome text,
        title text,
        call_room text NOT NULL,
        created_at bigint NOT NULL,
        created_by {uuid} NOT NULL REFERENCES actor (id),
        scheduled_at bigint,
        started_at bigint,
        started_by {uuid} REFERENCES actor (id),
        accepted_at bigint,
        accepted_by {uuid} REFERENCES actor (id),
        accept_request_id text,
        rejected_at bigint,
        rejected_by {uuid} REFERENCES actor (id),
        reject_reason text,
        finished_at bigint,
        finished_by {uuid} REFERENCES actor (id),
        finish_reason text,
        rings_until bigint,
        changed_at bigint NOT NULL DEFAULT 0
    )",
    "CREATE UNIQUE INDEX chat_session_open ON chat_session (chat_id) WHERE state IN ('STARTED', 'ACCEPTED')",
    "CREATE INDEX chat_session_of_chat ON chat_session (chat_id, created_at, id)",
    "CREATE INDEX chat_session_by_organization ON chat_session (organization_id, created_at, id)",
    "CREATE INDEX chat_session_ringing ON chat_session (rings_until) WHERE state = 'STARTED'",
    "CREATE TABLE chat_session_participant (
        session_id {uuid} NOT NULL REFERENCES chat_session (id),
        actor_id {uuid} NOT NULL REFERENCES actor (id),
        PRIMARY KEY (session_id, actor_id)
    ) {clustered}",
    "CREATE INDEX chat_session_of_participant ON chat_session_participant (actor_id, session_id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, TABLES).await
    }
}
