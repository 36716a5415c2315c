//! Errors of the database, grouped by what a caller can do about them.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// A failed read or write. Its text is for the log, never for a client.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The database is unavailable: no connection, a timeout, a full disk. A retry may succeed.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A unique key is taken.
    #[error("a unique key is taken: {0}")]
    Taken(String),
    /// Any other failure: a bug.
    #[error("the database failed: {0}")]
    Failed(String),
}

/// The reason why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The files on disk cannot be trusted. The text says what to do.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] Error),
}

impl From<DbErr> for OpenError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl From<migration::Refusal> for OpenError {
    fn from(refusal: migration::Refusal) -> Self {
        match refusal {
            migration::Refusal::Unknown(version) => Self::Refused(format!(
                "another version of the server updated this database (migration {version}): run that version or a \
                 newer one, or restore a backup"
            )),
            migration::Refusal::Failed(error) => error.into(),
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// SQLSTATEs after which a retry may succeed: a lost connection (class 08), insufficient resources (53), an
/// operator's intervention or a statement timeout (57), a transaction that was idle for too long (25P03), a
/// lock timeout, a deadlock, a serialization failure. From PostgreSQL's manual, appendix A.
const PASSING: &[&str] = &["08", "53", "57", "25P03", "55P03", "40P01", "40001"];

/// Result codes of SQLite after which a retry may succeed: busy (5), locked (6), out of memory (7), read-only
/// (8), interrupted (9), an input or output error (10), a full disk (13), a file that cannot be opened (14),
/// a lock race (15). From SQLite's manual, "Result and Error Codes".
const PASSING_SQLITE: &[i32] = &[5, 6, 7, 8, 9, 10, 13, 14, 15];

/// Result codes of SQLite for invalid statements, after which a transaction continues: an error in the SQL
/// (1), a value that is too big (18), a violated constraint (19), a mismatched type (20), a bad parameter
/// (25).
const HARMLESS_SQLITE: &[i32] = &[1, 18, 19, 20, 25];

/// Extended result codes of SQLite for a failed fsync of a file and of its folder.
const FLUSH_FAILED: &[i32] = &[1034, 1290];

/// Result codes of SQLite for a damaged file (11) and a file that is no database (26).
const DAMAGED: &[i32] = &[11, 26];

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
    if let DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))
    | DbErr::Conn(RuntimeErr::SqlxError(cause)) = error
    {
        return Some(cause);
    }
    None
}

/// The extended result code of SQLite.
fn sqlite_code(error: &DbErr) -> Option<i32> {
    let sqlx::Error::Database(cause) = cause(error)? else { return None };
    cause.code()?.parse().ok()
}

/// Whether SQLite may have ended the whole transaction because of this error, or the connection is gone.
pub(super) fn may_end_transaction(error: &DbErr) -> bool {
    match sqlite_code(error) {
        Some(code) => !HARMLESS_SQLITE.contains(&(code & 0xff)),
        None => match cause(error) {
            Some(cause) => is_gone(cause),
            None => matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)),
        },
    }
}

/// Whether the disk failed to store what was written to it.
pub(super) fn is_failed_flush(error: &DbErr) -> bool {
    sqlite_code(error).is_some_and(|code| FLUSH_FAILED.contains(&code))
}

/// Whether the database file is damaged.
pub(super) fn is_damage(error: &DbErr) -> bool {
    sqlite_code(error).is_some_and(|code| DAMAGED.contains(&(code & 0xff)))
}

fn is_gone(cause: &sqlx::Error) -> bool {
    matches!(
        cause,
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed
    )
}

fn is_passing(cause: &sqlx::Error) -> bool {
    if let sqlx::Error::Database(cause) = cause {
        return cause.code().is_some_and(|code| {
            PASSING.iter().any(|passing| code.len() == 5 && code.starts_with(passing))
                || code.parse::<i32>().is_ok_and(|code| PASSING_SQLITE.contains(&(code & 0xff)))
        });
    }
    is_gone(cause)
}
