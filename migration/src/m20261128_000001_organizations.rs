//! Organizations with their rooms, people and sign-ins.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    // Metadata of the whole store.
    "CREATE TABLE store_meta (
        name text PRIMARY KEY NOT NULL,
        value text NOT NULL
    )",
    "CREATE TABLE organization (
        id {uuid} PRIMARY KEY NOT NULL,
        tenant_name text NOT NULL,
        instance_name text NOT NULL,
        name text NOT NULL,
        edit_window_minutes integer NOT NULL DEFAULT 15,
        created_at bigint NOT NULL,
        UNIQUE (tenant_name, instance_name)
    )",
    "CREATE TABLE room (
        id {uuid} PRIMARY KEY NOT NULL,
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        name text NOT NULL,
        resume_window_minutes integer NOT NULL DEFAULT 30,
        end_after_idle_minutes integer NOT NULL DEFAULT 0,
        widget_key text NOT NULL DEFAULT '',
        identity_secret text NOT NULL DEFAULT '',
        allowed_origins {json} NOT NULL DEFAULT '[]',
        created_at bigint NOT NULL
    )",
    "CREATE INDEX room_by_organization ON room (organization_id, created_at, id)",
    "CREATE INDEX room_that_ends_chats ON room (id) WHERE end_after_idle_minutes > 0",
    "CREATE UNIQUE INDEX room_by_widget_key ON room (widget_key)",
    // The allowed origins, indexed to find rooms by origin.
    "CREATE TABLE room_origin (
        origin text NOT NULL,
        room_id {uuid} NOT NULL REFERENCES room (id),
        PRIMARY KEY (origin, room_id)
    ) {clustered}",
    "CREATE INDEX room_origin_of_room ON room_origin (room_id)",
    "CREATE TABLE actor (
        id {uuid} PRIMARY KEY NOT NULL,
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        type text NOT NULL,
        role text,
        name text,
        folded_name text NOT NULL DEFAULT '',
        public_name text,
        external_id text,
        attributes {json} NOT NULL,
        page_url text,
        page_title text,
        auth_version bigint NOT NULL,
        token_generation bigint NOT NULL DEFAULT 0,
        last_seen_at bigint,
        created_at bigint NOT NULL,
        deactivated_at bigint,
        UNIQUE (organization_id, type, external_id)
    )",
    "CREATE INDEX actor_by_organization ON actor (organization_id, type, created_at, id)",
    "CREATE TABLE sign_in (
        id {uuid} PRIMARY KEY NOT NULL,
        actor_id {uuid} NOT NULL REFERENCES actor (id),
        created_at bigint NOT NULL,
        expires_at bigint NOT NULL,
        revoked_at bigint
    )",
    "CREATE INDEX sign_in_of_actor ON sign_in (actor_id)",
    "CREATE INDEX sign_in_by_end ON sign_in (expires_at)",
    "CREATE TABLE refresh_token (
        hash text PRIMARY KEY NOT NULL,
        sign_in_id {uuid} NOT NULL REFERENCES sign_in (id),
        expires_at bigint NOT NULL,
        used_at bigint
    )",
    "CREATE INDEX refresh_token_of_sign_in ON refresh_token (sign_in_id)",
    "CREATE INDEX refresh_token_by_end ON refresh_token (expires_at)",
    // The `requestId`s of mutations, so that a retry changes nothing.
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
}
