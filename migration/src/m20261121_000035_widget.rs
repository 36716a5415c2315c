//! The widget's door: a room's key and the sites that may use it, sign-ins, and the refresh tokens that renew them.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

const CHANGES: &[&str] = &[
    "ALTER TABLE room ADD COLUMN widget_key text NOT NULL DEFAULT ''",
    "ALTER TABLE room ADD COLUMN identity_secret text NOT NULL DEFAULT ''",
    "ALTER TABLE room ADD COLUMN allowed_origins {json} NOT NULL DEFAULT '[]'",
    "UPDATE room SET widget_key = 'wk_' || {random}, identity_secret = 'is_' || {random} || {random}",
    "CREATE UNIQUE INDEX room_by_widget_key ON room (widget_key)",
    "CREATE TABLE room_origin (
        origin text NOT NULL,
        room_id {uuid} NOT NULL REFERENCES room (id),
        PRIMARY KEY (origin, room_id)
    ) {clustered}",
    "CREATE INDEX room_origin_of_room ON room_origin (room_id)",
    "ALTER TABLE actor ADD COLUMN token_generation bigint NOT NULL DEFAULT 0",
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
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // 122 random bits at least; what is made from now on has as many.
        let random = if manager.get_database_backend() == DbBackend::Postgres {
            "replace(CAST(gen_random_uuid() AS text), '-', '')"
        } else {
            "lower(hex(randomblob(16)))"
        };
        let changes: Vec<_> = CHANGES.iter().map(|change| change.replace("{random}", random)).collect();
        let changes: Vec<_> = changes.iter().map(String::as_str).collect();
        dialect::run(manager, &changes).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("pages would lose their keys: restore a backup instead".into()))
    }
}
