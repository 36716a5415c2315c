//! Refuses invalid combinations of settings, and names the flag of each.

use super::Config;
use anyhow::bail;
use secrecy::ExposeSecret;

/// The maximum time that a server keeps serving after it was told to stop.
const MOST_DRAIN: std::time::Duration = std::time::Duration::from_mins(5);

impl Config {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let is_database =
            ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| self.database.starts_with(scheme));
        if !is_database {
            bail!("--database: expected postgres://… or sqlite://PATH");
        }
        if !(2..=1_000).contains(&self.database_connections) {
            bail!("--database-connections: expected 2 to 1000, not {}", self.database_connections);
        }
        if self.bus.as_ref().is_some_and(|bus| !bus.starts_with("nats://") && !bus.starts_with("tls://")) {
            bail!("--bus: expected nats://… or tls://…");
        }
        if let Some(url) = &self.public_url
            && !url.starts_with("http://")
            && !url.starts_with("https://")
        {
            bail!("--public-url: expected http://… or https://…, not {url}");
        }
        if self.secret.as_ref().is_some_and(|secret| secret.expose_secret().len() < 32) {
            bail!("--secret: expected at least 32 bytes");
        }
        if !(10..=3_600).contains(&self.presence_ttl) {
            bail!("--presence-ttl: expected 10 to 3600 seconds, not {}", self.presence_ttl);
        }
        if !(1..=2_047).contains(&self.max_upload) {
            bail!("--max-upload: expected 1 to 2047 MiB, not {}", self.max_upload);
        }
        if self.files.contains("://") && !self.files.starts_with("s3://") {
            bail!("--files: expected a folder or s3://BUCKET/PREFIX, not {}", self.files);
        }
        self.patients()?;
        if self.drain > MOST_DRAIN {
            bail!("--drain: expected 0 to {} seconds, not {}", MOST_DRAIN.as_secs(), self.drain.as_secs());
        }
        if self.limits.connections.per_address > 1_000_000 {
            let given = self.limits.connections.per_address;
            bail!("--connections-per-address: expected 0 to 1000000, not {given}");
        }
        if self.webhooks.allowed.has_port(0) {
            bail!("--webhook-ports: expected ports from 1 to 65535");
        }
        if self.rate_limit > 1_000 {
            bail!("--rate-limit: expected 0 to 1000, not {}", self.rate_limit);
        }
        Ok(())
    }
}
