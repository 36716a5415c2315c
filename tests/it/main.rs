//! The one test binary: the real app on the real router over real sockets, on SQLite and on PostgreSQL.
#![allow(
    clippy::assigning_clones,
    clippy::format_push_string,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    clippy::similar_names,
    clippy::unwrap_used,
    clippy::zombie_processes,
    reason = "a test says what it checks as plainly as it can"
)]

mod admission;
mod archive;
mod bad_input;
mod bad_query;
mod browser;
mod cli;
mod contract;
mod deletion;
mod docs;
mod durability;
mod edits;
mod feeds;
mod graphiql;
mod harness;
mod http;
mod isolation;
mod live;
mod machine;
mod nodes;
mod notes;
mod paging;
mod participants;
mod patient;
mod policy;
mod presence;
mod races;
mod resume;
mod schema;
mod search;
mod sessions;
mod starting;
mod statements;
mod tidy;
mod uploads;
mod visibility;
mod webhook_binary;
mod webhook_faults;
mod webhook_guard;
mod webhook_ledger;
mod webhooks;
mod websocket;
mod widget;
