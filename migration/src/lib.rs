//! The database schema, as migrations that run at start: one for each area of the first release, and one for
//! each later change. A migration is never edited once released. It cannot be undone, except by restoring a
//! backup.
//!
//! A migration is plain SQL that SQLite and PostgreSQL both understand, except for a few placeholders that
//! `dialect` replaces. It never uses an entity, because entities change and a migration must not.

mod dialect;
mod m20261128_000001_organizations;
mod m20261128_000002_chats;
mod m20261128_000003_messages;
mod m20261128_000004_attachments;
mod m20261128_000005_chat_sessions;
mod m20261128_000006_shopping_carts;
mod m20261128_000007_webhooks;
mod m20261128_000008_list_orders;
mod m20261128_000009_room_members;

use sea_orm_migration::sea_orm::{DatabaseConnection, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

/// The reason why a database was not migrated.
#[derive(Debug)]
pub enum Refusal {
    /// Another version of the server applied this migration, which this version does not have.
    Unknown(String),
    Failed(DbErr),
}

impl From<DbErr> for Refusal {
    fn from(error: DbErr) -> Self {
        Self::Failed(error)
    }
}

/// Applies the missing migrations, oldest first.
pub async fn migrate(connection: &DatabaseConnection) -> Result<(), Refusal> {
    let known = Migrator::get_migration_files();
    let applied = Migrator::get_migration_models(connection).await?;
    let is_known = |version: &String| known.iter().any(|migration| migration.name() == version);
    if let Some(unknown) = applied.into_iter().map(|row| row.version).find(|version| !is_known(version)) {
        return Err(Refusal::Unknown(unknown));
    }
    Ok(Migrator::up(connection, None).await?)
}

/// All migrations, oldest first.
struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261128_000001_organizations::Migration),
            Box::new(m20261128_000002_chats::Migration),
            Box::new(m20261128_000003_messages::Migration),
            Box::new(m20261128_000004_attachments::Migration),
            Box::new(m20261128_000005_chat_sessions::Migration),
            Box::new(m20261128_000006_shopping_carts::Migration),
            Box::new(m20261128_000007_webhooks::Migration),
            Box::new(m20261128_000008_list_orders::Migration),
            Box::new(m20261128_000009_room_members::Migration),
        ]
    }
}
