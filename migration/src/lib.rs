//! How Anteroom's tables came to be: one migration after another, run at start, never edited once released.
//!
//! A migration is plain SQL that SQLite and PostgreSQL both read but for a few words, which `dialect` puts
//! in. It never names an entity: entities move on, a migration says what was true then.

mod dialect;
mod m20261121_000001_foundation;
mod m20261121_000005_archive;
mod m20261121_000006_search;
mod m20261121_000020_webhooks;
mod m20261121_000030_pages;
mod m20261121_000031_tags;
mod m20261121_000033_carts;
mod m20261121_000035_widget;
mod m20261121_000040_edits;
mod m20261121_000040_notes;
mod m20261121_000040_reactions;
mod m20261121_000040_replies;
mod m20261121_000041_deleted_chats;
mod m20261121_000041_own_views;
mod m20261121_000042_attachments;
mod m20261121_000043_session_changes;
mod m20261121_000044_leads;
mod m20261128_d_folded_names;
mod m20261128_f_uploads_and_deliveries;
mod m20261128_g_list_orders;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::{MigrationTrait, async_trait};

/// All migrations, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_foundation::Migration),
            Box::new(m20261121_000005_archive::Migration),
            Box::new(m20261121_000006_search::Migration),
            Box::new(m20261121_000020_webhooks::Migration),
            Box::new(m20261121_000030_pages::Migration),
            Box::new(m20261121_000031_tags::Migration),
            Box::new(m20261121_000033_carts::Migration),
            Box::new(m20261121_000035_widget::Migration),
            Box::new(m20261121_000040_edits::Migration),
            Box::new(m20261121_000040_notes::Migration),
            Box::new(m20261121_000040_reactions::Migration),
            Box::new(m20261121_000040_replies::Migration),
            Box::new(m20261121_000041_deleted_chats::Migration),
            Box::new(m20261121_000041_own_views::Migration),
            Box::new(m20261121_000042_attachments::Migration),
            Box::new(m20261121_000043_session_changes::Migration),
            Box::new(m20261121_000044_leads::Migration),
            Box::new(m20261128_d_folded_names::Migration),
            Box::new(m20261128_f_uploads_and_deliveries::Migration),
            Box::new(m20261128_g_list_orders::Migration),
        ]
    }
}
