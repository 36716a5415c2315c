//! The connection of an open transaction. On SQLite it watches for errors after which the transaction may be gone.

use super::bounded::{STATEMENT, within};
use super::error;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The reason why the shared transaction can no longer be committed. Empty while it can be.
pub(super) type Broken = Arc<OnceLock<String>>;

/// An open transaction, for statements.
///
/// SQLite ends the whole transaction after some errors, such as a full disk. Later statements would run
/// outside of any transaction, so all statements after such an error are refused.
pub struct Writing {
    transaction: Option<DatabaseTransaction>,
    backend: DbBackend,
    broken: Option<Broken>,
    wrote: AtomicBool,
}

impl Writing {
    pub(super) fn new(transaction: DatabaseTransaction, broken: Option<Broken>) -> Self {
        let backend = transaction.get_database_backend();
        Self { transaction: Some(transaction), backend, broken, wrote: AtomicBool::new(false) }
    }

    /// Whether a statement changed a row.
    pub(super) fn wrote(&self) -> bool {
        self.wrote.load(Ordering::Relaxed)
    }

    /// Moves the transaction out. What remains refuses statements.
    pub(super) fn move_out(&mut self) -> Self {
        let shell =
            Self { transaction: None, backend: self.backend, broken: None, wrote: AtomicBool::new(false) };
        std::mem::replace(self, shell)
    }

    /// Takes the transaction out, to end it.
    pub(super) fn take(&mut self) -> Option<DatabaseTransaction> {
        self.transaction.take()
    }

    fn transaction(&self) -> Result<&DatabaseTransaction, DbErr> {
        let transaction =
            self.transaction.as_ref().ok_or_else(|| unavailable("the transaction has ended"))?;
        match self.broken.as_ref().and_then(|broken| broken.get()) {
            Some(cause) => Err(unavailable(cause)),
            None => Ok(transaction),
        }
    }

    fn watch<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if let (Err(error), Some(broken)) = (&result, &self.broken)
            && error::may_end_transaction(error)
        {
            super::sqlite::end_if_flush_failed(error);
            let _ = broken.set(error.to_string());
        }
        result
    }

    fn changed(&self, result: ExecResult) -> ExecResult {
        if result.rows_affected() > 0 {
            self.wrote.store(true, Ordering::Relaxed);
        }
        result
    }
}

#[async_trait]
impl ConnectionTrait for Writing {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let result = within(self.backend, STATEMENT, self.transaction()?.execute_raw(statement)).await;
        self.watch(result).map(|result| self.changed(result))
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let result = within(self.backend, STATEMENT, self.transaction()?.execute_unprepared(sql)).await;
        self.watch(result).map(|result| self.changed(result))
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let result = within(self.backend, STATEMENT, self.transaction()?.query_one_raw(statement)).await;
        self.watch(result)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let result = within(self.backend, STATEMENT, self.transaction()?.query_all_raw(statement)).await;
        self.watch(result)
    }
}

pub(super) fn unavailable(cause: &str) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(cause.to_owned()))
}
