//! Page requests: Relay's four arguments, checked and combined.

use super::limits;
use uuid::Uuid;

/// The exact position of a row in an order: its sort value, and its id if values can be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The sort value: a time in milliseconds, or a sequence.
    pub value: i64,
    /// The row's id. Nil in an order whose values are never equal.
    pub id: Uuid,
}

/// A sort field and a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order<F> {
    /// The field to sort by.
    pub field: F,
    /// Largest first.
    pub is_descending: bool,
}

impl<F> Order<F> {
    /// Smallest first.
    pub const fn ascending(field: F) -> Self {
        Self { field, is_descending: false }
    }

    /// Largest first.
    pub const fn descending(field: F) -> Self {
        Self { field, is_descending: true }
    }
}

/// The end of the list that the page is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// `first`: from the start, forward.
    First,
    /// `last`: from the end, backward.
    Last,
}

/// A checked request for a page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// The maximum number of nodes, 0 to 100.
    pub limit: u32,
    /// The end of the list.
    pub end: End,
    /// Only rows after this one.
    pub after: Option<Key>,
    /// Only rows before this one.
    pub before: Option<Key>,
    /// Whether to count all rows of the list.
    pub with_total: bool,
}

/// The reason why the arguments of a connection are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPage {
    /// `first` and `last` were both given.
    BothEnds,
    /// `first` or `last` is below 0 or above 100.
    OutOfRange,
}

impl std::fmt::Display for BadPage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BothEnds => formatter.write_str("`first` cannot be combined with `last`."),
            Self::OutOfRange => write!(formatter, "`first` and `last` must be 0–{}.", limits::PAGE_MAX),
        }
    }
}

impl PageRequest {
    /// Checks Relay's arguments. Without `first` and `last`, requests the first 25.
    pub fn new(
        first: Option<i32>,
        after: Option<Key>,
        last: Option<i32>,
        before: Option<Key>,
    ) -> Result<Self, BadPage> {
        let (end, limit) = match (first, last) {
            (Some(_), Some(_)) => return Err(BadPage::BothEnds),
            (None, None) => (End::First, limits::PAGE_DEFAULT),
            (Some(first), None) => (End::First, bounded(first)?),
            (None, Some(last)) => (End::Last, bounded(last)?),
        };
        Ok(Self { limit, end, after, before, with_total: false })
    }

    /// The same request with a count of all rows.
    #[must_use]
    pub fn with_total(mut self, with_total: bool) -> Self {
        self.with_total = with_total;
        self
    }
}

fn bounded(count: i32) -> Result<u32, BadPage> {
    u32::try_from(count).ok().filter(|count| *count <= limits::PAGE_MAX).ok_or(BadPage::OutOfRange)
}

/// A page of rows, in the order of the list regardless of the end that it was taken from.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows with their positions.
    pub rows: Vec<(Key, T)>,
    /// Whether rows come before these.
    pub has_previous: bool,
    /// Whether rows come after these.
    pub has_next: bool,
    /// The number of all rows of the list, if requested.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// A page of an empty list.
    #[must_use]
    pub fn nothing() -> Self {
        Self { rows: Vec::new(), has_previous: false, has_next: false, total: Some(0) }
    }

    /// Converts each row of the page, and leaves out those without a result.
    pub fn filter_map<U>(self, mut change: impl FnMut(T) -> Option<U>) -> Page<U> {
        let rows = self.rows.into_iter();
        Page {
            rows: rows.filter_map(|(key, row)| Some((key, change(row)?))).collect(),
            has_previous: self.has_previous,
            has_next: self.has_next,
            total: self.total,
        }
    }

    /// Converts each row of the page.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(|(key, row)| (key, change(row))).collect(),
            has_previous: self.has_previous,
            has_next: self.has_next,
            total: self.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_25_unless_asked_for_otherwise_and_at_most_100() {
        assert_eq!(PageRequest::new(None, None, None, None).map(|page| page.limit), Ok(25));
        assert_eq!(PageRequest::new(Some(100), None, None, None).map(|page| page.limit), Ok(100));
        assert_eq!(PageRequest::new(None, None, Some(0), None).map(|page| page.limit), Ok(0));
        assert_eq!(PageRequest::new(Some(101), None, None, None), Err(BadPage::OutOfRange));
        assert_eq!(PageRequest::new(None, None, Some(-1), None), Err(BadPage::OutOfRange));
        assert_eq!(PageRequest::new(Some(1), None, Some(1), None), Err(BadPage::BothEnds));
    }
}
