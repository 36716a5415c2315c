//! Shopping carts: the products that a visitor is about to buy or has bought, with the related chat.

use crate::dialect;
use sea_orm_migration::async_trait;
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "CREATE TABLE shopping_cart (
        id {uuid} PRIMARY KEY NOT NULL,
        organization_id {uuid} NOT NULL REFERENCES organization (id),
        visitor_id {uuid} NOT NULL REFERENCES actor (id),
        chat_id {uuid} REFERENCES chat (id),
        external_id text NOT NULL,
        currency text NOT NULL,
        opened_at bigint NOT NULL,
        locked_at bigint,
        UNIQUE (organization_id, external_id)
    )",
    "CREATE INDEX shopping_cart_of_visitor ON shopping_cart (visitor_id, opened_at, id)",
    "CREATE INDEX shopping_cart_of_chat ON shopping_cart (chat_id, opened_at, id) WHERE chat_id IS NOT NULL",
    "CREATE TABLE shopping_cart_product (
        id {uuid} PRIMARY KEY NOT NULL,
        cart_id {uuid} NOT NULL REFERENCES shopping_cart (id),
        external_id text NOT NULL,
        name text NOT NULL,
        description text,
        category text,
        product_number text,
        price text,
        quantity integer,
        monthly_price text,
        monthly_quantity integer,
        stock_balance integer,
        added_at bigint NOT NULL,
        deleted_at bigint,
        UNIQUE (cart_id, external_id)
    )",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, TABLES).await
    }
}
