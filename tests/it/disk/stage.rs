//! A server of its own process on a disk that fails, with senders, a subscriber and the ledger of both.

use super::ledger::{Ledger, Line};
use crate::harness::binary::{Binary, command, init};
use crate::harness::client::{Client, mutation};
use crate::harness::postgres::free_port;
use crate::harness::socket::Socket;
use crate::harness::world::text;
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

/// Longer than anything takes that should happen.
const LIMIT: Duration = Duration::from_mins(1);
const FOLLOW: &str =
    "subscription($chat: ID!) { messageAdded(chatId: $chat) { node { text sequence type } } }";
const HISTORY: &str = "query($chat: ID!, $after: String) { chat(id: $chat) { messages(first: 100, after: $after) { \
    nodes { text sequence type } pageInfo { hasNextPage endCursor } } } }";

type Settings = Arc<dyn Fn(&mut Command) + Send + Sync>;

pub struct Stage {
    data: PathBuf,
    port: u16,
    settings: Settings,
    server: Option<Binary>,
    client: Client,
    chat: String,
    ledger: Ledger,
    shown: Arc<Mutex<Follower>>,
    follower: JoinHandle<()>,
    sent: usize,
}

/// A subscriber that resumes with its cursor.
#[derive(Default)]
struct Follower {
    lines: Vec<Line>,
    cursor: Option<String>,
}

impl Stage {
    /// A server on a fresh data folder, with a chat that a subscriber follows.
    pub async fn start(data: &Path, settings: impl Fn(&mut Command) + Send + Sync + 'static) -> Self {
        let settings: Settings = Arc::new(settings);
        let token = text(&init(data)["token"]);
        let port = free_port();
        let server = Binary::start_with(data, port, |command| settings(command));
        let client = Client::new(&server.url, &token);
        let room = client.done("createRoom", "room { id }", json!({ "name": "Reception" })).await;
        let visitor = client.done("upsertVisitor", "visitor { id }", json!({ "externalId": "vera" })).await;
        let input = json!({ "roomId": room["room"]["id"], "visitorId": visitor["visitor"]["id"] });
        let chat = text(&client.done("startChat", "chat { id }", input).await["chat"]["id"]);
        let shown = Arc::<Mutex<Follower>>::default();
        let mut socket = Socket::connect(&client.url, &client.token).await;
        socket.subscribe("1", FOLLOW, json!({ "chat": chat }), None).await;
        socket.wait_until_subscribed().await;
        let follower = tokio::spawn(follow(socket, client.clone(), chat.clone(), Arc::clone(&shown)));
        Self {
            data: data.to_owned(),
            port,
            settings,
            server: Some(server),
            client,
            chat,
            ledger: Ledger::default(),
            shown,
            follower,
            sent: 0,
        }
    }

    pub fn url(&self) -> &str {
        &self.client.url
    }

    /// Sends messages one after the other, and answers how many were acknowledged.
    pub async fn send(&mut self, count: usize) -> usize {
        let mut acknowledged = 0;
        for _ in 0..count {
            acknowledged += self.send_at_once(1).await;
        }
        acknowledged
    }

    /// Sends messages at the same time, and answers how many were acknowledged.
    pub async fn send_at_once(&mut self, count: usize) -> usize {
        let numbers = self.sent..self.sent + count;
        self.sent += count;
        let sends = numbers.map(|number| send(self.client.clone(), self.chat.clone(), number));
        let mut acknowledged = 0;
        for (text, sequence) in join_all(sends).await {
            match sequence {
                Some(sequence) => {
                    acknowledged += 1;
                    self.ledger.acknowledged.push((text, sequence));
                }
                None => self.ledger.unknown.push(text),
            }
        }
        acknowledged
    }

    /// All messages, oldest first.
    pub async fn read(&self) -> Vec<Line> {
        let (mut lines, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({ "chat": self.chat, "after": after });
            let page = self.client.query(HISTORY, variables).await["chat"]["messages"].clone();
            lines.extend(page["nodes"].as_array().expect("nodes").iter().filter_map(line));
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                return lines;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }

    /// Waits until `/readyz` says so.
    pub async fn becomes_ready(&self, is_ready: bool) {
        let expected = if is_ready { 200 } else { 503 };
        let becomes = async {
            loop {
                let answer = self.client.http.get(format!("{}/readyz", self.url())).send().await;
                if answer.is_ok_and(|answer| answer.status() == expected) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(tokio::time::timeout(LIMIT, becomes).await.is_ok(), "/readyz does not say {expected}");
    }

    /// The status of a server that ended by itself; waits a moment for it.
    pub async fn exited(&mut self) -> Option<ExitStatus> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.server.as_mut().and_then(Binary::exited)
    }

    pub fn signal(&self, name: &str) {
        let id = self.server.as_ref().expect("a server").id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill").success());
    }

    /// The log of the server, once it contains this.
    pub async fn log_with(&self, text: &str) -> String {
        let server = self.server.as_ref().expect("a server");
        let wait = async {
            while !server.log().contains(text) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(LIMIT, wait).await;
        let log = server.log();
        assert!(log.contains(text), "the log lacks {text}:\n{log}");
        log
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The newest cursor of the subscriber, once it has seen everything that was acknowledged.
    pub async fn cursor(&self) -> String {
        let seen = async {
            while self.shown.lock().unwrap().lines.len() < self.ledger.acknowledged.len() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(tokio::time::timeout(LIMIT, seen).await.is_ok(), "the subscriber sees everything");
        self.shown.lock().unwrap().cursor.clone().expect("a cursor")
    }

    /// Whether a subscription goes on from a cursor; otherwise it is refused as expired.
    pub async fn believes(&mut self, cursor: &str) -> bool {
        let mut socket = Socket::connect(&self.client.url, &self.client.token).await;
        socket.subscribe("1", FOLLOW, json!({ "chat": self.chat }), Some(cursor)).await;
        assert_eq!(self.send(1).await, 1);
        let message = socket.receive().await;
        if message["type"] == "next" {
            return true;
        }
        assert_eq!(message["type"], "error", "{message:#}");
        assert_eq!(message["payload"][0]["extensions"]["code"], "CURSOR_EXPIRED", "{message:#}");
        false
    }

    /// Starts a server on another folder.
    pub async fn moves_to(&mut self, data: &Path) {
        data.clone_into(&mut self.data);
        self.start_again().await;
    }

    /// Ends the server without a warning.
    pub fn kill(&mut self) {
        self.server.take().expect("a server").kill();
    }

    /// Ends the server as an operator would.
    pub fn stop(&mut self) {
        assert!(self.server.take().expect("a server").terminate().success());
    }

    /// Tries to start the server which fails, and answers what it says.
    pub fn refuses_to_start(&self) -> String {
        let mut command = command(&self.data);
        (self.settings)(&mut command);
        let output = command.args(["--no-demo", "--listen", "127.0.0.1:0"]).output().expect("it runs");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub async fn start_again(&mut self) {
        self.server = None;
        self.server = Some(Binary::start_with(&self.data, self.port, |command| (self.settings)(command)));
    }

    /// The stored messages after a start of a stopped server.
    pub async fn restarted_read(&mut self) -> Vec<Line> {
        self.start_again().await;
        self.read().await
    }

    /// Stops the server, starts it again, and compares everything that was said with what is stored.
    pub async fn restarts_soundly(mut self) {
        let server = self.server.take().expect("a server");
        assert!(server.terminate().success());
        assert!(!self.data.join("anteroom.db-wal").exists(), "everything is in the database file");
        self.ledger.stored = self.restarted_read().await;
        let caught_up = async {
            while self.shown.lock().unwrap().lines.len() < self.ledger.stored.len() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let _ = tokio::time::timeout(LIMIT, caught_up).await;
        self.follower.abort();
        self.ledger.shown = self.shown.lock().unwrap().lines.clone();
        let findings = self.ledger.findings();
        assert!(findings.is_empty(), "{findings:#?}\n{:#?}", self.ledger);
    }
}

fn line(node: &Value) -> Option<Line> {
    (node["type"] == "MESSAGE").then(|| {
        let text = node["text"].as_str().expect("a text").split(' ').next().expect("a word");
        (text.to_owned(), node["sequence"].as_i64().expect("a sequence"))
    })
}

/// Sends a message of 1.5 KB, and answers the sequence that it was acknowledged with.
async fn send(client: Client, chat: String, number: usize) -> (String, Option<i64>) {
    let text = format!("m{number}");
    let long = format!("{text} {}", "x".repeat(1_500));
    let selection = "messageEdge { node { sequence } }";
    let input = json!({ "input": { "chatId": chat, "text": long, "externalId": text } });
    let Ok(answer) = client.try_ask(&mutation("sendMessage", selection), input).await else {
        return (text, None);
    };
    let sequence = answer["data"]["sendMessage"]["messageEdge"]["node"]["sequence"].as_i64();
    if sequence.is_none() {
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer:#}");
    }
    (text, sequence)
}

/// Follows the chat for ever: on this socket, and on others from the newest cursor on.
async fn follow(mut socket: Socket, client: Client, chat: String, shown: Arc<Mutex<Follower>>) {
    loop {
        while let Some(Ok(message)) = socket.raw.next().await {
            let Message::Text(message) = message else { continue };
            let message: Value = serde_json::from_str(&message).expect("JSON");
            if message["type"] != "next" || message["id"] != "1" {
                continue;
            }
            let payload = &message["payload"];
            let mut shown = shown.lock().unwrap();
            shown.lines.extend(line(&payload["data"]["messageAdded"]["node"]));
            if let Some(cursor) = payload["extensions"]["cursor"].as_str() {
                shown.cursor = Some(cursor.to_owned());
            }
        }
        let ready = format!("{}/readyz", client.url);
        while !client.http.get(&ready).send().await.is_ok_and(|answer| answer.status() == 200) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let cursor = shown.lock().unwrap().cursor.clone();
        socket = Socket::connect(&client.url, &client.token).await;
        socket.subscribe("1", FOLLOW, json!({ "chat": chat }), cursor.as_deref()).await;
    }
}

/// A small disk in memory.
pub struct Tmpfs(TempDir);

impl Tmpfs {
    /// Mounts it; needs root, as in CI.
    pub fn mount(megabytes: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let size = format!("size={megabytes}m");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        let mounted = mounted.expect("`mount` runs");
        let why = String::from_utf8_lossy(&mounted.stderr);
        assert!(mounted.status.success(), "this test mounts a tmpfs, which only root may: {why}");
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file until there is no space.
    pub fn fill(&self) {
        let mut filler = File::create(self.path().join("filler")).expect("a file");
        for size in [65_536, 4_096, 1] {
            while filler.write_all(&vec![b'x'; size]).is_ok() {}
        }
    }

    /// Removes that file.
    pub fn empty(&self) {
        std::fs::remove_file(self.path().join("filler")).expect("removed");
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
