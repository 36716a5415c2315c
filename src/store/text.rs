//! Text matching with the same results on both databases.

use super::Rows;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func};
use sea_orm::{ConnectionTrait, DbBackend};

/// Whether a text contains another literally. There are no wildcards.
pub(super) fn contains_text(rows: &impl Rows, text: Expr, part: &str) -> Expr {
    let is_postgres = rows.connection().get_database_backend() == DbBackend::Postgres;
    let place = Func::cust(Alias::new(if is_postgres { "strpos" } else { "instr" }));
    Expr::from(place.arg(text).arg(part)).gt(0)
}
