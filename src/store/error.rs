//! What can go wrong with the database, sorted by what a caller can do about it.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// A failed read or write. Its text is for the log, never for a client.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The database cannot serve now: no connection, a timeout, a full disk. The same call may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A unique key is taken.
    #[error("a unique key is taken: {0}")]
    Taken(String),
    /// Anything else: a bug.
    #[error("the database failed: {0}")]
    Failed(String),
}

/// What every function of the store returns.
pub type Result<T> = std::result::Result<T, Error>;

/// SQLSTATEs after which the same call may succeed later: a lost connection (class 08), too few resources
/// (53), an operator's intervention or a statement timeout (57), a transaction that stood idle for too long (25P03), a
/// lock timeout, a deadlock, a lost race.
/// From PostgreSQL's manual, appendix A.
const PASSING: &[&str] = &["08", "53", "57", "25P03", "55P03", "40P01", "40001"];

/// Result codes of SQLite after which the same call may succeed later: busy (5), locked (6), an input or
/// output error (10), a full disk (13). From SQLite's manual, "Result and Error Codes".
const PASSING_SQLITE: &[i32] = &[5, 6, 10, 13];

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(what)) = error.sql_err() {
            return Self::Taken(what);
        }
        let text = error.to_string();
        let has_no_connection = matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_));
        if has_no_connection || cause(&error).is_some_and(is_passing) {
            Self::Unavailable(text)
        } else {
            Self::Failed(text)
        }
    }
}

fn cause(error: &DbErr) -> Option<&sqlx::Error> {
    if let DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) = error {
        return Some(cause);
    }
    None
}

fn is_passing(cause: &sqlx::Error) -> bool {
    if let sqlx::Error::Database(cause) = cause {
        return cause.code().is_some_and(|code| {
            PASSING.iter().any(|passing| code.len() == 5 && code.starts_with(passing))
                || code.parse::<i32>().is_ok_and(|code| PASSING_SQLITE.contains(&(code & 0xff)))
        });
    }
    matches!(cause, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
}
