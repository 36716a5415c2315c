//! Updates folded data when the store is opened: the texts of messages with their index, and the names of
//! people.
//!
//! It processes both in batches. `store_meta` holds the version of the folding and the progress, which is
//! written in the transaction of each batch. An interrupted start resumes there. Of several nodes that start
//! at once, each processes the next batch under the lock of that row.

use super::{Result, tokens};
use crate::domain::search::{FOLDING, fold};
use entity::{ActorId, actor, message, message_text, store_meta};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait,
    QueryFilter, QueryOrder, QuerySelect, Set, TransactionTrait,
};
use std::collections::HashMap;
use uuid::Uuid;

/// The row of `store_meta`.
const NAME: &str = "folding";
/// The maximum number of rows processed in one transaction.
const BATCH: u64 = 1_000;

/// The rows that remain to be folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Indexed texts after this id, and all people.
    Texts(i64),
    /// People after this id.
    People(ActorId),
    Done,
}

impl Progress {
    fn read(stored: &str) -> Self {
        let words: Vec<_> = stored.split(' ').collect();
        let place = match words.as_slice() {
            [FOLDING] => Some(Self::Done),
            [FOLDING, "texts", id] => id.parse().ok().map(Self::Texts),
            [FOLDING, "people", id] => id.parse().ok().map(|id| Self::People(ActorId(id))),
            _ => None,
        };
        place.unwrap_or(Self::Texts(0))
    }

    fn written(self) -> String {
        match self {
            Self::Texts(id) => format!("{FOLDING} texts {id}"),
            Self::People(ActorId(id)) => format!("{FOLDING} people {id}"),
            Self::Done => FOLDING.to_owned(),
        }
    }
}

/// Folds again what an older version folded. A new store needs nothing.
pub(super) async fn bring_up_to_date(connection: &DatabaseConnection) -> Result<()> {
    let first = store_meta::ActiveModel { name: Set(NAME.into()), value: Set(Progress::Done.written()) };
    let on_conflict = OnConflict::column(store_meta::Column::Name).do_nothing().to_owned();
    store_meta::Entity::insert(first).on_conflict(on_conflict).exec_without_returning(connection).await?;
    loop {
        let tx = connection.begin().await?;
        if tx.get_database_backend() == DbBackend::Postgres {
            tx.execute_unprepared("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0").await?;
        }
        let row = store_meta::Entity::find_by_id(NAME.to_owned()).lock_exclusive().one(&tx).await?;
        let stored = row.map(|row| row.value).unwrap_or_default();
        let next = match Progress::read(&stored) {
            Progress::Texts(after) => texts(&tx, after).await?,
            Progress::People(after) => people(&tx, after).await?,
            Progress::Done => {
                tx.commit().await?;
                return Ok(());
            }
        };
        store_meta::Entity::update_many()
            .col_expr(store_meta::Column::Value, Expr::value(next.written()))
            .filter(store_meta::Column::Name.eq(NAME))
            .exec(&tx)
            .await?;
        tx.commit().await?;
    }
}

/// Rewrites texts and their tokens if the folding changes them.
async fn texts(tx: &DatabaseTransaction, after: i64) -> Result<Progress> {
    let batch = message_text::Entity::find()
        .filter(message_text::Column::Id.gt(after))
        .order_by_asc(message_text::Column::Id)
        .limit(BATCH)
        .all(tx)
        .await?;
    let Some(last) = batch.last() else { return Ok(Progress::People(ActorId(Uuid::nil()))) };
    let text = |column| Expr::col((message_text::Entity, column));
    let mut written = message::Entity::find();
    QuerySelect::query(&mut written)
        .inner_join(
            message_text::Entity,
            text(message_text::Column::ChatId).equals((message::Entity, message::Column::ChatId)).and(
                text(message_text::Column::Sequence).equals((message::Entity, message::Column::Sequence)),
            ),
        )
        .and_where(text(message_text::Column::Id).gt(after))
        .and_where(text(message_text::Column::Id).lte(last.id));
    let written = written.all(tx).await?;
    let written: HashMap<_, _> = written.iter().map(|row| ((row.chat_id, row.sequence), row)).collect();
    for stored in &batch {
        let Some(row) = written.get(&(stored.chat_id, stored.sequence)) else { continue };
        if row.text.as_deref().is_some_and(|text| fold(text) != stored.folded) {
            tokens::index_again(tx, stored.organization_id, row).await?;
        }
    }
    Ok(Progress::Texts(last.id))
}

async fn people(tx: &DatabaseTransaction, after: ActorId) -> Result<Progress> {
    let batch = actor::Entity::find()
        .filter(actor::Column::Id.gt(after))
        .order_by_asc(actor::Column::Id)
        .limit(BATCH)
        .all(tx)
        .await?;
    let Some(last) = batch.last() else { return Ok(Progress::Done) };
    for row in &batch {
        let folded = fold(row.name.as_deref().unwrap_or_default());
        if folded != row.folded_name {
            actor::Entity::update_many()
                .col_expr(actor::Column::FoldedName, Expr::value(folded))
                .filter(actor::Column::Id.eq(row.id))
                .exec(tx)
                .await?;
        }
    }
    Ok(Progress::People(last.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_read_as_it_was_written() {
        let id = Uuid::from_u128(7);
        for progress in [Progress::Texts(12), Progress::People(ActorId(id)), Progress::Done] {
            assert_eq!(Progress::read(&progress.written()), progress);
        }
    }

    #[test]
    fn store_of_another_version_is_folded_from_the_start() {
        for stored in ["", "1", "0 people 5", "2 texts x", "2 other 5"] {
            assert_eq!(Progress::read(stored), Progress::Texts(0), "{stored}");
        }
    }
}
