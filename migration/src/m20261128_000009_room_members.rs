//! Rooms with members, and what a user who lost a room still takes part in.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "ALTER TABLE room ADD COLUMN access text NOT NULL DEFAULT 'OPEN'",
    "ALTER TABLE actor ADD COLUMN access_changed_at bigint NOT NULL DEFAULT 0",
    // Authentication reads the rooms that are closed to an actor.
    "CREATE INDEX room_with_members ON room (organization_id) WHERE access = 'MEMBERS'",
    "CREATE TABLE room_member (
        room_id {uuid} NOT NULL REFERENCES room (id),
        actor_id {uuid} NOT NULL REFERENCES actor (id),
        created_at bigint NOT NULL,
        PRIMARY KEY (room_id, actor_id)
    ) {clustered}",
    "CREATE INDEX room_member_by_age ON room_member (room_id, created_at, actor_id)",
    "CREATE INDEX room_member_of_actor ON room_member (actor_id, created_at, room_id)",
    // Actors whose participations in the room's open chats are still to be ended.
    "CREATE TABLE room_departure (
        room_id {uuid} NOT NULL REFERENCES room (id),
        actor_id {uuid} NOT NULL REFERENCES actor (id),
        PRIMARY KEY (room_id, actor_id)
    ) {clustered}",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, TABLES).await
    }
}
