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
mod carts;
mod cli;
mod contract;
mod deletion;
mod disk;
mod docs;
mod durability;
mod edits;
mod facts;
mod feeds;
mod graphiql;
mod harness;
mod http;
mod idle;
mod isolation;
mod live;
mod machine;
mod nodes;
mod notes;
mod own_views;
mod paging;
mod participants;
mod patient;
mod policy;
mod presence;
mod queue;
mod races;
mod replies;
mod report;
mod resume;
mod schema;
mod search;
mod sessions;
mod starting;
mod statements;
mod tags;
mod tidy;
mod uploads;
mod visibility;
mod voipbin;
mod webhook_binary;
mod webhook_faults;
mod webhook_guard;
mod webhook_ledger;
mod webhooks;
mod websocket;
mod widget;
