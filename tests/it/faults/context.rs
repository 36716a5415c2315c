//! The context that all clients of a run share: the nodes, the chats, the clock of the run, and requests with retries.

use super::journal::{Micros, Shown};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

/// How long a client waits for an answer: longer than the server's own limit for an operation.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How long anything may take after the last fault was healed: far longer than on a machine that is four times slower.
pub const SETTLED_WITHIN: Duration = Duration::from_mins(2);
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// The surroundings of a client.
#[derive(Clone)]
pub struct Context(Arc<Shared>);

pub struct Shared {
    pub urls: Vec<String>,
    /// The room that all chats are in.
    pub room: String,
    pub chats: Vec<Chat>,
    pub began: Instant,
    /// Set when the faults are over: nothing new is begun.
    pub stop: CancellationToken,
    /// Set when no call waits any longer for its answer.
    pub give_up: CancellationToken,
    /// Set when no follower waits any longer for the head.
    pub leave: CancellationToken,
    /// The head of each chat, once nothing is written any more.
    pub heads: watch::Sender<Option<Vec<Head>>>,
    /// Messages that were acknowledged so far.
    pub acknowledged: AtomicUsize,
    /// Attempts that were not answered so far.
    pub unanswered: AtomicUsize,
    broken: Mutex<BTreeMap<String, usize>>,
}

/// A chat of the run.
#[derive(Clone, Debug)]
pub struct Chat {
    pub id: String,
    /// A cursor from which everything can be read again.
    pub start: String,
}

/// The end of a chat's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Position of the newest entry.
    pub position: i64,
    /// Sequence of the newest message.
    pub message: i64,
    /// Messages that somebody wrote.
    pub count: usize,
}

/// The outcome of a request.
#[derive(Debug)]
pub enum Reply {
    /// The data of an answer without errors.
    Data(Value),
    /// It may have been done or not; the client is to try again.
    Unknown(String),
}

/// A client with a token.
#[derive(Clone)]
pub struct Caller {
    pub name: String,
    pub id: String,
    pub token: String,
    http: reqwest::Client,
}

impl std::ops::Deref for Context {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Context {
    pub fn new(urls: Vec<String>, room: String, chats: Vec<Chat>) -> Self {
        Self::since(Instant::now(), urls, room, chats)
    }

    /// The same chats and the same clock after the first part of a run.
    pub fn again(&self) -> Self {
        Self::since(self.began, self.urls.clone(), self.room.clone(), self.chats.clone())
    }

    fn since(began: Instant, urls: Vec<String>, room: String, chats: Vec<Chat>) -> Self {
        Self(Arc::new(Shared {
            urls,
            room,
            chats,
            began,
            stop: CancellationToken::new(),
            give_up: CancellationToken::new(),
            leave: CancellationToken::new(),
            heads: watch::Sender::new(None),
            acknowledged: AtomicUsize::new(0),
            unanswered: AtomicUsize::new(0),
            broken: Mutex::default(),
        }))
    }

    pub fn now(&self) -> Micros {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(Micros::MAX)
    }

    /// Cancels a token once everything had time enough.
    pub fn limit(token: &CancellationToken) -> AbortHandle {
        let token = token.clone();
        let waiting = tokio::spawn(async move {
            tokio::time::sleep(SETTLED_WITHIN).await;
            token.cancel();
        });
        waiting.abort_handle()
    }

    /// Notes an answer that the API never promises.
    pub fn note_broken(&self, answer: String) {
        *self.broken.lock().unwrap().entry(answer).or_default() += 1;
    }

    /// The notes, and the number of times each was made.
    pub fn broken(&self) -> BTreeMap<String, usize> {
        self.broken.lock().unwrap().clone()
    }

    /// Asks a node.
    pub async fn ask(&self, caller: &Caller, node: usize, query: &str, variables: &Value) -> Reply {
        let url = format!("{}/graphql", self.urls[node % self.urls.len()]);
        let body = json!({ "query": query, "variables": variables });
        let sent = caller.http.post(url).bearer_auth(&caller.token).json(&body).send().await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => return Reply::Unknown(short(&error)),
        };
        let status = answer.status().as_u16();
        if matches!(status, 429 | 502..=504) {
            return Reply::Unknown(format!("HTTP {status}"));
        }
        let mut answer: Value = match answer.text().await.map(|text| serde_json::from_str(&text)) {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                self.note_broken(format!("HTTP {status} without JSON"));
                return Reply::Unknown("no JSON".into());
            }
            Err(error) => return Reply::Unknown(short(&error)),
        };
        match answer["errors"][0]["extensions"]["code"].as_str() {
            None => Reply::Data(answer["data"].take()),
            Some(code @ ("UNAVAILABLE" | "RATE_LIMITED")) => Reply::Unknown(code.to_owned()),
            Some(code) => {
                self.note_broken(format!("{code} over HTTP: {}", answer["errors"][0]["message"]));
                Reply::Unknown(code.to_owned())
            }
        }
    }

    /// Asks one node after the other until one answers; `None` when the run gives up.
    pub async fn ask_until_answered(
        &self,
        caller: &Caller,
        first: usize,
        query: &str,
        variables: &Value,
    ) -> Option<Value> {
        let mut waits = Backoff::default();
        for node in first.. {
            match self.ask(caller, node, query, variables).await {
                Reply::Data(data) => return Some(data),
                Reply::Unknown(_) if self.give_up.is_cancelled() => return None,
                Reply::Unknown(_) => waits.wait().await,
            }
        }
        None
    }

    /// Waits, unless the run stops; whether it goes on.
    pub async fn pause(&self, time: Duration) -> bool {
        self.stop.run_until_cancelled(tokio::time::sleep(time)).await.is_some()
    }
}

impl Caller {
    pub fn new(name: &str, id: &str, token: &str) -> Self {
        // A client of HTTP asks for it even where it never speaks TLS.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).connect_timeout(CONNECT_WITHIN);
        let http = http.build().expect("a client");
        Self { name: name.to_owned(), id: id.to_owned(), token: token.to_owned(), http }
    }
}

/// Waits that become longer.
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(Duration::from_millis(50))
    }
}

impl Backoff {
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(1));
    }
}

/// The log position in a chat's cursor. Clients must not look into cursors; this suite has to, in order to count.
pub fn position(cursor: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    Some(i64::from_be_bytes(bytes.get(1..9)?.try_into().ok()?))
}

/// A message as it is shown: the first word of its text is its `externalId`, unless the server wrote it.
pub fn shown(node: &Value) -> Option<Shown> {
    let text = node["text"].as_str().unwrap_or_default();
    let external_id = text.split(' ').next().filter(|word| word.starts_with(SENT)).unwrap_or_default();
    Some(Shown {
        sequence: node["sequence"].as_i64()?,
        id: node["id"].as_str()?.to_owned(),
        external_id: external_id.to_owned(),
    })
}

/// The start of each `externalId` of a run.
pub const SENT: &str = "w#";

fn short(error: &reqwest::Error) -> String {
    let kind = match error {
        error if error.is_timeout() => "no answer in time",
        error if error.is_connect() => "no connection",
        _ => "connection lost",
    };
    kind.to_owned()
}
