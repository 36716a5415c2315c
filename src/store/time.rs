//! The database's clock, which all nodes on one PostgreSQL share.

use super::bounded::Bounded;
use super::{Engine, Error, Result, Store};
use crate::clock::Reading;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use std::time::{Duration, Instant};

/// The maximum time of a reading. A slower one is too inaccurate.
const WITHIN: Duration = Duration::from_millis(500);

impl Store {
    /// Compares the clock with its reference and steers it: the database's clock on PostgreSQL, the machine's on SQLite.
    pub async fn keep_time(&self) -> Result<()> {
        match self.engine() {
            Engine::Sqlite => self.clock().follow_wall(),
            Engine::Postgres => {
                let reading = read(self.snapshot().await?).await?;
                if reading.within <= WITHIN {
                    self.clock().follow_database(reading);
                }
            }
        }
        Ok(())
    }
}

/// Reads the database's clock.
pub(super) async fn read(rows: Bounded<DatabaseTransaction>) -> Result<Reading> {
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let asked = Instant::now();
    let row = rows.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let took = asked.elapsed();
    rows.commit().await?;
    let micros = row.map(|row| row.try_get_by_index(0)).transpose()?;
    let micros = micros.ok_or_else(|| Error::Failed("the database tells no time".into()))?;
    Ok(Reading { micros, at: asked + took / 2, within: took / 2 })
}
