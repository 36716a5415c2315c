//! The log: structured lines on standard error, with ids but without personal data.

use crate::config::{Config, LogFormat};
use anyhow::Context;
use std::io::IsTerminal;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging with the configured filter and format.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log).context("--log")?;
    let filter = filter.and(filter_fn(is_without_secrets));
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry();
    let started = match config.log_format {
        LogFormat::Text => registry.with(log.with_filter(filter)).try_init(),
        LogFormat::Json => registry.with(log.json().with_filter(filter)).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log could not be started: {error}"))
}

/// Crates whose lines below INFO are useful, and contain neither tokens nor messages.
const TALKATIVE: [&str; 4] = ["anteroom", "tower_http", "sqlx", "sea_orm"];

/// Whether a line cannot contain a token. Lines of other crates below INFO may: frames of sockets, headers of
/// requests, and statements with their values.
fn is_without_secrets(metadata: &Metadata<'_>) -> bool {
    let source = metadata.target().split("::").next().unwrap_or_default();
    let is_talkative = TALKATIVE.contains(&source) && *metadata.level() <= Level::DEBUG;
    *metadata.level() <= Level::INFO || is_talkative || source == "anteroom"
}
