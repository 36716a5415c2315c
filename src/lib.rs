//! Anteroom: a self-hosted GraphQL server for conversations. Start reading at `ARCHITECTURE.md`.

pub mod actions;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod demo;
pub mod domain;
pub mod files;
pub mod graphql;
pub mod http;
pub mod live;
pub mod store;
mod telemetry;
mod workers;
