//! Tests of SQLite's writers when statements fail, tasks are dropped and the disk is full.

use super::{Error, Publish, Rows, Store, Tx};
use crate::clock::Clock;
use crate::domain::event::{News, Signal};
use entity::{ChatId, Timestamp};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use uuid::Uuid;

/// A store, and another connection to the same file.
struct Stage {
    store: Store,
    outside: DatabaseConnection,
    heard: Arc<Heard>,
    _folder: TempDir,
}

/// Counts what is published.
#[derive(Default)]
struct Heard(AtomicUsize);

impl Publish for Heard {
    fn publish(&self, news: Vec<News>) {
        self.0.fetch_add(news.len(), Ordering::SeqCst);
    }
}

impl Stage {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("store.db").display());
        let clock = Clock::frozen(Timestamp(1_800_000_000_000));
        let heard = Arc::<Heard>::default();
        let store = Store::open(&url, 1, clock).await.expect("a store").into_store(heard.clone());
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let outside = Database::connect(options).await.expect("a connection");
        // An INSERT of 13 makes SQLite roll back the whole transaction in the middle of a statement, as a
        // failing disk does.
        let tables = "CREATE TABLE line (number INTEGER PRIMARY KEY, bytes BLOB);
            CREATE TRIGGER thirteen BEFORE INSERT ON line WHEN NEW.number = 13
                BEGIN SELECT RAISE(ROLLBACK, 'thirteen'); END";
        outside.execute_unprepared(tables).await.expect("created");
        Self { store, outside, heard, _folder: folder }
    }

    async fn begin(&self) -> Tx {
        self.store.begin().await.expect("a transaction")
    }

    /// A transaction that has written a number and has news.
    async fn wrote(&self, number: i64) -> Tx {
        let mut tx = self.begin().await;
        insert(&tx, number).await.expect("inserted");
        tx.hint(ChatId(Uuid::nil()), Signal::Typing);
        tx
    }

    /// Reads the stored numbers.
    async fn numbers(&self) -> Vec<i64> {
        let statement = "SELECT number FROM line ORDER BY number";
        let statement = Statement::from_string(self.outside.get_database_backend(), statement);
        let rows = self.outside.query_all_raw(statement).await.expect("rows");
        rows.iter().map(|row| row.try_get_by_index(0).expect("a number")).collect()
    }

    fn heard(&self) -> usize {
        self.heard.0.load(Ordering::SeqCst)
    }
}

async fn insert(tx: &Tx, number: i64) -> Result<(), DbErr> {
    let sql = format!("INSERT INTO line VALUES ({number}, zeroblob(100))");
    let statement = Statement::from_string(tx.connection().get_database_backend(), sql);
    tx.connection().execute_raw(statement).await.map(|_| ())
}

fn is_unavailable<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Unavailable(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_in_a_batch_is_refused_when_sqlite_ended_their_transaction() {
    let stage = Stage::new().await;
    let first = stage.wrote(1).await;
    // The second transaction waits, so the first leaves the outer transaction open for it.
    let second = async {
        let second = stage.begin().await;
        insert(&second, 13).await.expect_err("rolled back");
        second.roll_back().await
    };
    let (second, first) = tokio::join!(second, first.commit());
    assert!(is_unavailable(&first), "{first:?}");
    assert!(is_unavailable(&second), "{second:?}");
    assert_eq!((stage.numbers().await, stage.heard()), (vec![], 0));

    let after = stage.wrote(2).await.commit().await;
    assert!(after.is_ok(), "{after:?}");
    assert_eq!((stage.numbers().await, stage.heard()), (vec![2], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_within_a_batch_refuses_all_of_it_and_nothing_after_it() {
    let stage = Stage::new().await;
    let first = stage.wrote(1).await;
    let second = async {
        let second = stage.begin().await;
        let connection = second.connection();
        connection.execute_unprepared("PRAGMA max_page_count = 1").await.expect("set");
        let large = "INSERT INTO line VALUES (2, zeroblob(100000))";
        let full = connection.execute_unprepared(large).await.expect_err("no space");
        assert!(full.to_string().contains("full"), "{full}");
        // A write now could run outside of the transaction.
        insert(&second, 3).await.expect_err("refused");
        second.commit().await
    };
    let (second, first) = tokio::join!(second, first.commit());
    assert!(is_unavailable(&first), "{first:?}");
    assert!(is_unavailable(&second), "{second:?}");
    assert_eq!((stage.numbers().await, stage.heard()), (vec![], 0));

    // The readiness probe writes over a new connection.
    stage.store.ping().await.expect("it takes writes again");
    stage.wrote(4).await.commit().await.expect("stored");
    assert_eq!((stage.numbers().await, stage.heard()), (vec![4], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_unavailable_when_what_it_read_was_not_stored() {
    let stage = Stage::new().await;
    let first = stage.wrote(1).await;
    let others = async {
        let refused = stage.begin().await;
        let third = async {
            let third = stage.begin().await;
            insert(&third, 13).await.expect_err("rolled back");
            third.roll_back().await
        };
        tokio::join!(third, refused.roll_back())
    };
    let ((third, refused), first) = tokio::join!(others, first.commit());
    for result in [first.map(|_| ()), refused, third] {
        assert!(is_unavailable(&result), "{result:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_dropped_is_rolled_back_alone() {
    let stage = Stage::new().await;
    let first = stage.wrote(1).await;
    let second = async { drop(stage.wrote(2).await) };
    let ((), first) = tokio::join!(second, first.commit());
    assert!(first.is_ok(), "{first:?}");
    stage.wrote(3).await.commit().await.expect("stored");
    assert_eq!((stage.numbers().await, stage.heard()), (vec![1, 3], 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_dropped_anywhere_in_its_commit_leaves_no_false_answer() {
    let stage = Stage::new().await;
    let mut acknowledged = Vec::new();
    for round in 0..60_u32 {
        let number = i64::from(round) * 10 + 100;
        let first = stage.wrote(number).await;
        let second = async {
            let second = stage.wrote(number + 1).await;
            let patience = std::time::Duration::from_micros(u64::from(round) * 20);
            tokio::time::timeout(patience, second.commit()).await
        };
        let (_, first) = tokio::join!(second, first.commit());
        match first {
            Ok(_) => acknowledged.push(number),
            Err(error) => assert!(matches!(error, Error::Unavailable(_)), "{error:?}"),
        }
        let after = stage.wrote(number + 2).await.commit().await;
        assert!(after.is_ok(), "round {round}: {after:?}");
        acknowledged.push(number + 2);
    }
    let stored = stage.numbers().await;
    for number in acknowledged {
        assert!(stored.contains(&number), "{number} was acknowledged");
    }
    assert_eq!(stage.heard(), stored.len(), "what is stored is published");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transaction_commits_what_succeeds_and_rolls_back_what_fails() {
    let stage = Stage::new().await;
    let write = async |number, outcome: Result<(), Error>| {
        let written = stage.store.transaction(async |tx: &mut Tx| {
            insert(tx, number).await?;
            tx.hint(ChatId(Uuid::nil()), Signal::Typing);
            outcome
        });
        written.await.map(|done| done.value)
    };
    let failed = write(1, Err(Error::Failed("refused".into()))).await;
    assert!(matches!(failed, Err(Error::Failed(_))), "{failed:?}");
    assert_eq!((stage.numbers().await, stage.heard()), (vec![], 0));

    let succeeded = write(2, Ok(())).await;
    assert!(succeeded.is_ok(), "{succeeded:?}");
    assert_eq!((stage.numbers().await, stage.heard()), (vec![2], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_store_is_one_file_and_takes_no_writes() {
    let stage = Stage::new().await;
    stage.wrote(1).await.commit().await.expect("stored");
    let Stage { store, outside, _folder: folder, .. } = stage;
    outside.close().await.expect("closed");
    store.close().await;
    assert!(is_unavailable(&store.begin().await.map(|_| ())));
    let files = std::fs::read_dir(folder.path()).expect("the folder").flatten();
    let mut names: Vec<_> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, ["store.db", "store.db.epoch"]);
    // Closing again is a no-op.
    store.close().await;
}
