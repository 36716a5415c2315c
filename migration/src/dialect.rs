//! The SQL that differs between SQLite and PostgreSQL.

use sea_orm_migration::prelude::{DbErr, SchemaManager};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// Runs the statements with these placeholders replaced for the current database:
///
/// - `{uuid}` and `{json}` are column types.
/// - `{clustered}` ends a table whose rows are read in ranges of the primary key. SQLite then stores the rows
///   in the key's own tree. PostgreSQL has no such tables, but stores rows in nearly this order, in which
///   they are inserted.
/// - `{generated}` ends the definition of a generated column. SQLite computes it when it is read, and an
///   index stores it. PostgreSQL always stores it.
pub async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let (uuid, json, clustered, generated) = if is_postgres(manager) {
        ("uuid", "jsonb", "", "STORED")
    } else {
        ("blob", "text", "WITHOUT ROWID", "VIRTUAL")
    };
    for statement in statements {
        let sql = statement
            .replace("{uuid}", uuid)
            .replace("{json}", json)
            .replace("{clustered}", clustered)
            .replace("{generated}", generated);
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Whether the database is PostgreSQL, for tables that differ in more than a placeholder.
pub fn is_postgres(manager: &SchemaManager<'_>) -> bool {
    manager.get_database_backend() == DbBackend::Postgres
}
