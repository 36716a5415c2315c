//! Tests of settings from flags and a file, and of values that are refused.

use super::*;

#[test]
fn nothing_set_is_an_embedded_server_on_this_machine_alone() {
    let config = Settings::default().resolve().expect("defaults are valid");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.database, "sqlite://data/anteroom.db?mode=rwc");
    assert!(!config.is_database_chosen);
}

#[test]
fn a_flag_wins_over_the_file_and_an_unknown_line_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("anteroom.toml");
    std::fs::write(&path, "listen = \"127.0.0.1:1\"\npresence-ttl = 30\n").expect("written");
    let settings = Settings {
        config: Some(path.clone()),
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 2))),
        ..Settings::default()
    };
    let config = settings.clone().resolve().expect("valid");
    assert_eq!((config.listen.port(), config.presence_ttl), (2, 30));
    std::fs::write(&path, "lisen = \"127.0.0.1:1\"\n").expect("written");
    assert!(format!("{:#}", settings.resolve().expect_err("unknown")).contains("lisen"));
}

#[test]
fn what_cannot_work_is_refused_by_the_name_of_its_flag() {
    let refused = |settings: Settings| format!("{:#}", settings.resolve().expect_err("refused"));
    let settings = Settings::default;
    assert!(refused(Settings { database: Some("mysql://x".into()), ..settings() }).contains("--database"));
    assert!(refused(Settings { bus: Some("x".into()), ..settings() }).contains("--bus"));
    assert!(refused(Settings { secret: Some("short".into()), ..settings() }).contains("--secret"));
    assert!(refused(Settings { presence_ttl: Some(9), ..settings() }).contains("--presence-ttl"));
    for max_upload in [0, 2_048] {
        let max_upload = Some(max_upload);
        assert!(refused(Settings { max_upload, ..settings() }).contains("--max-upload"));
    }
    assert!(refused(Settings { files: Some("gs://x".into()), ..settings() }).contains("--files"));
    assert!(refused(Settings { drain: Some(301), ..settings() }).contains("--drain"));
    let patient_url = Some("patients.example.org".to_owned());
    assert!(refused(Settings { patient_url, ..settings() }).contains("--patient-url"));
    for network in ["10.0.0.0/33", "example.org", "10.0.0.0-10.0.0.9", ""] {
        let webhook_allow = Some(vec![network.to_owned()]);
        assert!(refused(Settings { webhook_allow, ..settings() }).contains("--webhook-allow"), "{network}");
    }
    for origin in ["*", "null", "shop.example", "https://shop.example/chat"] {
        let allowed_origins = Some(vec![origin.to_owned()]);
        let refusal = refused(Settings { allowed_origins, ..settings() });
        assert!(refusal.contains("--allowed-origins") && refusal.contains(origin), "{refusal}");
    }
    let webhook_ports = Some(vec![443, 0]);
    assert!(refused(Settings { webhook_ports, ..settings() }).contains("--webhook-ports"));
    let connections_per_address = Some(1_000_001);
    let refusal = refused(Settings { connections_per_address, ..settings() });
    assert!(refusal.contains("--connections-per-address"));
}

#[test]
fn allowed_origins_match_what_browsers_send() {
    let allowed_origins = Some(vec!["https://Shop.example:443".to_owned(), " http://[0::1]:80".to_owned()]);
    let config = Settings { allowed_origins, ..Settings::default() }.resolve().expect("valid");
    assert_eq!(config.allowed_origins, ["https://shop.example", "http://[::1]"]);
}

#[test]
fn sockets_are_pinged_at_least_three_times_while_a_presence_lasts() {
    let pinged_every = |presence_ttl| {
        let presence_ttl = Some(presence_ttl);
        let config = Settings { presence_ttl, ..Settings::default() }.resolve().expect("valid");
        config.limits.ping_every.as_secs()
    };
    assert_eq!((pinged_every(10), pinged_every(30), pinged_every(3_600)), (3, 10, 20));
}
