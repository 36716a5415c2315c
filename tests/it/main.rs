//! The one test binary: the real app on the real router over real sockets, on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

mod bad_input;
mod bad_query;
mod durability;
mod harness;
mod http;
mod isolation;
mod live;
mod paging;
mod policy;
mod resume;
mod schema;
mod statements;
mod tidy;
mod visibility;
mod websocket;
