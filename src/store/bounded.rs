//! Client-side time limits on every PostgreSQL call.
//!
//! The server's own limits (`statement_timeout`, `lock_timeout`) do not help while the server is frozen or
//! cut off. A statement that exceeds the limit here fails as unavailable. Its connection is in an unknown
//! state, and the pool closes it (see `connect.rs`). SQLite has no limit: its statements run in this process.

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
};
use std::time::Duration;

/// The limit of a statement, a BEGIN with its wait for a connection, or a COMMIT.
pub(super) const STATEMENT: Duration = Duration::from_secs(10);
/// The limit of a ROLLBACK.
pub(super) const ROLLBACK: Duration = Duration::from_secs(5);

/// A connection or transaction with time limits.
pub struct Bounded<C>(C);

impl<C> Bounded<C> {
    pub(super) fn new(inner: C) -> Self {
        Self(inner)
    }

    pub(super) fn get(&self) -> &C {
        &self.0
    }
}

/// Runs something on PostgreSQL within the limit.
pub(super) async fn within<T>(
    backend: DbBackend,
    limit: Duration,
    asked: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    if backend != DbBackend::Postgres {
        return asked.await;
    }
    tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| {
        let text = format!("PostgreSQL did not answer within {} s", limit.as_secs());
        Err(DbErr::Conn(RuntimeErr::Internal(text)))
    })
}

impl Bounded<DatabaseTransaction> {
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        within(self.0.get_database_backend(), STATEMENT, self.0.commit()).await
    }
}

#[async_trait]
impl<C: ConnectionTrait> ConnectionTrait for Bounded<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        within(self.get_database_backend(), STATEMENT, self.0.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        within(self.get_database_backend(), STATEMENT, self.0.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        within(self.get_database_backend(), STATEMENT, self.0.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        within(self.get_database_backend(), STATEMENT, self.0.query_all_raw(statement)).await
    }
}
