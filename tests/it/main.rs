//! The one test binary: the real app on the real router over real sockets, on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

mod durability;
mod harness;
mod http;
mod isolation;
mod live;
mod machine;
mod presence;
mod races;
mod resume;
mod schema;
mod sessions;
mod tidy;
mod websocket;
