//! The phases of session states (open, ringing, over) are defined once, in `entity`. Partial indexes of the database
//! also name states, and must name the same ones.

use crate::harness::stored::Stored;
use crate::harness::{Engine, TestApp};
use crate::on_both;
use entity::SessionState;
use sea_orm::{ConnectionTrait, DbBackend, Iterable, Statement};

on_both!(partial_indexes_match_state_predicates);

/// The definitions of the partial indexes of a table, by name.
async fn partial_indexes(stored: &Stored, table: &str) -> Vec<(String, String)> {
    let backend = stored.0.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE tablename = $1"
        }
        DbBackend::MySql | DbBackend::Sqlite | _ => {
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = $1"
        }
    };
    let statement = Statement::from_sql_and_values(backend, sql, [table.into()]);
    let rows = stored.0.query_all_raw(statement).await.expect("indexes");
    let column = |row: &sea_orm::QueryResult, name| row.try_get::<String>("", name).expect("a text");
    let mut found: Vec<_> = rows
        .iter()
        .map(|row| (column(row, "name"), column(row, "sql")))
        .filter(|(_, sql)| sql.contains(" WHERE "))
        .collect();
    found.sort();
    found
}

/// The texts in quotes.
fn quoted(sql: &str) -> Vec<&str> {
    sql.split('\'').skip(1).step_by(2).collect()
}

async fn partial_indexes_match_state_predicates(engine: Engine) {
    let app = TestApp::start(engine).await;
    let stored = Stored::of(&app).await;
    let names =
        |which: fn(SessionState) -> bool| SessionState::all(which).map(SessionState::as_str).collect();
    let expected: [(&str, Vec<&str>); 2] = [
        ("chat_session_open", names(SessionState::is_open)),
        ("chat_session_ringing", names(SessionState::is_ringing)),
    ];
    let found = partial_indexes(&stored, "chat_session").await;
    let found: Vec<_> = found.iter().map(|(name, sql)| (name.as_str(), quoted(sql))).collect();
    let found: Vec<_> = found.into_iter().filter(|(_, states)| !states.is_empty()).collect();
    assert_eq!(found, expected);
    app.stop().await;
}

#[test]
fn each_session_state_has_exactly_one_phase() {
    for state in SessionState::iter() {
        let questions = [state.is_pending(), state.is_ringing(), state.is_running(), state.is_over()];
        assert_eq!(questions.iter().filter(|is| **is).count(), 1, "{state:?}");
        assert_eq!(state.is_open(), state.is_ringing() || state.is_running(), "{state:?}");
    }
}
