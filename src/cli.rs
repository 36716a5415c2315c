//! The command line: the commands of the binary.

use crate::actions::{IssueToken, NewOrganization, TokenSubject};
use crate::app::{App, Base, Reserved};
use crate::clock::Clock;
use crate::config::{Config, Settings};
use crate::demo::{self, Demo};
use crate::domain::field_path::FieldPath;
use crate::domain::limits;
use crate::{graphql, http, telemetry};
use anyhow::{Context, bail};
use clap::builder::RangedI64ValueParser;
use clap::{Parser, Subcommand};
use entity::{ActorId, ActorType};
use std::io::Write;
use std::net::SocketAddr;
use tokio::signal::unix::{SignalKind, signal};

/// Self-hosted GraphQL server for chat
#[derive(Parser, Debug)]
#[command(name = "anteroom", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
    /// Start without the demo organization
    #[arg(long)]
    no_demo: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the server (the default command)
    Serve {
        /// Start without the demo organization
        #[arg(long)]
        no_demo: bool,
    },
    /// Create an organization with its first admin, and print a token for the admin
    Init {
        /// Name of the customer
        #[arg(long)]
        tenant: String,
        /// Name of the customer's instance
        #[arg(long)]
        instance: String,
        /// Name of the first admin
        #[arg(long)]
        admin: String,
        /// Name of the organization to show [default: the tenant]
        #[arg(long)]
        name: Option<String>,
        /// Lifetime of the token in seconds, 60 to 31536000
        #[arg(long, default_value_t = 86_400, value_parser = token_seconds())]
        expires_in: i32,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a token for an actor or an API client of an organization
    Token {
        /// Name of the customer
        #[arg(long)]
        tenant: String,
        /// Name of the customer's instance
        #[arg(long)]
        instance: String,
        /// The user: a name, an external id or an id
        #[arg(long, conflicts_with_all = ["visitor", "api_client"])]
        user: Option<String>,
        /// The visitor: an external id or an id
        #[arg(long, conflicts_with = "api_client")]
        visitor: Option<String>,
        /// Name of the API client; an unknown name creates it
        #[arg(long)]
        api_client: Option<String>,
        /// Lifetime of the token in seconds, 60 to 31536000
        #[arg(long, default_value_t = limits::TOKEN_SECONDS.1, value_parser = token_seconds())]
        expires_in: i32,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Update the tables of the database, and exit
    Migrate,
    /// Print the GraphQL schema
    Schema,
    /// Load the demo organization, and print tokens for it
    Demo,
}

pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let Cli { command, settings, no_demo } = cli;
    match command {
        Some(Command::Schema) => say(&graphql::sdl()),
        None => serve(settings.resolve()?, no_demo).await,
        Some(Command::Serve { no_demo: also }) => serve(settings.resolve()?, no_demo || also).await,
        Some(Command::Migrate) => {
            let base = open(settings).await?;
            base.close().await;
            say("The database is up to date.\n")
        }
        Some(Command::Demo) => {
            let config = settings.resolve()?;
            demo::load(&config).await?;
            let base = Base::open(&config, Clock::system()).await?;
            let demo = Demo::tokens(&base.actions).await;
            base.close().await;
            say(&introduction(&demo?, &config, config.listen))
        }
        Some(Command::Init { tenant, instance, admin, name, expires_in, json }) => {
            let mut input = NewOrganization {
                name: name.unwrap_or_else(|| tenant.clone()),
                tenant_name: tenant,
                instance_name: instance,
                admin_name: admin,
            };
            input.check().map_err(|refused| {
                anyhow::anyhow!("--{}: {refused}", refused.field().map_or("", FieldPath::name))
            })?;
            let base = open(settings).await?;
            let made = init(&base, input, expires_in, json).await;
            base.close().await;
            made
        }
        Some(Command::Token { tenant, instance, user, visitor, api_client, expires_in, json }) => {
            let whom = match (user, visitor, api_client) {
                (Some(user), None, None) => Whom::Person(ActorType::User, user),
                (None, Some(visitor), None) => Whom::Person(ActorType::Visitor, visitor),
                (None, None, Some(name)) => Whom::ApiClient(name),
                _ => bail!("give one of --user, --visitor and --api-client"),
            };
            let config = settings.resolve()?;
            require_store(&config)?;
            let base = Base::open(&config, Clock::system()).await?;
            let made = token(&base, &tenant, &instance, whom, expires_in, json).await;
            base.close().await;
            made
        }
    }
}

async fn open(settings: Settings) -> anyhow::Result<Base> {
    Base::open(&settings.resolve()?, Clock::system()).await
}

/// Refuses a read-only command if there is no SQLite database, so that a mistyped `--data` does not create
/// one.
fn require_store(config: &Config) -> anyhow::Result<()> {
    match config.sqlite_path() {
        Some(path) if !path.exists() => bail!(
            "there is no database at {}: check --data, or create an organization with `anteroom init`",
            path.display()
        ),
        Some(_) | None => Ok(()),
    }
}

fn token_seconds() -> RangedI64ValueParser<i32> {
    let (least, _, most) = limits::TOKEN_SECONDS;
    clap::value_parser!(i32).range(i64::from(least)..=i64::from(most))
}

/// Writes to standard output. A reader that closes the pipe (`anteroom schema | head`) is not an error.
fn say(text: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("could not write to standard output")
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn serve(config: Config, no_demo: bool) -> anyhow::Result<()> {
    telemetry::start(&config)?;
    let descriptors = http::raise_descriptor_limit();
    tracing::info!(descriptors, "the limit of open files");
    let (reserved, config) = Reserved::bind(config)?;
    let mut base = Base::open(&config, Clock::system()).await?;
    let mut demo = None;
    let is_demo_wanted = !no_demo
        && !config.is_database_chosen
        && match demo::is_wanted(&base.actions).await {
            Ok(is_wanted) => is_wanted,
            Err(error) => {
                base.close().await;
                return Err(error);
            }
        };
    if is_demo_wanted {
        tracing::info!("loading the demo organization");
        base.close().await;
        demo::load(&config).await?;
        base = Base::open(&config, Clock::system()).await?;
        demo = Some(Demo::tokens(&base.actions).await?);
    }
    // Registered before the server can be known to listen, so that an early signal is not lost.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut app = App::serve(base, reserved, &config).await?;
    if let Some(demo) = demo {
        say(&introduction(&demo, &config, app.address()))?;
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        failed = app.failed() => failed.context("the front door failed")?,
    }
    tracing::info!("stopping");
    tokio::select! {
        _ = app.stop() => {}
        _ = interrupt.recv() => stop_at_once(),
        _ = terminate.recv() => stop_at_once(),
    }
    tracing::info!("stopped");
    Ok(())
}

/// Exits without closing anything, like a kill. The next start recovers from the write-ahead log.
fn stop_at_once() {
    tracing::warn!("stopped immediately by a second signal");
    std::process::exit(1);
}

/// The console's introduction of the demo organization, with the URLs that clients use.
fn introduction(demo: &Demo, config: &Config, address: SocketAddr) -> String {
    let own = format!("http://{address}");
    let url = config.public_url.as_deref().unwrap_or(&own);
    demo.introduction(url.trim_end_matches('/'), http::has_graphiql())
}

async fn init(base: &Base, input: NewOrganization, expires_in: i32, json: bool) -> anyhow::Result<()> {
    if base.actions.find_organization(&input.tenant_name, &input.instance_name).await?.is_some() {
        bail!("there is an organization {}/{} already", input.tenant_name, input.instance_name);
    }
    let (organization, admin) = base.actions.create_organization(input).await?;
    let input = IssueToken { subject: TokenSubject::Actor(admin.id), expires_in_seconds: Some(expires_in) };
    let (_, issued) = base.actions.mint_token(organization.id, input).await?;
    if json {
        let text = serde_json::json!({
            "organizationId": graphql::organization_id(organization.id),
            "tenantName": organization.tenant_name,
            "instanceName": organization.instance_name,
            "adminId": graphql::user_id(admin.id),
            "token": issued.token,
            "expiresAt": issued.expires_at.to_chrono().to_rfc3339(),
        });
        say(&format!("{text}\n"))
    } else {
        say(&format!("{}\n", issued.token))
    }
}

/// The subject of a token, as given on the command line.
enum Whom {
    Person(ActorType, String),
    ApiClient(String),
}

async fn token(
    base: &Base,
    tenant: &str,
    instance: &str,
    whom: Whom,
    expires_in: i32,
    json: bool,
) -> anyhow::Result<()> {
    let organization = base
        .actions
        .find_organization(tenant, instance)
        .await?
        .with_context(|| format!("there is no organization {tenant}/{instance}"))?;
    let subject = match whom {
        Whom::ApiClient(name) => TokenSubject::ApiClient(name),
        Whom::Person(actor_type, known_as) => {
            let id = graphql::actor_of_id(&known_as).map(ActorId);
            let found = base.actions.find_person(organization.id, actor_type, id, &known_as).await?;
            TokenSubject::Actor(found.with_context(|| format!("there is nobody known as {known_as}"))?.id)
        }
    };
    let input = IssueToken { subject, expires_in_seconds: Some(expires_in) };
    let (actor, issued) = base.actions.mint_token(organization.id, input).await?;
    if json {
        let text = serde_json::json!({
            "name": actor.name,
            "token": issued.token,
            "expiresAt": issued.expires_at.to_chrono().to_rfc3339(),
        });
        say(&format!("{text}\n"))
    } else {
        say(&format!("{}\n", issued.token))
    }
}
