//! Settings: one struct for flags, environment variables and the file. Precedence: flag, environment, file,
//! default.

mod check;
#[cfg(test)]
mod tests;

use crate::delivery::{self, Allowed};
use crate::domain::origin;
use crate::http::Limits;
use anyhow::Context;
use clap::Args;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use url::Url;

/// The settings. Each is a flag, a variable `ANTEROOM_…` in the environment, or a line of the file.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// TOML file with settings
    #[arg(long, global = true, env = "ANTEROOM_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Address to listen on; port 0 selects a free port [default: 127.0.0.1:8000]
    #[arg(long, global = true, env = "ANTEROOM_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,

    /// Folder for the SQLite database, the secret and uploaded files [default: data]
    #[arg(long, global = true, env = "ANTEROOM_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,

    /// Database: postgres://… or sqlite://… [default: anteroom.db in the data folder]
    #[arg(long, global = true, env = "ANTEROOM_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,

    /// Maximum number of connections to PostgreSQL, 2 to 1000 [default: 20]
    #[arg(long, global = true, env = "ANTEROOM_DATABASE_CONNECTIONS", value_name = "COUNT")]
    pub database_connections: Option<u32>,

    /// NATS server that notifies other nodes of new events, nats://… or tls://…; a single node needs none
    /// [default: none]
    #[arg(long, global = true, env = "ANTEROOM_BUS", value_name = "URL", hide_env_values = true)]
    pub bus: Option<String>,

    /// Storage for uploaded files: a folder, or a bucket by its s3://… URL [default: files in the data folder]
    #[arg(long, global = true, env = "ANTEROOM_FILES", value_name = "PLACE")]
    pub files: Option<String>,

    /// Maximum size of a file in MiB, 1 to 2047 [default: 25]
    #[arg(long, global = true, env = "ANTEROOM_MAX_UPLOAD", value_name = "MIB")]
    pub max_upload: Option<u32>,

    /// MiB that one visitor may upload in 24 hours; 0 means no limit [default: 200]
    #[arg(long, global = true, env = "ANTEROOM_UPLOAD_QUOTA_VISITOR", value_name = "MIB")]
    pub upload_quota_visitor: Option<u32>,

    /// GiB of files that one organization may store; 0 means no limit [default: 0]
    #[arg(long, global = true, env = "ANTEROOM_UPLOAD_QUOTA_ORGANIZATION", value_name = "GIB")]
    pub upload_quota_organization: Option<u32>,

    /// MiB that uploads must leave free on the disk with the files; 0 means no reserve [default: 1024]
    #[arg(long, global = true, env = "ANTEROOM_MIN_FREE_DISK", value_name = "MIB")]
    pub min_free_disk: Option<u32>,

    /// Keep the metadata of images, such as place, camera and time, instead of removing it [default: false]
    #[arg(
        long,
        global = true,
        env = "ANTEROOM_KEEP_EXIF",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub keep_exif: Option<bool>,

    /// URL at which clients reach the server; links to files begin with it [default: http:// and the listen
    /// address]
    #[arg(long, global = true, env = "ANTEROOM_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// Origins of websites whose pages may call the server from a browser; repeat or separate by commas
    /// [default: only the server's own pages]
    #[arg(
        long,
        global = true,
        env = "ANTEROOM_ALLOWED_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub allowed_origins: Option<Vec<String>>,

    /// Log filter, such as info or anteroom=debug,warn [default: info]
    #[arg(long, global = true, env = "ANTEROOM_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// Log format: text or json [default: text]
    #[arg(long, global = true, env = "ANTEROOM_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Secret that signs tokens, cursors and links to files, at least 32 bytes, the same on all nodes
    /// [default: created at the first start, in the data folder]
    #[arg(long, global = true, env = "ANTEROOM_SECRET", value_name = "TEXT", hide_env_values = true)]
    pub secret: Option<String>,

    /// Seconds until a user's presence expires unless it is renewed, 10 to 3600 [default: 60]
    #[arg(long, global = true, env = "ANTEROOM_PRESENCE_TTL", value_name = "SECONDS")]
    pub presence_ttl: Option<u32>,

    /// Private networks that webhooks may reach, such as 10.1.0.0/16; repeat or separate by commas [default:
    /// none]
    #[arg(long, global = true, env = "ANTEROOM_WEBHOOK_ALLOW", value_name = "CIDR", value_delimiter = ',')]
    pub webhook_allow: Option<Vec<String>>,

    /// Ports of public addresses that webhooks may reach, 1 to 65535; networks of --webhook-allow can be
    /// reached on any port; repeat or separate by commas [default: 443]
    #[arg(long, global = true, env = "ANTEROOM_WEBHOOK_PORTS", value_name = "PORT", value_delimiter = ',')]
    pub webhook_ports: Option<Vec<u16>>,

    /// URL that patientUrl in webhooks begins with [default: the public URL]
    #[arg(long, global = true, env = "ANTEROOM_PATIENT_URL", value_name = "URL")]
    pub patient_url: Option<String>,
    /// Factor that multiplies the rate limits, 0 to 1000; 0 removes them [default: 1]
    #[arg(long, global = true, env = "ANTEROOM_RATE_LIMIT", value_name = "FACTOR")]
    pub rate_limit: Option<u32>,

    /// Networks of reverse proxies whose X-Forwarded-For header is trusted, such as 10.1.0.0/16; repeat or
    /// separate by commas [default: none]
    #[arg(long, global = true, env = "ANTEROOM_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<String>>,

    /// Seconds that the server keeps serving after SIGTERM or SIGINT, while /readyz returns 503, 0 to 300
    /// [default: 5]
    #[arg(long, global = true, env = "ANTEROOM_DRAIN", value_name = "SECONDS")]
    pub drain: Option<u32>,

    /// Replace a missing secret although the database holds organizations; tokens and cursors become invalid
    #[arg(long, global = true)]
    #[serde(skip)]
    pub new_secret: bool,
    /// Maximum number of connections from one client address on which nobody has signed in, 0 to 1000000; 0
    /// means no limit; trusted proxies are not counted [default: 1000]
    #[arg(long, global = true, env = "ANTEROOM_CONNECTIONS_PER_ADDRESS", value_name = "COUNT")]
    pub connections_per_address: Option<u32>,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines of text for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Checked settings with every default filled in.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The data folder.
    pub data: PathBuf,
    /// The database's URL.
    pub database: String,
    /// Whether the database was chosen, rather than the embedded default.
    pub is_database_chosen: bool,
    /// The maximum number of connections to PostgreSQL.
    pub database_connections: u32,
    /// The bus's URL.
    pub bus: Option<String>,
    /// The storage for files: a folder, or the URL of a bucket.
    pub files: String,
    /// The maximum size of a file, in MiB.
    pub max_upload: u32,
    /// MiB that one visitor may upload in 24 hours; 0 means no limit.
    pub upload_quota_visitor: u32,
    /// GiB of files that one organization may store; 0 means no limit.
    pub upload_quota_organization: u32,
    /// MiB that uploads must leave free on the disk with the files.
    pub min_free_disk: u32,
    /// Whether images keep their metadata.
    pub keep_exif: bool,
    /// The time that an upload may wait for its first bytes. Not a setting; tests shorten it.
    pub upload_patience: std::time::Duration,
    /// The URL at which clients reach the server.
    pub public_url: Option<String>,
    /// Origins of websites whose pages may call the server.
    pub allowed_origins: Vec<String>,
    /// The log filter.
    pub log: String,
    /// The log format.
    pub log_format: LogFormat,
    /// The secret, if it is configured.
    pub secret: Option<SecretString>,
    /// The seconds until a presence expires unless it is renewed.
    pub presence_ttl: u32,
    /// The URL that `patientUrl` begins with.
    pub patient_url: Option<String>,
    /// The settings of webhook deliveries.
    pub webhooks: delivery::Settings,
    /// The factor that multiplies the rate limits.
    pub rate_limit: u32,
    /// Networks of proxies whose `X-Forwarded-For` header is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The time that the server keeps serving after it was told to stop.
    pub drain: std::time::Duration,
    /// Whether to replace a missing secret although the database is in use.
    pub new_secret: bool,
    /// Limits of requests, sockets and connections. Not settings, except the connections per address; tests
    /// shorten them.
    pub limits: Limits,
    /// Items that a reader may fall behind before it reads the log instead. Not a setting; tests lower it.
    pub hub_capacity: usize,
    /// The interval of the sweep for lost hints. Not a setting; tests shorten it.
    pub sweep: std::time::Duration,
    /// The time that a stream waits for a database that does not answer before its connection is closed, at
    /// most 20 seconds of it before the stream starts. Not a setting; tests shorten it.
    pub stream_patience: std::time::Duration,
    /// The interval of deadline checks: unanswered sessions, expired presences. Not a setting; tests shorten
    /// it.
    pub tick: std::time::Duration,
    /// The time after its start in which a node ends no presence. Not a setting; tests shorten it.
    pub grace: std::time::Duration,
}

impl Settings {
    /// Reads the file, fills in the defaults, and checks all values.
    pub fn resolve(self) -> anyhow::Result<Config> {
        let settings = match &self.config {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("--config: could not read {}", path.display()))?;
                let file = toml::from_str(&text).with_context(|| format!("--config: {}", path.display()))?;
                self.or(file)
            }
            None => self,
        };
        let Self {
            config: _,
            listen,
            data,
            database,
            database_connections,
            bus,
            files,
            max_upload,
            upload_quota_visitor,
            upload_quota_organization,
            min_free_disk,
            keep_exif,
            public_url,
            allowed_origins,
            log,
            log_format,
            secret,
            presence_ttl,
            webhook_allow,
            webhook_ports,
            patient_url,
            rate_limit,
            trusted_proxies,
            drain,
            new_secret,
            connections_per_address,
        } = settings;
        let data = data.unwrap_or_else(|| PathBuf::from("data"));
        let is_database_chosen = database.is_some();
        let presence_ttl = presence_ttl.unwrap_or(60);
        let allowed = Allowed::new(networks("--webhook-allow", &webhook_allow.unwrap_or_default())?);
        let config = Config {
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8000))),
            database: database.unwrap_or_else(|| sqlite_url(&data.join("anteroom.db"))),
            is_database_chosen,
            database_connections: database_connections.unwrap_or(20),
            bus,
            files: files.unwrap_or_else(|| data.join("files").to_string_lossy().into_owned()),
            max_upload: max_upload.unwrap_or(25),
            upload_quota_visitor: upload_quota_visitor.unwrap_or(200),
            upload_quota_organization: upload_quota_organization.unwrap_or(0),
            min_free_disk: min_free_disk.unwrap_or(1_024),
            keep_exif: keep_exif.unwrap_or(false),
            upload_patience: std::time::Duration::from_secs(10),
            public_url,
            allowed_origins: checked_origins(&allowed_origins.unwrap_or_default())?,
            log: log.unwrap_or_else(|| "info".into()),
            log_format: log_format.unwrap_or_default(),
            secret: secret.map(SecretString::from),
            presence_ttl,
            patient_url,
            webhooks: delivery::Settings {
                allowed: match webhook_ports {
                    Some(ports) => allowed.on_ports(ports),
                    None => allowed,
                },
                ..delivery::Settings::default()
            },
            rate_limit: rate_limit.unwrap_or(1),
            trusted_proxies: networks("--trusted-proxies", &trusted_proxies.unwrap_or_default())?,
            drain: std::time::Duration::from_secs(drain.unwrap_or(5).into()),
            new_secret,
            data,
            limits: limits(presence_ttl, connections_per_address),
            hub_capacity: 256,
            sweep: std::time::Duration::from_secs(2),
            stream_patience: std::time::Duration::from_secs(45),
            tick: std::time::Duration::from_secs(1),
            grace: std::time::Duration::from_mins(1),
        };
        config.check()?;
        Ok(config)
    }

    fn or(self, file: Self) -> Self {
        Self {
            config: self.config,
            listen: self.listen.or(file.listen),
            data: self.data.or(file.data),
            database: self.database.or(file.database),
            database_connections: self.database_connections.or(file.database_connections),
            bus: self.bus.or(file.bus),
            files: self.files.or(file.files),
            max_upload: self.max_upload.or(file.max_upload),
            upload_quota_visitor: self.upload_quota_visitor.or(file.upload_quota_visitor),
            upload_quota_organization: self.upload_quota_organization.or(file.upload_quota_organization),
            min_free_disk: self.min_free_disk.or(file.min_free_disk),
            keep_exif: self.keep_exif.or(file.keep_exif),
            public_url: self.public_url.or(file.public_url),
            allowed_origins: self.allowed_origins.or(file.allowed_origins),
            log: self.log.or(file.log),
            log_format: self.log_format.or(file.log_format),
            secret: self.secret.or(file.secret),
            presence_ttl: self.presence_ttl.or(file.presence_ttl),
            webhook_allow: self.webhook_allow.or(file.webhook_allow),
            webhook_ports: self.webhook_ports.or(file.webhook_ports),
            patient_url: self.patient_url.or(file.patient_url),
            rate_limit: self.rate_limit.or(file.rate_limit),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies),
            drain: self.drain.or(file.drain),
            new_secret: self.new_secret,
            connections_per_address: self.connections_per_address.or(file.connections_per_address),
        }
    }
}

/// The URL of a SQLite file.
#[must_use]
pub fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}?mode=rwc", path.display())
}

impl Config {
    /// The file of the embedded database. `None` on PostgreSQL.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        let path = self.database.strip_prefix("sqlite://")?;
        Some(Path::new(path.split('?').next().unwrap_or(path)))
    }

    /// The base URL of `patientUrl`: the setting or, if absent, the public URL.
    pub fn patients(&self) -> anyhow::Result<Url> {
        let (flag, text) = match (&self.patient_url, &self.public_url) {
            (Some(url), _) => ("--patient-url", url.clone()),
            (None, Some(url)) => ("--public-url", url.clone()),
            (None, None) => ("--listen", format!("http://{}", self.listen)),
        };
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        url.with_context(|| format!("{flag}: expected http://… or https://…, not {text}"))
    }
}

/// Parses networks in CIDR notation. A single address is a network of one.
fn networks(flag: &str, texts: &[String]) -> anyhow::Result<Vec<IpNet>> {
    let network = |text: &String| {
        let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        network.with_context(|| format!("{flag}: expected a network such as 10.1.0.0/16, not {text}"))
    };
    texts.iter().map(network).collect()
}

/// Normalizes origins to the form that browsers send.
fn checked_origins(given: &[String]) -> anyhow::Result<Vec<String>> {
    let checked = |text: &String| {
        let origin = origin::normalized(text);
        origin.with_context(|| format!("--allowed-origins: {text:?} is not an origin. {}", origin::REASON))
    };
    given.iter().map(checked).collect()
}

/// The limits of a server with this presence TTL.
fn limits(presence_ttl: u32, connections_per_address: Option<u32>) -> Limits {
    let mut limits = Limits::default();
    // An open socket renews a presence only while its client answers pings, so pings must be more frequent
    // than the expiry.
    let third = std::time::Duration::from_secs(presence_ttl.into()) / 3;
    limits.ping_every = limits.ping_every.min(third);
    if let Some(count) = connections_per_address {
        limits.connections.per_address = usize::try_from(count).unwrap_or(usize::MAX);
    }
    limits
}
