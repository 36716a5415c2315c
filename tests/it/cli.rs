//! The command line of the real binary: what each command creates and refuses, and that the server stops on a
//! signal.

use crate::harness::binary::{Binary, command, init};
use crate::harness::client::Client;
use crate::harness::postgres::new_database;
use anteroom::config::{LogFormat, Settings};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

fn run(data: &Path, arguments: &[&str]) -> Output {
    command(data).args(arguments).output().expect("the binary runs")
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text").trim().to_owned()
}

fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_init_and_token_are_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let made = init(data);
    let of = ["token", "--tenant", "clinic", "--instance", "main"];
    let again = refusal(&run(data, &["init", "--tenant", "clinic", "--instance", "main", "--admin", "Ada"]));
    assert!(again.contains("clinic/main already"), "{again}");
    let nobody = refusal(&run(data, &[&of[..], &["--user", "Nobody"]].concat()));
    assert!(nobody.contains("Nobody"), "{nobody}");
    let ada = printed(&run(data, &[&of[..], &["--user", "Ada Admin"]].concat()));
    let program = printed(&run(data, &[&of[..], &["--api-client", "records"]].concat()));

    let server = Binary::start(data, 0);
    let role = async |token: &str| {
        let answer = Client::new(&server.url, token).query("{ viewer { role } }", json!({})).await;
        answer["viewer"]["role"].clone()
    };
    assert_eq!(role(made["token"].as_str().expect("a token")).await, "ADMIN");
    assert_eq!(role(&ada).await, "ADMIN");
    assert_eq!(role(&program).await, "API_CLIENT");
}

#[test]
fn secret_files_are_readable_only_by_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    init(&data);
    let mode =
        |name: &str| std::fs::metadata(data.join(name)).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode("secret"), 0o600);
    assert_eq!(mode("anteroom.db"), 0o600);
    assert_eq!(mode("."), 0o700);
}

#[test]
fn two_servers_never_share_an_embedded_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Binary::start(folder.path(), 0);
    let second = refusal(&run(folder.path(), &["--no-demo", "--listen", "127.0.0.1:0"]));
    assert!(second.contains("another anteroom uses"), "{second}");
    drop(server);
}

#[test]
fn sigterm_ends_it_cleanly() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Binary::start(folder.path(), 0);
    assert!(server.terminate().success());
}

#[test]
fn the_schema_is_printed_without_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = run(folder.path(), &["schema"]);
    assert_eq!(String::from_utf8_lossy(&schema.stdout), include_str!("../../schema.graphql"));
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
}

#[test]
fn refused_arguments_create_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("typo");
    let init = ["init", "--tenant", "clinic", "--instance", "main"];
    let token = ["token", "--tenant", "clinic", "--instance", "main"];
    for (arguments, named) in [
        ([&init[..], &["--admin", "Ada", "--expires-in", "5"]].concat(), "--expires-in"),
        ([&init[..], &["--admin", "Ada", "--expires-in", "31536001"]].concat(), "--expires-in"),
        ([&init[..], &["--admin", "  "]].concat(), "--admin"),
        ([&init[..], &["--admin", "Ada", "--name", ""]].concat(), "--name"),
        (vec!["init", "--tenant", "", "--instance", "main", "--admin", "Ada"], "--tenant"),
        ([&token[..], &["--user", "Ada", "--expires-in", "59"]].concat(), "--expires-in"),
        ([&token[..], &["--user", "Ada"]].concat(), "there is no database at"),
        (token.to_vec(), "--user"),
    ] {
        let said = refusal(&run(&data, &arguments));
        assert!(said.contains(named), "{arguments:?}: {said}");
        assert!(!data.exists(), "{arguments:?} created {}", data.display());
    }
}

#[test]
fn closed_pipe_ends_the_output_quietly() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = command(folder.path())
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the binary ends");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn unreachable_postgres_is_reported_with_its_cause() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = new_database().replace("/test_", "/missing_");
    for (url, cause) in [
        ("postgres://127.0.0.1:1/nothing", "refused"),
        ("postgres://nowhere.invalid/nothing", "nowhere.invalid"),
        (missing.as_str(), "does not exist"),
    ] {
        let said = refusal(&run(folder.path(), &["--database", url]));
        assert!(said.contains(cause), "{url}: {said}");
        assert!(!said.contains("pool timed out"), "{url}: {said}");
    }
}

#[test]
fn migrate_is_idempotent() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        assert_eq!(printed(&run(folder.path(), &["migrate"])), "The database is up to date.");
    }
    init(folder.path());
}

#[test]
fn invalid_setting_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("anteroom.toml");
    std::fs::write(&file, "presence-tll = 30\n").expect("written");
    let file = file.to_str().expect("text");
    for (arguments, named) in [
        (["--listen", "nowhere"], "--listen"),
        (["--database", "mysql://x/y"], "--database"),
        (["--database", "postgres://127.0.0.1:1/nothing"], "127.0.0.1:1"),
        (["--bus", "http://x"], "--bus"),
        (["--presence-ttl", "9"], "--presence-ttl"),
        (["--database-connections", "1"], "--database-connections"),
        (["--allowed-origins", "*"], "--allowed-origins"),
        (["--public-url", "example.org"], "--public-url"),
        (["--secret", "too short"], "--secret"),
        (["--log", "anteroom=loud=louder"], "--log"),
        (["--config", file], "presence-tll"),
        (["--config", "/nowhere.toml"], "/nowhere.toml"),
    ] {
        let said = refusal(&run(&folder.path().join("data"), &arguments));
        assert!(said.contains(named), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
}

/// The tables of settings in the documentation: by flag without dashes, the cells of the row.
fn documented_settings() -> BTreeMap<String, Vec<String>> {
    let page = include_str!("../../docs/configuration.md");
    let settings = page.split("\n## Commands\n").next().expect("the settings");
    let rows = settings.lines().filter(|line| line.starts_with("| `--"));
    let cells =
        |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    let rows =
        rows.map(cells).map(|cells: Vec<String>| (cells[0].trim_start_matches("--").to_owned(), cells));
    rows.collect()
}

#[test]
fn every_setting_and_command_is_documented() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = printed(&run(folder.path(), &["--help"]));
    let variables: BTreeSet<_> = help
        .split_whitespace()
        .filter(|word| word.starts_with("ANTEROOM_") || word.starts_with("[env:"))
        .map(|word| word.trim_start_matches("[env:").trim_matches(['[', ']', '=', ' ']))
        .filter(|word| !word.is_empty())
        .collect();
    assert!(variables.len() >= 25, "{variables:?}");
    let documented = documented_settings();
    for (flag, cells) in &documented {
        assert_eq!(cells.len(), 5, "{flag}");
        assert!(help.contains(&format!("--{flag}")), "there is no --{flag}");
        let variable = format!("ANTEROOM_{}", flag.to_uppercase().replace('-', "_"));
        let variable = if flag == "new-secret" { "-" } else { variable.as_str() };
        assert_eq!(cells[1], variable, "{flag}");
    }
    let found: BTreeSet<_> =
        documented.values().map(|cells| cells[1].as_str()).filter(|cell| *cell != "-").collect();
    assert_eq!(found, variables);

    let page = include_str!("../../docs/configuration.md");
    for command in ["serve", "init", "token", "migrate", "schema", "demo"] {
        assert!(help.contains(&format!("\n  {command}")), "{command}");
        assert!(page.contains(&format!("\n| `{command}` |")), "{command}");
        let help = printed(&run(folder.path(), &[command, "--help"]));
        let lines = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
        let flags = lines.filter_map(|line| line.split("--").nth(1));
        for flag in flags.filter_map(|flag| flag.split([' ', '[', '=']).next()) {
            let is_documented = documented.contains_key(flag)
                || page.lines().any(|line| {
                    line.starts_with(&format!("| `--{flag}` |")) && line.contains(&format!("`{command}`"))
                });
            assert!(is_documented || flag == "help", "{command} --{flag}");
        }
    }
}

#[test]
fn documented_defaults_are_the_defaults() {
    let config = Settings::default().resolve().expect("the defaults");
    let documented = documented_settings();
    for (flag, default) in [
        ("listen", config.listen.to_string()),
        ("data", config.data.display().to_string()),
        ("database-connections", config.database_connections.to_string()),
        ("max-upload", config.max_upload.to_string()),
        ("upload-quota-visitor", config.upload_quota_visitor.to_string()),
        ("upload-quota-organization", config.upload_quota_organization.to_string()),
        ("min-free-disk", config.min_free_disk.to_string()),
        ("keep-exif", config.keep_exif.to_string()),
        ("log", config.log),
        ("presence-ttl", config.presence_ttl.to_string()),
        ("rate-limit", config.rate_limit.to_string()),
        ("drain", config.drain.as_secs().to_string()),
        ("connections-per-address", config.limits.connections.per_address.to_string()),
    ] {
        assert_eq!(documented[flag][2], default, "{flag}");
    }
    assert_eq!(config.log_format, LogFormat::Text);
    let port = documented["webhook-ports"][2].parse().expect("a port");
    assert!(config.webhooks.allowed.has_port(port));
}

type Setting = (&'static str, fn(&mut Settings, u32));

#[test]
fn documented_ranges_are_the_ranges() {
    let documented = documented_settings();
    let settings: [Setting; 6] = [
        ("database-connections", |settings, value| settings.database_connections = Some(value)),
        ("max-upload", |settings, value| settings.max_upload = Some(value)),
        ("presence-ttl", |settings, value| settings.presence_ttl = Some(value)),
        ("rate-limit", |settings, value| settings.rate_limit = Some(value)),
        ("drain", |settings, value| settings.drain = Some(value)),
        ("connections-per-address", |settings, value| settings.connections_per_address = Some(value)),
    ];
    for (flag, set) in settings {
        let (least, most) = documented[flag][3].split_once('–').expect("a range");
        let (least, most): (u32, u32) = (least.parse().expect("a number"), most.parse().expect("a number"));
        let is_taken = |value| {
            let mut settings = Settings::default();
            set(&mut settings, value);
            settings.resolve().is_ok()
        };
        assert!(is_taken(least) && is_taken(most), "{flag}");
        assert!(!is_taken(most + 1), "{flag}");
        assert!(least == 0 || !is_taken(least - 1), "{flag}");
    }
}

#[test]
fn documented_file_is_accepted() {
    let page = include_str!("../../docs/configuration.md");
    let file = page.split("```toml\n").nth(1).expect("a file").split("```").next().expect("its end");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("anteroom.toml");
    std::fs::write(&path, file).expect("written");
    let config = Settings { config: Some(path), ..Settings::default() }.resolve().expect("accepted");
    assert_eq!(config.presence_ttl, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_has_data_for_three_roles() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = printed(&run(folder.path(), &["demo"]));
    let tokens: Vec<_> = demo
        .split(|character: char| character.is_whitespace() || "#=&".contains(character))
        .filter(|word| word.starts_with("eyJ"))
        .collect();
    assert_eq!(tokens.len(), 3, "{demo}");
    let again = refusal(&run(folder.path(), &["demo"]));
    assert!(again.contains("already"), "{again}");

    let server = Binary::start(folder.path(), 0);
    let clients: Vec<_> = tokens.iter().map(|token| Client::new(&server.url, token)).collect();
    for (client, role) in clients.iter().zip(["ADMIN", "OPERATOR", "VISITOR"]) {
        let seen = client.query("{ viewer { role unreadCount inbox { totalCount } } }", json!({})).await;
        assert_eq!(seen["viewer"]["role"], role);
        assert!(seen["viewer"]["inbox"]["totalCount"].as_u64() > Some(0), "{role}");
        // Something to read, and not the hundred at which the count stops.
        let unread = seen["viewer"]["unreadCount"].as_u64().expect("a count");
        assert!((1..100).contains(&unread), "{role}: {unread}");
    }
    let counts = "{ organization { rooms { totalCount } users { totalCount } visitors { totalCount } \
                  chats { totalCount } chatSessions(first: 100) { nodes { state outcome } } } }";
    let seen = clients[0].query(counts, json!({})).await["organization"].clone();
    for (list, count) in [("rooms", 4), ("users", 5), ("visitors", 20), ("chats", 200)] {
        assert_eq!(seen[list]["totalCount"], count, "{list}");
    }
    let shop = "{ sold: organization { chats(filter: { hasSales: true }) { totalCount nodes { \
                shoppingCarts { nodes { totalPrice } } } } } \
                open: organization { chats(first: 100, filter: { isEnded: false }) { nodes { isAutosuggested } } } }";
    let shop = clients[0].query(shop, json!({})).await;
    let sold = json!([{ "shoppingCarts": { "nodes": [{ "totalPrice": "74.90" }] } }]);
    assert_eq!(shop["sold"]["chats"]["nodes"], sold);
    let open = shop["open"]["chats"]["nodes"].as_array().expect("chats");
    assert_eq!(open.iter().filter(|chat| chat["isAutosuggested"] == true).count(), 1);
    let sessions = seen["chatSessions"]["nodes"].as_array().expect("sessions");
    for (field, values) in [
        ("state", &["CREATED", "STARTED", "ACCEPTED", "REJECTED", "FINISHED"][..]),
        ("outcome", &["COMPLETED", "REJECTED", "CANCELLED", "MISSED"]),
    ] {
        for value in values {
            assert!(sessions.iter().any(|session| session[field] == *value), "no session is {value}");
        }
    }
}
