//! Webhooks and their deliveries.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "CREATE TABLE webhook (
        id {uuid} PRIMARY KEY NOT NULL,
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        url text NOT NULL,
        events {json} NOT NULL,
        api_key text NOT NULL,
        api_secret text NOT NULL,
        signing_secret text NOT NULL,
        previous_signing_secret text,
        previous_until bigint,
        is_enabled boolean NOT NULL,
        disabled_reason text,
        failing_since bigint,
        resume_at bigint,
        created_at bigint NOT NULL,
        deleted_at bigint
    )",
    "CREATE INDEX webhook_by_organization ON webhook (organization_id, created_at, id)",
    "CREATE INDEX webhook_deleted ON webhook (deleted_at) WHERE deleted_at IS NOT NULL",
    "CREATE TABLE webhook_delivery (
        id {uuid} PRIMARY KEY NOT NULL,
        webhook_id {uuid} NOT NULL REFERENCES webhook (id),
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        event text NOT NULL,
        body text NOT NULL,
        state text NOT NULL,
        attempts integer NOT NULL,
        next_attempt_at bigint,
        lease {uuid},
        deferrals integer NOT NULL DEFAULT 0,
        deferred_since bigint,
        delivered_at bigint,
        last_status integer,
        last_error text,
        created_at bigint NOT NULL
    )",
    "CREATE INDEX webhook_delivery_of_webhook ON webhook_delivery (webhook_id, created_at, id)",
    "CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, next_attempt_at, id)
        WHERE next_attempt_at IS NOT NULL",
    "CREATE INDEX webhook_delivery_leased ON webhook_delivery (lease) WHERE lease IS NOT NULL",
    "CREATE INDEX webhook_delivery_over ON webhook_delivery (created_at) WHERE next_attempt_at IS NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, TABLES).await
    }
}
