//! Pagination by key, never by offset. One statement reads a page of one list or of many.

use super::{Result, Rows};
use crate::domain::page::{End, Key, Page, PageRequest};
use sea_orm::sea_query::{Alias, Asterisk, Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, ModelTrait, Order, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select, Statement,
};

/// The sort order of a list: an integer column, and the id if its values can be equal.
#[derive(Clone, Copy)]
pub(super) struct Sorting<E: EntityTrait> {
    pub value: E::Column,
    pub id: Option<E::Column>,
    pub is_descending: bool,
    pub way: Way,
}

/// The method of reading the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// An index has the rows in the requested order.
    InOrder,
    /// An index of a joined table has the rows in the requested order.
    Through(Through),
    /// Few rows match a condition and are sorted. No index is scanned for its order.
    Sorted,
}

/// Columns of a joined table that have the same values as those of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Through {
    pub table: &'static str,
    pub value: &'static str,
    pub id: &'static str,
}

impl<E: EntityTrait> Sorting<E> {
    pub(super) fn ascending(value: E::Column, id: E::Column) -> Self {
        Self::by(value, id, false)
    }

    /// An order that an index has.
    pub(super) fn by(value: E::Column, id: E::Column, is_descending: bool) -> Self {
        Self { value, id: Some(id), is_descending, way: Way::InOrder }
    }

    /// Rows after `key` in the order, including `key` if `inclusive`.
    pub(super) fn after(self, key: Key, inclusive: bool) -> Expr {
        self.beyond(key, self.is_descending, inclusive)
    }

    /// Rows before `key` in the order, including `key` if `inclusive`.
    fn before(self, key: Key, inclusive: bool) -> Expr {
        self.beyond(key, !self.is_descending, inclusive)
    }

    fn value_column(self) -> Expr {
        match self.way {
            Way::InOrder => Expr::col(self.value.as_column_ref()),
            Way::Through(Through { table, value, .. }) => Expr::col((Alias::new(table), Alias::new(value))),
            Way::Sorted => Expr::col(self.value.as_column_ref()).add(0),
        }
    }

    /// The tie-breaking column, if values can be equal.
    fn tie_column(self) -> Option<Expr> {
        let own = self.id?;
        Some(match self.way {
            Way::Through(Through { table, id, .. }) => Expr::col((Alias::new(table), Alias::new(id))),
            Way::InOrder | Way::Sorted => Expr::col(own.as_column_ref()),
        })
    }

    /// An index can use only the first comparison; the second breaks ties.
    fn beyond(self, key: Key, smaller: bool, inclusive: bool) -> Expr {
        let Key { value, id } = key;
        let column = self.value_column();
        let Some(tie) = self.tie_column() else {
            return match (smaller, inclusive) {
                (true, true) => column.lte(value),
                (true, false) => column.lt(value),
                (false, true) => column.gte(value),
                (false, false) => column.gt(value),
            };
        };
        let tied = match (smaller, inclusive) {
            (true, true) => tie.lte(id),
            (true, false) => tie.lt(id),
            (false, true) => tie.gte(id),
            (false, false) => tie.gt(id),
        };
        if smaller {
            column.clone().lte(value).and(column.lt(value).or(tied))
        } else {
            column.clone().gte(value).and(column.gt(value).or(tied))
        }
    }

    fn order(self, mut select: Select<E>, is_reversed: bool) -> Select<E> {
        let order = if self.is_descending == is_reversed { Order::Asc } else { Order::Desc };
        select = select.order_by(self.value_column(), order.clone());
        match self.tie_column() {
            Some(id) => select.order_by(id, order),
            None => select,
        }
    }

    fn key(self, row: &E::Model) -> Key {
        let value = number_of(row.get(self.value));
        let id = self.id.map_or(uuid::Uuid::nil(), |id| uuid_of(row.get(id)));
        Key { value, id }
    }
}

/// Reads a sort value, an integer. Rows without a value are never in such a list.
fn number_of(value: sea_orm::Value) -> i64 {
    value.unwrap::<Option<i64>>().unwrap_or_default()
}

fn uuid_of(value: sea_orm::Value) -> uuid::Uuid {
    value.unwrap::<Option<uuid::Uuid>>().unwrap_or_default()
}

/// A page of one list.
pub(super) async fn page<E>(
    rows: &impl Rows,
    list: Select<E>,
    sorting: Sorting<E>,
    request: &PageRequest,
) -> Result<Page<E::Model>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + FromQueryResult + Send + Sync,
{
    let connection = rows.connection();
    let found = window(&list, sorting, request).all(connection).await?;
    let mut page = arrange(found, sorting, request);
    // Without cursors, the other side of the page is known to be empty and needs no statement.
    if let (Some(after), false) = (request.after, page.has_previous) {
        page.has_previous = exists(connection, &list, sorting, sorting.before(after, true)).await?;
    }
    if let (Some(before), false) = (request.before, page.has_next) {
        page.has_next = exists(connection, &list, sorting, sorting.after(before, true)).await?;
    }
    if request.with_total {
        page.total = Some(count(connection, &list).await?);
    }
    Ok(page)
}

/// Reads up to `request.limit` rows with the row at `key` in the middle. With an even limit, the extra row
/// comes after it when paging from the start, before it when paging from the end. Near an end of the list,
/// the other side fills the page.
pub(super) async fn page_around<E>(
    rows: &impl Rows,
    list: &Select<E>,
    sorting: Sorting<E>,
    key: Key,
    request: &PageRequest,
) -> Result<Page<E::Model>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + FromQueryResult + Send + Sync,
{
    let connection = rows.connection();
    let side = |end, condition| {
        let request = PageRequest { end, after: None, before: None, ..request.clone() };
        window(&list.clone().filter(condition), sorting, &request).all(connection)
    };
    let mut earlier = side(End::Last, sorting.before(key, false)).await?;
    let mut later = side(End::First, sorting.after(key, true)).await?;
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let wanted = match request.end {
        End::First => limit.saturating_sub(1) / 2,
        End::Last => limit / 2,
    };
    let kept_earlier = wanted.max(limit.saturating_sub(later.len())).min(earlier.len());
    let kept_later = (limit - kept_earlier).min(later.len());
    let (has_previous, has_next) = (earlier.len() > kept_earlier, later.len() > kept_later);
    earlier.truncate(kept_earlier);
    later.truncate(kept_later);
    let rows = earlier.into_iter().rev().chain(later).map(|row| (sorting.key(&row), row)).collect();
    let total = if request.with_total { Some(count(connection, list).await?) } else { None };
    Ok(Page { rows, has_previous, has_next, total })
}

/// Reads a page of the union of disjoint lists. Each list is read with its own plan.
pub(super) async fn page_of_all<E>(
    rows: &impl Rows,
    lists: &[(Select<E>, Sorting<E>)],
    request: &PageRequest,
) -> Result<Page<E::Model>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + FromQueryResult + Send + Sync,
{
    let mut pages = Vec::with_capacity(lists.len());
    for (list, sorting) in lists {
        pages.push(page(rows, list.clone(), *sorting, request).await?);
    }
    let is_descending = lists.first().is_some_and(|(_, sorting)| sorting.is_descending);
    Ok(merged(pages, is_descending, request))
}

/// Merges the pages of several lists at the same position into one page.
fn merged<T>(pages: Vec<Page<T>>, is_descending: bool, request: &PageRequest) -> Page<T> {
    let (mut has_previous, mut has_next, mut total) = (false, false, request.with_total.then_some(0));
    let mut rows = Vec::new();
    for page in pages {
        has_previous |= page.has_previous;
        has_next |= page.has_next;
        total = total.zip(page.total).map(|(all, own)| all + own);
        rows.extend(page.rows);
    }
    rows.sort_by(|(one, _), (other, _)| {
        let order = (one.value, one.id).cmp(&(other.value, other.id));
        if is_descending { order.reverse() } else { order }
    });
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let surplus = rows.len().saturating_sub(limit);
    match request.end {
        End::First => rows.truncate(limit),
        End::Last => drop(rows.drain(..surplus)),
    }
    has_previous |= request.end == End::Last && surplus > 0;
    has_next |= request.end == End::First && surplus > 0;
    Page { rows, has_previous, has_next, total }
}

/// The query plan of a page, line by line.
pub(super) async fn explain<E>(
    rows: &impl Rows,
    list: &Select<E>,
    sorting: Sorting<E>,
    request: &PageRequest,
) -> Result<Vec<String>>
where
    E: EntityTrait,
{
    let connection = rows.connection();
    let backend = connection.get_database_backend();
    let is_sqlite = backend == DbBackend::Sqlite;
    let (explain, column) =
        if is_sqlite { ("EXPLAIN QUERY PLAN", "detail") } else { ("EXPLAIN", "QUERY PLAN") };
    let Statement { sql, values, .. } = window(list, sorting, request).build(backend);
    let statement = Statement { sql: format!("{explain} {sql}"), values, db_backend: backend };
    let lines = connection.query_all_raw(statement).await?;
    lines.iter().map(|line| Ok(line.try_get("", column)?)).collect()
}

/// Reads the same page of the lists of several owners, in the order of the lists. Without cursors, this takes
/// one statement, and another for the counts: a limited part per owner, so that each is read from its index.
pub(super) async fn page_of_each<E>(
    rows: &impl Rows,
    lists: Vec<Select<E>>,
    sorting: Sorting<E>,
    request: &PageRequest,
    owner: impl Fn(&E::Model) -> usize,
) -> Result<Vec<Page<E::Model>>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + FromQueryResult + Send + Sync,
{
    let mut pages = Vec::with_capacity(lists.len());
    if request.after.is_some() || request.before.is_some() {
        for list in lists {
            pages.push(page(rows, list, sorting, request).await?);
        }
        return Ok(pages);
    }
    let mut found: Vec<Vec<E::Model>> = lists.iter().map(|_| Vec::new()).collect();
    for part in lists.chunks(PARTS) {
        let windows = part.iter().map(|list| window(list, sorting, request).into_query());
        if let Some(statement) = union(windows) {
            for row in connection_rows::<E>(rows, &statement).await? {
                if let Some(rows) = found.get_mut(owner(&row)) {
                    rows.push(row);
                }
            }
        }
    }
    pages.extend(found.into_iter().map(|rows| arrange(rows, sorting, request)));
    if request.with_total {
        let totals = count_each(rows.connection(), &lists).await?;
        for (page, total) in pages.iter_mut().zip(totals) {
            page.total = Some(total);
        }
    }
    Ok(pages)
}

/// The maximum number of lists read in one statement. SQLite allows at most 500.
const PARTS: usize = 250;

async fn connection_rows<E>(rows: &impl Rows, statement: &SelectStatement) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::Model: FromQueryResult,
{
    rows.connection()
        .query_all(statement)
        .await?
        .iter()
        .map(|row| E::Model::from_query_result(row, "").map_err(Into::into))
        .collect()
}

/// The union of the statements. Each keeps its own order and limit.
fn union(statements: impl Iterator<Item = SelectStatement>) -> Option<SelectStatement> {
    statements
        .map(|statement| {
            Query::select().column(Asterisk).from_subquery(statement, Alias::new("part")).to_owned()
        })
        .reduce(|mut all, part| all.union(UnionType::All, part).to_owned())
}

/// Selects the rows of the page and one more, in reading order: from the page's own end.
fn window<E>(list: &Select<E>, sorting: Sorting<E>, request: &PageRequest) -> Select<E>
where
    E: EntityTrait,
{
    let mut select = list.clone();
    if let Some(after) = request.after {
        select = select.filter(sorting.after(after, false));
    }
    if let Some(before) = request.before {
        select = select.filter(sorting.before(before, false));
    }
    sorting.order(select, request.end == End::Last).limit(u64::from(request.limit) + 1)
}

fn arrange<E>(mut found: Vec<E::Model>, sorting: Sorting<E>, request: &PageRequest) -> Page<E::Model>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
{
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let has_more = found.len() > limit;
    found.truncate(limit);
    let (has_previous, has_next) = match request.end {
        End::First => (false, has_more),
        End::Last => {
            found.reverse();
            (has_more, false)
        }
    };
    let rows = found.into_iter().map(|row| (sorting.key(&row), row)).collect();
    Page { rows, has_previous, has_next, total: None }
}

async fn exists<E>(
    connection: &impl ConnectionTrait,
    list: &Select<E>,
    sorting: Sorting<E>,
    condition: Expr,
) -> Result<bool>
where
    E: EntityTrait,
{
    let found: Option<i64> = list
        .clone()
        .filter(condition)
        .select_only()
        .column(sorting.value)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(found.is_some())
}

async fn count<E>(connection: &impl ConnectionTrait, list: &Select<E>) -> Result<u64>
where
    E: EntityTrait,
{
    Ok(count_each(connection, std::slice::from_ref(list)).await?.pop().unwrap_or_default())
}

/// The number of rows of each of the lists.
async fn count_each<E>(connection: &impl ConnectionTrait, lists: &[Select<E>]) -> Result<Vec<u64>>
where
    E: EntityTrait,
{
    let mut totals = vec![0; lists.len()];
    for (part, totals) in lists.chunks(PARTS).zip(totals.chunks_mut(PARTS)) {
        let counts = part.iter().enumerate().map(|(place, list)| {
            let place = Expr::cust(format!("CAST({place} AS bigint)"));
            let count = list.clone().select_only().expr_as(place, "place");
            count.column_as(Expr::cust("count(*)"), "total").into_query()
        });
        let Some(statement) = union(counts) else { continue };
        for row in connection.query_all(&statement).await? {
            let (place, total): (i64, i64) = (row.try_get("", "place")?, row.try_get("", "total")?);
            if let Some(found) = usize::try_from(place).ok().and_then(|place| totals.get_mut(place)) {
                *found = u64::try_from(total).unwrap_or_default();
            }
        }
    }
    Ok(totals)
}
