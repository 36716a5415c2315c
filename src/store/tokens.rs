//! The search index: the folded text of every message as tokens, kept in the transaction that writes the
//! message.
//!
//! A token is a number for a pair of adjacent characters, or for the chat or organization of the text. Two
//! pairs may share a number, so the index finds candidates, and each is compared with the query. SQLite keeps
//! the tokens in an FTS5 table, PostgreSQL in a column under a GIN index.

use super::Result;
use crate::domain::search::{Query, bigrams, fold};
use entity::{ChatId, OrganizationId, message};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The maximum number of a query's tokens that are looked up. More would hardly narrow the result.
const ASKED: usize = 24;

/// A set of tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens(BTreeSet<u32>);

impl Tokens {
    /// The tokens as text for SQLite's FTS5. In a query, a hit must have all of them.
    pub(super) fn as_document(&self) -> String {
        self.joined(|token| format!("{token:x}"), " ")
    }

    /// The tokens as an array of signed numbers for PostgreSQL.
    pub(super) fn as_array(&self) -> String {
        format!("{{{}}}", self.joined(|token| token.cast_signed().to_string(), ","))
    }

    fn joined(&self, show: impl Fn(u32) -> String, separator: &str) -> String {
        self.0.iter().map(|token| show(*token)).collect::<Vec<_>>().join(separator)
    }
}

/// The token of the narrowest given scope.
pub(super) fn of_scope(organization_id: OrganizationId, chat_id: Option<ChatId>) -> u32 {
    match chat_id {
        Some(ChatId(id)) => of_id(id, 1),
        None => of_id(organization_id.0, 2),
    }
}

/// The tokens that a text in a scope must have to contain the query.
pub(super) fn of_query(query: &Query, scope: u32) -> Tokens {
    let mut tokens: BTreeSet<u32> = bigrams(query.folded()).take(ASKED).map(of_pair).collect();
    tokens.insert(scope);
    Tokens(tokens)
}

fn of_text(folded: &str, organization_id: OrganizationId, chat_id: ChatId) -> Tokens {
    let mut tokens: BTreeSet<u32> = bigrams(folded).map(of_pair).collect();
    tokens.extend([of_scope(organization_id, None), of_scope(organization_id, Some(chat_id))]);
    Tokens(tokens)
}

/// The token of a pair. Tokens are stored, so this must not change without a new version of the folding. No
/// two pairs of the Basic Multilingual Plane share a token.
fn of_pair((first, second): (char, char)) -> u32 {
    u32::from(first).rotate_left(16) ^ u32::from(second)
}

fn of_id(id: Uuid, kind: u32) -> u32 {
    let (high, low) = id.as_u64_pair();
    let mixed = (high ^ low.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    u32::try_from(mixed >> 32).unwrap_or_default() ^ kind
}

/// Adds a new message to the index.
pub(super) async fn index(
    connection: &impl ConnectionTrait,
    organization_id: OrganizationId,
    row: &message::Model,
) -> Result<()> {
    let Some(text) = &row.text else { return Ok(()) };
    let folded = fold(text);
    let tokens = of_text(&folded, organization_id, row.chat_id);
    let backend = connection.get_database_backend();
    let mut values: Vec<Value> = vec![
        organization_id.into(),
        row.chat_id.into(),
        row.sequence.into(),
        folded.into(),
        row.is_internal.into(),
    ];
    let run = async |sql: &str, values: Vec<Value>| {
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await
    };
    if backend == DbBackend::Postgres {
        values.push(tokens.as_array().into());
        let sql = "INSERT INTO message_text (organization_id, chat_id, sequence, folded, is_internal, tokens)
            VALUES ($1, $2, $3, $4, $5, CAST($6 AS integer[]))";
        run(sql, values).await?;
    } else {
        let sql = "INSERT INTO message_text (organization_id, chat_id, sequence, folded, is_internal)
            VALUES (?, ?, ?, ?, ?)";
        run(sql, values).await?;
        let sql = "INSERT INTO message_index (rowid, tokens) VALUES (last_insert_rowid(), ?)";
        run(sql, vec![tokens.as_document().into()]).await?;
    }
    Ok(())
}

/// Updates the entry of a message whose text changed. Removes it if the message has no text any longer.
pub(super) async fn index_again(
    connection: &impl ConnectionTrait,
    organization_id: OrganizationId,
    row: &message::Model,
) -> Result<()> {
    let backend = connection.get_database_backend();
    let run = async |sql: &str, values: Vec<Value>| {
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await
    };
    let place = || vec![Value::from(row.chat_id), row.sequence.into()];
    let Some(text) = &row.text else {
        if backend != DbBackend::Postgres {
            let sql = "DELETE FROM message_index WHERE rowid =
                (SELECT id FROM message_text WHERE chat_id = ? AND sequence = ?)";
            run(sql, place()).await?;
        }
        run("DELETE FROM message_text WHERE chat_id = $1 AND sequence = $2", place()).await?;
        return Ok(());
    };
    let folded = fold(text);
    let tokens = of_text(&folded, organization_id, row.chat_id);
    let mut values = place();
    values.push(folded.into());
    if backend == DbBackend::Postgres {
        values.push(tokens.as_array().into());
        let sql = "UPDATE message_text SET folded = $3, tokens = CAST($4 AS integer[])
            WHERE chat_id = $1 AND sequence = $2";
        run(sql, values).await?;
    } else {
        run("UPDATE message_text SET folded = ?3 WHERE chat_id = ?1 AND sequence = ?2", values).await?;
        let mut values = place();
        values.push(tokens.as_document().into());
        let sql = "UPDATE message_index SET tokens = ?3 WHERE rowid =
            (SELECT id FROM message_text WHERE chat_id = ?1 AND sequence = ?2)";
        run(sql, values).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::search::Matching;

    #[test]
    fn a_text_has_every_token_of_what_it_contains() {
        let (organization_id, chat_id) = (OrganizationId(Uuid::from_u128(1)), ChatId(Uuid::from_u128(2)));
        let text = of_text(&fold("Ein Straßencafé 👍🏽 名前"), organization_id, chat_id);
        for part in ["straSSEn", "fé 👍", "👍🏽", "名前", "N "] {
            let Ok(query) = Query::new(&format!("{part}\u{200b}"), Matching::Folded) else {
                panic!("{part}")
            };
            for scope in [of_scope(organization_id, None), of_scope(organization_id, Some(chat_id))] {
                assert!(of_query(&query, scope).0.is_subset(&text.0), "{part}");
            }
        }
    }

    #[test]
    fn tokens_are_shown_as_each_database_reads_them() {
        let tokens = Tokens(BTreeSet::from([1, 0x8000_0000, u32::MAX]));
        assert_eq!(tokens.as_document(), "1 80000000 ffffffff");
        assert_eq!(tokens.as_array(), "{1,-2147483648,-1}");
    }
}
