//! Chats with their logs, participants, presences and tags.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Each filter of the chat lists has an index with the matching chats in the order of the list. All of these
/// begin with the organization, as every read does. If two indexes match, SQLite takes the one with more
/// columns compared for equality.
const TABLES: &[&str] = &[
    // `is_real` is generated, so that no writer can forget it.
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
        tags {json} NOT NULL DEFAULT '[]',
        is_private boolean NOT NULL,
        is_autosuggested boolean NOT NULL DEFAULT false,
        has_sales boolean NOT NULL DEFAULT false,
        is_real boolean GENERATED ALWAYS AS (user_message_count >= 2 AND visitor_message_count >= 1) {generated},
        first_visitor_message_url text,
        first_visitor_message_title text,
        autosuggest_url text,
        autosuggest_title text,
        last_sequence bigint NOT NULL,
        last_message_sequence bigint,
        archived_sequence bigint NOT NULL DEFAULT 0,
        message_count integer NOT NULL,
        user_message_count integer NOT NULL,
        visitor_message_count integer NOT NULL,
        participation_count integer NOT NULL,
        user_participation_count integer NOT NULL,
        visitor_participation_count integer NOT NULL,
        present_user_count integer NOT NULL,
        started_at bigint NOT NULL,
        waiting_since bigint,
        active_at bigint NOT NULL,
        logged_at bigint NOT NULL,
        updated_at bigint NOT NULL,
        archived_at bigint,
        ended_at bigint,
        deleted_at bigint,
        deleted_by {uuid} REFERENCES actor (id),
        UNIQUE (organization_id, pair_key)
    )",
    "CREATE INDEX chat_by_start ON chat (organization_id, started_at, id)",
    "CREATE INDEX chat_by_update ON chat (organization_id, updated_at, id)",
    "CREATE INDEX chat_by_activity ON chat (organization_id, active_at, id)",
    "CREATE INDEX chat_by_log ON chat (organization_id, logged_at, id)",
    "CREATE INDEX chat_by_end ON chat (organization_id, ended_at, id) WHERE ended_at IS NOT NULL",
    "CREATE INDEX chat_by_type ON chat (organization_id, type, started_at, id)",
    "CREATE INDEX chat_by_privacy ON chat (organization_id, is_private, started_at, id)",
    "CREATE INDEX chat_by_reality ON chat (organization_id, is_real, started_at, id)",
    "CREATE INDEX chat_with_sales ON chat (organization_id, started_at, id) WHERE has_sales",
    "CREATE INDEX chat_open ON chat (organization_id, started_at, id) WHERE ended_at IS NULL",
    "CREATE INDEX chat_long ON chat (organization_id, message_count) WHERE message_count >= 20",
    "CREATE INDEX chat_of_room ON chat (organization_id, room_id, started_at, id)",
    "CREATE INDEX chat_of_room_by_end ON chat (organization_id, room_id, ended_at, id) WHERE ended_at IS NOT NULL",
    "CREATE INDEX chat_of_visitor ON chat (organization_id, visitor_id, started_at, id)",
    "CREATE INDEX chat_open_of_visitor ON chat (organization_id, visitor_id, room_id, active_at, id)
        WHERE ended_at IS NULL",
    "CREATE INDEX chat_waiting ON chat (organization_id, room_id, waiting_since, id) WHERE waiting_since IS NOT NULL",
    "CREATE INDEX chat_waiting_by_start ON chat (organization_id, room_id, started_at, id)
        WHERE waiting_since IS NOT NULL",
    "CREATE INDEX chat_waiting_anywhere ON chat (organization_id, waiting_since, id)
        WHERE waiting_since IS NOT NULL",
    "CREATE INDEX chat_waiting_anywhere_by_start ON chat (organization_id, started_at, id)
        WHERE waiting_since IS NOT NULL",
    // Idle chats are searched in all organizations at once.
    "CREATE INDEX chat_idle ON chat (room_id, logged_at, id) WHERE ended_at IS NULL",
    // The chat's tags, indexed to find chats by tag.
    "CREATE TABLE chat_tag (
        organization_id {uuid} NOT NULL,
        tag text NOT NULL,
        started_at bigint NOT NULL,
        chat_id {uuid} NOT NULL REFERENCES chat (id),
        PRIMARY KEY (organization_id, tag, started_at, chat_id)
    ) {clustered}",
    "CREATE INDEX chat_tag_of_chat ON chat_tag (chat_id)",
    // The log: every change of a chat, in order.
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
    "CREATE TABLE participation (
        id {uuid} PRIMARY KEY NOT NULL,
        chat_id {uuid} NOT NULL REFERENCES chat (id),
        actor_id {uuid} NOT NULL REFERENCES actor (id),
        actor_type text NOT NULL,
        name text,
        detail text,
        is_counted boolean NOT NULL,
        message_count integer NOT NULL,
        first_message_at bigint,
        last_read_sequence bigint NOT NULL,
        last_read_at bigint,
        hidden_sequence bigint,
        viewed_at bigint,
        active_at bigint NOT NULL DEFAULT 0,
        created_at bigint NOT NULL,
        updated_at bigint NOT NULL,
        ended_at bigint,
        UNIQUE (actor_id, chat_id)
    )",
    "CREATE INDEX participation_of_chat ON participation (chat_id, created_at, id)",
    "CREATE INDEX participation_by_activity ON participation (actor_id, active_at, chat_id) WHERE ended_at IS NULL",
    "CREATE INDEX participation_viewed ON participation (actor_id, viewed_at) WHERE viewed_at IS NOT NULL",
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
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, TABLES).await
    }
}
