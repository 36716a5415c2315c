//! Relay connections: a page of the store with cursors.

use super::error::{Fault, Result};
use crate::domain::description::Description;
use crate::domain::page::{Key, Page, PageRequest};
use crate::live::CursorError;
use async_graphql::{Context, SimpleObject};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt::Display;
use uuid::Uuid;

/// The four arguments of a Relay connection.
pub(super) struct PageArguments {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

impl PageArguments {
    /// The page request for a list whose cursors are keys.
    pub(super) fn request(self, context: &Context<'_>, list: List) -> Result<PageRequest> {
        self.request_by(context, |cursor| list.key(cursor))
    }

    /// The page request for a list with its own cursor format. The total is counted only if it is selected.
    pub(super) fn request_by(
        self,
        context: &Context<'_>,
        decode: impl Fn(&str) -> Result<Key>,
    ) -> Result<PageRequest> {
        let Self { first, after, last, before } = self;
        let decode = |cursor: Option<String>| cursor.map(|cursor| decode(&cursor)).transpose();
        let request = PageRequest::new(first, decode(after)?, last, decode(before)?)?;
        Ok(request.with_total(context.look_ahead().field("totalCount").exists()))
    }
}

/// The list that a cursor belongs to. Each cursor contains a few bytes of its digest, so a cursor of another
/// list or another order is refused.
#[derive(Clone, Copy)]
pub(super) struct List([u8; 4]);

impl List {
    /// The list with this name, of a type that has one list of this name.
    pub(super) fn named(name: &str) -> Self {
        Self::described(&Description::of(name))
    }

    /// The list with this name, of the object with this id.
    pub(super) fn of(name: &str, id: impl Display) -> Self {
        Self::described(&Description::of(name).with("of", Some(id)))
    }

    /// The list with this name of the object with this id, in an order.
    pub(super) fn ordered(name: &str, id: impl Display, field: &str, is_descending: bool) -> Self {
        let list = Description::of(name).with("of", Some(id));
        Self::described(&list.with("orderBy", Some(field)).with_flag("descending", is_descending))
    }

    /// The list with this description.
    pub(super) fn described(description: &Description) -> Self {
        let digest = description.digest();
        Self([digest[0], digest[1], digest[2], digest[3]])
    }

    /// The opaque cursor of a key.
    pub(super) fn cursor(self, key: Key) -> String {
        let mut bytes = [0_u8; 28];
        bytes[..4].copy_from_slice(&self.0);
        bytes[4..12].copy_from_slice(&key.value.to_be_bytes());
        bytes[12..].copy_from_slice(key.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn key(self, cursor: &str) -> Result<Key> {
        let key = || {
            let bytes: [u8; 28] = URL_SAFE_NO_PAD.decode(cursor).ok()?.try_into().ok()?;
            let place = bytes.strip_prefix(&self.0)?;
            let (value, id) = place.split_first_chunk()?;
            Some(Key { value: i64::from_be_bytes(*value), id: Uuid::from_slice(id).ok()? })
        };
        key().ok_or_else(|| CursorError::Invalid.into())
    }
}

/// The position of a page in its list.
#[derive(SimpleObject)]
pub(super) struct PageInfo {
    /// True if the list has items before this page.
    pub has_previous_page: bool,
    /// True if the list has items after this page.
    pub has_next_page: bool,
    /// The cursor of the first item. Pass it as `before` to read backward. Null for an empty page.
    pub start_cursor: Option<String>,
    /// The cursor of the last item. Pass it as `after` to read forward. Null for an empty page.
    pub end_cursor: Option<String>,
}

/// The bounds of a page, and the number of rows of its whole list.
pub(super) struct Bounds {
    pub has_previous: bool,
    pub has_next: bool,
    pub total: Option<u64>,
}

impl Bounds {
    pub(super) fn of<T>(page: &Page<T>) -> Self {
        Self { has_previous: page.has_previous, has_next: page.has_next, total: page.total }
    }

    pub(super) fn total(&self) -> Result<i32> {
        let total = self.total.ok_or_else(|| Fault::internal("a total was not counted"))?;
        Ok(i32::try_from(total).unwrap_or(i32::MAX))
    }
}

/// Declares the connection and the edge of a node type. Fields after the semicolon are added to the
/// connection.
macro_rules! connection {
    (
        $(#[$connection_doc:meta])* $connection:ident,
        $(#[$edge_doc:meta])* $edge:ident of $node:ty,
        fields { $($field:ident: $field_type:ty),* }
        $($more:tt)*
    ) => {
        pub(in crate::graphql) struct $edge {
            pub(in crate::graphql) cursor: String,
            pub(in crate::graphql) node: $node,
        }

        $(#[$edge_doc])*
        #[async_graphql::Object]
        impl $edge {
            /// The position of the item in the list. Pass it as `after` or `before`.
            async fn cursor(&self) -> &str {
                &self.cursor
            }

            /// The item at the end of the edge.
            async fn node(&self) -> &$node {
                &self.node
            }
        }

        pub(in crate::graphql) struct $connection {
            edges: Vec<$edge>,
            bounds: $crate::graphql::connection::Bounds,
            $($field: $field_type,)*
        }

        impl $connection {
            /// The connection of a page. `cursor` returns the cursor of a row.
            pub(in crate::graphql) fn new<T>(
                page: $crate::domain::page::Page<T>,
                $($field: $field_type,)*
                cursor: impl Fn(&T, $crate::domain::page::Key) -> String,
                node: impl Fn(T) -> $node,
            ) -> Self {
                let bounds = $crate::graphql::connection::Bounds::of(&page);
                let edge = |(key, row)| $edge { cursor: cursor(&row, key), node: node(row) };
                Self { edges: page.rows.into_iter().map(edge).collect(), bounds, $($field,)* }
            }
        }

        $(#[$connection_doc])*
        #[async_graphql::Object]
        impl $connection {
            /// The items of this page with their cursors.
            async fn edges(&self) -> &[$edge] {
                &self.edges
            }

            /// The items of this page, without cursors.
            async fn nodes(&self) -> Vec<&$node> {
                self.edges.iter().map(|edge| &edge.node).collect()
            }

            /// The position of the page in the list. Both `hasNextPage` and `hasPreviousPage` are always
            /// exact.
            async fn page_info(&self) -> $crate::graphql::connection::PageInfo {
                $crate::graphql::connection::PageInfo {
                    has_previous_page: self.bounds.has_previous,
                    has_next_page: self.bounds.has_next,
                    start_cursor: self.edges.first().map(|edge| edge.cursor.clone()),
                    end_cursor: self.edges.last().map(|edge| edge.cursor.clone()),
                }
            }

            /// The number of items in the whole list, not only on this page. The server counts them only if
            /// this field is selected.
            async fn total_count(&self) -> $crate::graphql::error::Result<i32> {
                self.bounds.total()
            }

            $($more)*
        }
    };
}

pub(super) use connection;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_cursors_have_the_bytes_of_version_one() {
        let key = Key { value: 1_800_000_000_000, id: Uuid::from_u128(9) };
        let chat_id = Uuid::from_u128(7);
        for (list, cursor) in [
            (List::named("rooms"), "a9HHKQAAAaMYXFAAAAAAAAAAAAAAAAAAAAAACQ"),
            (List::of("chatSessions", chat_id), "L_6SYQAAAaMYXFAAAAAAAAAAAAAAAAAAAAAACQ"),
            (
                List::ordered("chatSessions", chat_id, "SCHEDULED_AT", true),
                "alVFHgAAAaMYXFAAAAAAAAAAAAAAAAAAAAAACQ",
            ),
        ] {
            assert_eq!(list.cursor(key), cursor);
        }
    }

    #[test]
    fn a_cursor_keeps_the_whole_key() {
        let list = List::named("rooms");
        let key = Key { value: -7, id: Uuid::from_u128(9) };
        assert_eq!(list.key(&list.cursor(key)).ok(), Some(key));
        assert!(List::named("users").key(&list.cursor(key)).is_err());
        for malformed in ["", "x", "MTIz", &format!("{}A", list.cursor(key)), &list.cursor(key)[1..]] {
            assert!(list.key(malformed).is_err(), "{malformed}");
        }
    }
}
