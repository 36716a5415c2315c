//! The first tables: organizations, rooms, actors, chats with their logs, and sessions.
//!
//! Ids are UUIDs, times are milliseconds since the Unix epoch, enums are text.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "CREATE TABLE store_meta (
        name text PRIMARY KEY NOT NULL,
        value text NOT NULL
    )",
    "CREATE TABLE organization (
        id {uuid} PRIMARY KEY NOT NULL,
        tenant_name text NOT NULL,
        instance_name text NOT NULL,
        name text NOT NULL,
        created_at bigint NOT NULL,
        UNIQUE (tenant_name, instance_name)
    )",
    "CREATE TABLE room (
        id {uuid} PRIMARY KEY NOT NULL,
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        name text NOT NULL,
        created_at bigint NOT NULL
    )",
    "CREATE INDEX room_by_organization ON room (organization_id, created_at, id)",
    "CREATE TABLE actor (
        id {uuid} PRIMARY KEY NOT NULL,
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        type text NOT NULL,
        role text,
        name text,
        public_name text,
        external_id text,
        attributes {json} NOT NULL,
        auth_version bigint NOT NULL,
        last_seen_at bigint,
        created_at bigint NOT NULL,
        deactivated_at bigint,
        UNIQUE (organization_id, type, external_id)
    )",
    "CREATE INDEX actor_by_organization ON actor (organization_id, type, created_at, id)",
    "CREATE TABLE chat (
        id {uuid} PRIMARY KEY NOT NULL,
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        type text NOT NULL,
        room_id {uuid} REFERENCES room (id),
        visitor_id {uuid} REFERENCES actor (id),
        owner_id {uuid} REFERENCES actor (id),
        pair_key text,
        name text,
        detail text,
        token text NOT NULL,
        is_private boolean NOT NULL,
        last_sequence bigint NOT NULL,
        logged_at bigint NOT NULL,
        started_at bigint NOT NULL,
        ended_at bigint,
        updated_at bigint NOT NULL,
        waiting_since bigint,
        active_at bigint NOT NULL,
        last_message_sequence bigint,
        message_count integer NOT NULL,
        user_message_count integer NOT NULL,
        visitor_message_count integer NOT NULL,
        participation_count integer NOT NULL,
        user_participation_count integer NOT NULL,
        visitor_participation_count integer NOT NULL,
        present_user_count integer NOT NULL,
        UNIQUE (organization_id, pair_key)
    )",
    "CREATE INDEX chat_by_start ON chat (organization_id, started_at, id)",
    "CREATE INDEX chat_by_update ON chat (organization_id, updated_at, id)",
    "CREATE INDEX chat_by_end ON chat (organization_id, ended_at, id) WHERE ended_at IS NOT NULL",
    "CREATE INDEX chat_by_activity ON chat (organization_id, active_at, id)",
    "CREATE INDEX chat_of_room ON chat (room_id, started_at, id)",
    "CREATE INDEX chat_waiting ON chat (room_id, waiting_since, id) WHERE waiting_since IS NOT NULL",
    "CREATE INDEX chat_of_visitor ON chat (visitor_id, started_at, id)",
    "CREATE TABLE event (
        chat_id {uuid} NOT NULL REFERENCES chat (id),
        sequence bigint NOT NULL,
        kind text NOT NULL,
        subject_id {uuid} NOT NULL,
        actor_id {uuid},
        audience text NOT NULL,
        created_at bigint NOT NULL,
        PRIMARY KEY (chat_id, sequence)
    ) {clustered}",
    "CREATE INDEX event_by_time ON event (created_at)",
    "CREATE TABLE message (
        chat_id {uuid} NOT NULL REFERENCES chat (id),
        sequence bigint NOT NULL,
        id {uuid} NOT NULL UNIQUE,
        type text NOT NULL,
        sender_id {uuid} REFERENCES actor (id),
        text text,
        external_id text NOT NULL,
        created_at bigint NOT NULL,
        session_id {uuid},
        session_state text,
        PRIMARY KEY (chat_id, sequence),
        UNIQUE (chat_id, sender_id, external_id)
    ) {clustered}",
    "CREATE TABLE presence (
        id {uuid} PRIMARY KEY NOT NULL,
        chat_id {uuid} NOT NULL REFERENCES chat (id),
        user_id {uuid} NOT NULL REFERENCES actor (id),
        created_at bigint NOT NULL,
        last_seen_at bigint NOT NULL,
        expires_at bigint NOT NULL,
        ended_at bigint,
        end_reason text
    )",
    "CREATE UNIQUE INDEX presence_now ON presence (chat_id, user_id) WHERE ended_at IS NULL",
    "CREATE INDEX presence_of_chat ON presence (chat_id, created_at, id)",
    "CREATE INDEX presence_of_user ON presence (user_id) WHERE ended_at IS NULL",
    "CREATE INDEX presence_by_expiry ON presence (expires_at) WHERE ended_at IS NULL",
    "CREATE TABLE participation (
        id {uuid} PRIMARY KEY NOT NULL,
        chat_id {uuid} NOT NULL REFERENCES chat (id),
        actor_id {uuid} NOT NULL REFERENCES actor (id),
        actor_type text NOT NULL,
        created_at bigint NOT NULL,
        ended_at bigint,
        is_counted boolean NOT NULL,
        message_count integer NOT NULL,
        first_message_at bigint,
        last_read_sequence bigint NOT NULL,
        last_read_at bigint,
        updated_at bigint NOT NULL,
        UNIQUE (actor_id, chat_id)
    )",
    "CREATE INDEX participation_of_chat ON participation (chat_id, created_at, id)",
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
        rings_until bigint
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
    "CREATE TABLE request (
        caller_id {uuid} NOT NULL REFERENCES actor (id),
        request_id text NOT NULL,
        kind text NOT NULL,
        subject_id {uuid} NOT NULL,
        digest text NOT NULL,
        created_at bigint NOT NULL,
        PRIMARY KEY (caller_id, request_id)
    ) {clustered}",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, TABLES).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the first tables are not taken away: restore a backup instead".into()))
    }
}
