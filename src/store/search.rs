//! Searches messages, newest first, with the same results on both databases.
//!
//! A search first scans the newest few thousand folded texts of the chat or the organization. This fills a
//! page if the words are common, and covers most chats completely. Otherwise, the index of tokens finds every
//! text that has all pairs of characters of the query. Either way, a hit is a text that contains the query.

use super::messages::find_many;
use super::text::contains_text;
use super::{Result, Rows, Store, access, tokens};
use crate::domain::event::MessageRow;
use crate::domain::limits;
use crate::domain::page::{End, Key, Page, PageRequest};
use crate::domain::search::Query;
use crate::domain::viewer::Viewer;
use entity::{ActorId, ChatId, chat, message, message_text};
use sea_orm::sea_query::{self, Alias, Expr, ExprTrait, JoinType, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, Order};
use std::collections::HashMap;
use std::sync::atomic::Ordering;

/// The number of texts that are scanned before the index is used. Scanning them takes some milliseconds.
pub(super) const WALKED: u64 = 5_000;

/// The scope of a search. Only messages that the viewer can see are found.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// The viewer who searches.
    pub viewer: &'a Viewer,
    /// The chat to search. Absent for the whole organization.
    pub chat_id: Option<ChatId>,
    /// Restricts the search to chats with this visitor.
    pub visitor_id: Option<ActorId>,
    /// Whether archived messages are included.
    pub include_archived: bool,
}

/// The position of a text: its own number, and the message's sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    id: i64,
    sequence: i64,
}

impl Place {
    fn moved(self, by: i64) -> Self {
        Self { id: self.id.saturating_add(by), sequence: self.sequence.saturating_add(by) }
    }
}

/// Texts between two positions, both exclusive.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    older_than: Option<Place>,
    newer_than: Option<Place>,
}

/// The message of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hit {
    chat_id: ChatId,
    sequence: i64,
}

/// Finds a page of the messages whose text contains the query, newest first. Keys hold a message's sequence
/// and, for an organization, its chat. The total is counted up to 1,000.
pub async fn page(
    store: &Store,
    scope: &Scope<'_>,
    query: &Query,
    page: &PageRequest,
) -> Result<Page<MessageRow>> {
    let search = Search { scope, query, walked: store.0.walked.load(Ordering::Relaxed) };
    let stretch = Stretch {
        older_than: search.place(store, page.after, Side::AtOrNewer).await?,
        newer_than: search.place(store, page.before, Side::AtOrOlder).await?,
    };
    let order = match page.end {
        End::First => Order::Desc,
        End::Last => Order::Asc,
    };
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut hits = search.hits(store, stretch, order, u64::from(page.limit) + 1).await?;
    let has_more = hits.len() > limit;
    hits.truncate(limit);
    let (mut has_previous, mut has_next) = match page.end {
        End::First => (false, has_more),
        End::Last => {
            hits.reverse();
            (has_more, false)
        }
    };
    if let (Some(place), false) = (stretch.older_than, has_previous) {
        let newer = Stretch { newer_than: Some(place.moved(-1)), older_than: None };
        has_previous = !search.hits(store, newer, Order::Asc, 1).await?.is_empty();
    }
    if let (Some(place), false) = (stretch.newer_than, has_next) {
        let older = Stretch { older_than: Some(place.moved(1)), newer_than: None };
        has_next = !search.hits(store, older, Order::Desc, 1).await?.is_empty();
    }
    let total = if page.with_total {
        let counted = search.hits(store, Stretch::default(), Order::Desc, limits::HITS_COUNTED).await?;
        Some(u64::try_from(counted.len()).unwrap_or_default())
    } else {
        None
    };
    let rows = search.messages(store, hits).await?;
    Ok(Page { rows, has_previous, has_next, total })
}

/// The side of a bound that includes the message of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    AtOrNewer,
    AtOrOlder,
}

struct Search<'a> {
    scope: &'a Scope<'a>,
    query: &'a Query,
    walked: u64,
}

impl Search<'_> {
    /// The position of the text nearest to a key on one side, including the key's own. If there is none, the
    /// end of that side.
    async fn place(&self, store: &Store, key: Option<Key>, side: Side) -> Result<Option<Place>> {
        let Some(Key { value: sequence, id }) = key else { return Ok(None) };
        let chat_id = self.scope.chat_id.unwrap_or(ChatId(id));
        let (bound, order, end) = match side {
            Side::AtOrNewer => (message_text::Column::Sequence.gte(sequence), Order::Asc, i64::MAX),
            Side::AtOrOlder => (message_text::Column::Sequence.lte(sequence), Order::Desc, 0),
        };
        let nearest = sea_query::Query::select()
            .column(message_text::Column::Id)
            .from(message_text::Entity)
            .and_where(message_text::Column::ChatId.eq(chat_id))
            .and_where(message_text::Column::OrganizationId.eq(self.scope.viewer.organization_id))
            .and_where(bound)
            .order_by(message_text::Column::Sequence, order)
            .limit(1)
            .to_owned();
        let row = store.connection().query_one(&nearest).await?;
        let id = row.map(|row| row.try_get("", "id")).transpose()?.unwrap_or(end);
        Ok(Some(Place { id, sequence }))
    }

    /// Finds up to `limit` hits of a stretch, from its newest or its oldest end.
    async fn hits(&self, store: &Store, stretch: Stretch, order: Order, limit: u64) -> Result<Vec<Hit>> {
        let walked = self.walk(store, stretch, order.clone(), limit).await?;
        if u64::try_from(walked.len()).unwrap_or_default() >= limit {
            return Ok(walked);
        }
        let mut beyond = self.texts(stretch, order.clone());
        beyond.column(message_text::Column::Id).offset(self.walked).limit(1);
        if store.connection().query_one(&beyond).await?.is_none() {
            return Ok(walked);
        }
        self.by_index(store, stretch, order, limit).await
    }

    /// Selects the texts of a stretch in order, using only the index of the scope.
    fn texts(&self, stretch: Stretch, order: Order) -> SelectStatement {
        let (column, of): (_, fn(Place) -> i64) = match self.scope.chat_id {
            Some(_) => (message_text::Column::Sequence, |place| place.sequence),
            None => (message_text::Column::Id, |place| place.id),
        };
        let mut texts = sea_query::Query::select();
        texts.from(message_text::Entity).order_by((message_text::Entity, column), order);
        texts.and_where(match self.scope.chat_id {
            Some(chat_id) => message_text::Column::ChatId.eq(chat_id),
            None => message_text::Column::OrganizationId.eq(self.scope.viewer.organization_id),
        });
        if let Some(place) = stretch.older_than {
            texts.and_where(column.lt(of(place)));
        }
        if let Some(place) = stretch.newer_than {
            texts.and_where(column.gt(of(place)));
        }
        texts
    }

    async fn walk(&self, store: &Store, stretch: Stretch, order: Order, limit: u64) -> Result<Vec<Hit>> {
        let mut texts = self.texts(stretch, order.clone());
        texts.columns(COLUMNS.map(|column| (message_text::Entity, column))).limit(self.walked);
        let mut select = sea_query::Query::select();
        select.from_subquery(texts, hit());
        select.join(JoinType::InnerJoin, chat::Entity, chat_of_hit());
        let contains = contains(store, Expr::col((hit(), message_text::Column::Folded)), self.query);
        select.and_where(contains).order_by((hit(), message_text::Column::Id), order);
        self.found(store, select, limit).await
    }

    /// Finds hits through the index. SQLite's index returns them in order and stops at the limit.
    /// PostgreSQL's returns all, which are then verified and sorted. The statement has a fence, which keeps
    /// the planner from scanning the texts instead.
    async fn by_index(&self, store: &Store, stretch: Stretch, order: Order, limit: u64) -> Result<Vec<Hit>> {
        let scope = tokens::of_scope(self.scope.viewer.organization_id, self.scope.chat_id);
        let wanted = tokens::of_query(self.query, scope);
        let mut select = sea_query::Query::select();
        if store.connection().get_database_backend() == DbBackend::Postgres {
            let id = || Expr::col((message_text::Entity, message_text::Column::Id));
            let mut texts = sea_query::Query::select();
            texts
                .columns(COLUMNS.map(|column| (message_text::Entity, column)))
                .from(message_text::Entity)
                .and_where(Expr::cust_with_values("tokens @> CAST($1 AS integer[])", [wanted.as_array()]))
                .and_where(contains(store, Expr::col(message_text::Column::Folded), self.query))
                .offset(0);
            within(&mut texts, &id, stretch);
            select.from_subquery(texts, hit());
            select.join(JoinType::InnerJoin, chat::Entity, chat_of_hit());
            select.order_by((hit(), message_text::Column::Id), order);
        } else {
            let index = Alias::new("message_index");
            let id = || Expr::col((Alias::new("message_index"), Alias::new("rowid")));
            let text =
                Expr::col((hit(), message_text::Column::Id)).equals((index.clone(), Alias::new("rowid")));
            // SQLite joins the tables of cross joins in the written order, so hits come in the order of the
            // index.
            select
                .from(index.clone())
                .join_as(JoinType::CrossJoin, message_text::Entity, hit(), Condition::all())
                .join(JoinType::CrossJoin, chat::Entity, Condition::all())
                .and_where(Expr::cust_with_values("message_index MATCH ?", [wanted.as_document()]))
                .and_where(text)
                .and_where(chat_of_hit())
                .and_where(contains(store, Expr::col((hit(), message_text::Column::Folded)), self.query))
                .order_by((index, Alias::new("rowid")), order);
            within(&mut select, &id, stretch);
        }
        self.found(store, select, limit).await
    }

    /// Filters the hits by visibility and by the arguments of the search.
    async fn found(&self, store: &Store, mut select: SelectStatement, limit: u64) -> Result<Vec<Hit>> {
        select
            .columns(
                [message_text::Column::ChatId, message_text::Column::Sequence].map(|column| (hit(), column)),
            )
            .cond_where(access::sees_chat(self.scope.viewer))
            .cond_where(access::sees_text(
                self.scope.viewer,
                Expr::col((hit(), message_text::Column::IsInternal)),
            ))
            .limit(limit);
        if let Some(chat_id) = self.scope.chat_id {
            select.and_where(chat::Column::Id.eq(chat_id));
        }
        if let Some(visitor_id) = self.scope.visitor_id {
            select.and_where(chat::Column::VisitorId.eq(visitor_id));
        }
        if !self.scope.include_archived {
            let archived = Expr::col((chat::Entity, chat::Column::ArchivedSequence));
            select.and_where(Expr::col((hit(), message_text::Column::Sequence)).gt(archived));
        }
        if let Some(exact) = self.query.exact() {
            only_exact(store, &mut select, exact);
        }
        let found = store.connection().query_all(&select).await?;
        found
            .iter()
            .map(|row| {
                Ok(Hit { chat_id: row.try_get("", "chat_id")?, sequence: row.try_get("", "sequence")? })
            })
            .collect()
    }

    async fn messages(&self, store: &Store, hits: Vec<Hit>) -> Result<Vec<(Key, MessageRow)>> {
        let places: Vec<_> = hits.iter().map(|hit| (hit.chat_id, hit.sequence)).collect();
        let found = find_many(store, self.scope.viewer.organization_id, &places).await?;
        let mut found: HashMap<_, _> =
            found.into_iter().map(|row| ((row.message.chat_id, row.message.sequence), row)).collect();
        let key = |(chat_id, sequence): (ChatId, i64)| Key { value: sequence, id: chat_id.0 };
        Ok(places.into_iter().filter_map(|place| Some((key(place), found.remove(&place)?))).collect())
    }
}

const COLUMNS: [message_text::Column; 5] = [
    message_text::Column::Id,
    message_text::Column::ChatId,
    message_text::Column::Sequence,
    message_text::Column::Folded,
    message_text::Column::IsInternal,
];

fn hit() -> Alias {
    Alias::new("hit")
}

fn chat_of_hit() -> Expr {
    Expr::col((chat::Entity, chat::Column::Id)).equals((hit(), message_text::Column::ChatId))
}

/// Whether a folded text contains the query.
fn contains(store: &Store, folded: Expr, query: &Query) -> Expr {
    contains_text(store, folded, query.folded())
}

/// Keeps only hits whose message contains the query as typed. SQLite joins the tables of cross joins in the
/// written order: the messages come last, each by its position.
fn only_exact(store: &Store, select: &mut SelectStatement, exact: &str) {
    let column = |column| Expr::col((message::Entity, column));
    let is_of_hit = Condition::all()
        .add(column(message::Column::ChatId).equals((hit(), message_text::Column::ChatId)))
        .add(column(message::Column::Sequence).equals((hit(), message_text::Column::Sequence)));
    if store.connection().get_database_backend() == DbBackend::Postgres {
        select.join(JoinType::InnerJoin, message::Entity, is_of_hit);
    } else {
        select.join(JoinType::CrossJoin, message::Entity, Condition::all()).cond_where(is_of_hit);
    }
    select.and_where(contains_text(store, column(message::Column::Text), exact));
}

fn within(select: &mut SelectStatement, id: &dyn Fn() -> Expr, stretch: Stretch) {
    if let Some(place) = stretch.older_than {
        select.and_where(id().lt(place.id));
    }
    if let Some(place) = stretch.newer_than {
        select.and_where(id().gt(place.id));
    }
}
