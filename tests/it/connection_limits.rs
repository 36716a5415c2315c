//! The binary under a limit of open files, and what its log tells.

use crate::harness::binary;
use crate::harness::client::Client;
use crate::harness::raw::Raw;
use crate::harness::socket::Socket;
use crate::harness::world::text;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server that runs under limits, or with a log that is kept.
struct Served {
    child: Child,
    url: String,
    token: String,
    log: Arc<Mutex<String>>,
    _folder: TempDir,
}

impl Served {
    /// Starts it by `prlimit`, with a limit of open files such as `64:256`.
    fn start(limit: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let made = binary::init(folder.path());
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={limit}")).arg(env!("CARGO_BIN_EXE_anteroom"));
        command.env_clear().env("PATH", "/usr/bin:/bin").arg("--data").arg(folder.path());
        command.args(["--no-demo", "--rate-limit", "0", "--listen", "127.0.0.1:0"]).args(arguments);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
        let log = Arc::<Mutex<String>>::default();
        let (lines, kept) = (BufReader::new(child.stderr.take().expect("its log")).lines(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let mut served =
            Self { child, url: String::new(), token: text(&made["token"]), log, _folder: folder };
        let started = Instant::now();
        while served.url.is_empty() {
            let log = served.log();
            if let Some(at) = log.find("http://127.0.0.1:") {
                served.url = log[at..].split_whitespace().next().expect("a URL").to_owned();
            }
            assert!(started.elapsed() < Duration::from_mins(1), "it does not listen: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        served
    }

    fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn is_healthy(&self) {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(15)).build().expect("a client");
        let answer = http.get(format!("{}/healthz", self.url)).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn limit_of_open_files_is_raised_to_what_the_system_allows() {
    let served = Served::start("64:4096", &[]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", served.child.id())).expect("limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("the limit");
    assert_eq!(line.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["4096", "4096"], "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_do_not_block_new_ones() {
    let served = Served::start("256:256", &["--connections-per-address", "0"]);
    let mut silent = Vec::new();
    for round in 0..8 {
        for _ in 0..50 {
            silent.push(Raw::open(&served.url).await);
        }
        // A connection makes room once it has been silent for 250 ms.
        tokio::time::sleep(Duration::from_millis(500)).await;
        served.is_healthy().await;
        // On a connection of its own: one that idles between rounds makes room like the silent ones.
        let client = Client::new(&served.url, &served.token);
        let room = json!({ "name": format!("Room {round}") });
        client.done("createRoom", "room { id }", room).await;
        Socket::connect(&served.url, &served.token).await;
    }
    // The oldest of them made room.
    assert_eq!(silent[0].read_to_end().await, b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_answered_when_sockets_use_up_the_open_files() {
    let served = Served::start("200:200", &[]);
    let api = Client::new(&served.url, &served.token);
    let issued = api.done("issueToken", "token", json!({ "subject": { "apiClientName": "load" } })).await;
    let token = text(&issued["token"]);
    let mut sockets = Vec::new();
    let init =
        json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } });
    let mut refused = 0;
    for _ in 0..250 {
        let request = format!("{}/graphql", served.url.replace("http:", "ws:"));
        let mut request =
            tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(request)
                .expect("a request");
        let protocol = "graphql-transport-ws".parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        // Refused with 503 once there are too many.
        if let Ok((raw, _)) = tokio_tungstenite::connect_async(request).await {
            let mut socket = Socket { raw };
            socket.send(init.clone()).await;
            if socket.try_receive().await.is_ok() {
                sockets.push(socket);
                continue;
            }
        }
        served.is_healthy().await;
        let answer = api.request().json(&json!({ "query": "{ viewer { role } }" })).send().await;
        let answer = answer.expect("an answer");
        // A connection that has ended meanwhile makes room for one more socket.
        if answer.status() == 503 {
            assert!(answer.headers().contains_key("retry-after"));
            refused += 1;
        }
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "{} sockets", sockets.len());
    assert!((30..190).contains(&sockets.len()), "{} sockets", sockets.len());
    // The sockets that are there go on, and so does the store.
    sockets[0].wait_until_subscribed().await;
    sockets.truncate(20);
    let asked = Instant::now();
    while api
        .request()
        .json(&json!({ "query": "{ viewer { role } }" }))
        .send()
        .await
        .is_ok_and(|answer| answer.status() != 200)
    {
        assert!(asked.elapsed() < Duration::from_secs(30), "closed sockets make no room");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_logged_at_any_level() {
    let served = Served::start("4096:4096", &["--log", "trace"]);
    let api = Client::new(&served.url, &served.token);
    let issued = api.done("issueToken", "token", json!({ "subject": { "apiClientName": "load" } })).await;
    let other = text(&issued["token"]);
    let mut socket = Socket::connect(&served.url, &other).await;
    socket.wait_until_subscribed().await;
    let sse = api.request().header("accept", "text/event-stream");
    let sse = sse.json(&json!({ "query": "subscription { viewerEvents { cursor } }" })).send().await;
    drop(sse.expect("a stream"));
    // The same over HTTP/2, by a frame that no client writes so plainly.
    let mut raw = Raw::open(&served.url).await;
    raw.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").await;
    let mut block = vec![0x82, 0x86, 0x04, 8];
    block.extend_from_slice(b"/graphql");
    block.extend_from_slice(&[0x0f, 0x08, 127]);
    let value = format!("Bearer {other}");
    let mut rest = value.len() - 127;
    while rest >= 128 {
        block.push(u8::try_from(rest % 128 + 128).expect("a byte"));
        rest /= 128;
    }
    block.push(u8::try_from(rest).expect("a byte"));
    block.extend_from_slice(value.as_bytes());
    let length = u32::try_from(block.len()).expect("short").to_be_bytes();
    raw.send([&[length[1], length[2], length[3], 1, 5, 0, 0, 0, 1], block.as_slice()].concat()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let log = served.log();
    assert!(log.contains("DEBUG") && log.contains("path=\"/graphql\""), "the log tells of requests: {log}");
    for token in [&served.token, &other] {
        // The signature alone would do, and so would the part that says who it is.
        for part in token.split('.').filter(|part| part.len() > 20) {
            assert!(!log.contains(part), "a token is in the log");
        }
    }
}
