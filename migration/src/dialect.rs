//! The words that differ between table definitions of SQLite and PostgreSQL.

use sea_orm_migration::prelude::{DbErr, SchemaManager};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// Runs the statements, with `{uuid}`, `{json}` and `{clustered}` put in for the database at hand.
///
/// `{clustered}` follows a table whose rows are read in ranges of the primary key: SQLite then keeps the
/// rows in the key's own tree, which PostgreSQL cannot, where the order of insertion comes close.
pub async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let (uuid, json, clustered) = if manager.get_database_backend() == DbBackend::Postgres {
        ("uuid", "jsonb", "")
    } else {
        ("blob", "text", "WITHOUT ROWID")
    };
    for statement in statements {
        let sql = statement.replace("{uuid}", uuid).replace("{json}", json).replace("{clustered}", clustered);
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}
