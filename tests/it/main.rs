//! The one test binary: the real app on the real router over real sockets, on SQLite and on PostgreSQL.
#![allow(
    clippy::assigning_clones,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::format_push_string,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    clippy::similar_names,
    clippy::unwrap_used,
    clippy::zombie_processes,
    reason = "a test says what it checks as plainly as it can"
)]

mod access;
mod admission;
mod api;
mod archive;
mod bad_input;
mod bad_query;
mod browser;
mod carts;
mod cli;
mod code_map;
mod connection_limits;
mod connections;
mod contract;
mod cost;
mod deactivation;
mod deletion;
mod descriptions;
mod disk;
mod docs;
mod durability;
mod edits;
mod encodings;
mod facts;
mod faults;
mod feeds;
mod frozen;
mod graphiql;
mod harness;
mod http;
mod idle;
mod isolation;
mod large_answers;
mod library_errors;
mod links;
mod live;
mod machine;
mod migrations;
mod names;
mod nodes;
mod notes;
mod open_streams;
mod outages;
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
mod reserved;
mod resume;
mod rooms;
mod schema;
mod scoping;
mod search;
mod session_privacy;
mod sessions;
mod starting;
mod statements;
mod storm;
mod tags;
mod tidy;
mod time;
mod tokens;
mod uploads;
mod visibility;
mod voipbin;
mod webhook_binary;
mod webhook_faults;
mod webhook_guard;
mod webhook_ledger;
mod webhook_patience;
mod webhooks;
mod websocket;
mod widget;
