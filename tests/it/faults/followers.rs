//! Subscribers that keep their newest cursor, and resume with it at another node each time that their connection
//! breaks, over WebSockets and over event streams.

use super::context::{Caller, Context, position, shown};
use super::feeds;
use super::journal::{Change, Follower, Frame, Stream};
use futures_util::{SinkExt, StreamExt};
use rand::RngExt;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// How often a client on a socket asks whether the server is there, and when it takes the connection for dead.
const PING_EVERY: Duration = Duration::from_secs(3);
const SOCKET_DEAD_AFTER: Duration = Duration::from_secs(9);
/// The server says something every 12 s on an event stream.
const EVENTS_DEAD_AFTER: Duration = Duration::from_secs(16);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Close codes after which the documented client does not come back, whatever its settings are.
const FATAL: [u16; 8] = [4004, 4005, 4400, 4401, 4406, 4409, 4429, 4500];

/// A way to subscribe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Socket,
    Events,
}

/// Why a connection ended.
enum End {
    /// The client comes back with its cursor.
    Broken,
    /// The server ended the subscription; the documented client does not come back.
    Over(String),
    /// The follower has seen everything, or the run gives up.
    Done,
}

/// A subscriber.
pub struct Subscriber {
    context: Context,
    caller: Caller,
    transport: Transport,
    cursor: Option<String>,
    position: i64,
    /// Messages in each chat, as a feed shows it.
    counts: Vec<usize>,
    connection: u32,
    follower: Follower,
}

impl Subscriber {
    /// Follows a chat from its start (messages) or from now on (events), or this number of chats (feeds).
    pub fn new(
        context: &Context,
        caller: &Caller,
        name: &str,
        chat: usize,
        kind: Stream,
        transport: Transport,
    ) -> Self {
        let (cursor, from) = match kind {
            Stream::Messages => {
                (Some(context.chats[chat].start.clone()), position(&context.chats[chat].start))
            }
            Stream::Events | Stream::Room | Stream::Viewer => (None, None),
        };
        Self {
            context: context.clone(),
            caller: caller.clone(),
            transport,
            cursor,
            counts: vec![0; if kind.is_feed() { chat } else { 0 }],
            position: from.unwrap_or_default(),
            connection: rand::rng().random_range(0..3),
            follower: Follower {
                name: name.to_owned(),
                chat,
                kind,
                from,
                frames: Vec::new(),
                ended: Vec::new(),
                reached: None,
            },
        }
    }

    /// The same from the chat's start on, whatever it follows.
    pub fn rewound(mut self) -> Self {
        let start = self.context.chats[self.follower.chat].start.clone();
        self.follower.from = position(&start);
        self.position = self.follower.from.unwrap_or_default();
        self.cursor = Some(start);
        self
    }

    /// Follows until the head of the chat is reached at the end of the run.
    pub async fn follow(mut self) -> Follower {
        loop {
            if self.follower.kind.is_feed() && self.cursor.is_none() {
                self.fetch().await;
            }
            let end = match self.transport {
                Transport::Socket => self.over_socket().await,
                Transport::Events => self.over_events().await,
            };
            match end {
                End::Done => return self.follower,
                End::Broken => {}
                // A feed is fetched afresh then.
                End::Over(cause) if self.follower.kind.is_feed() && cause.contains("CURSOR_EXPIRED") => {
                    self.note(None, Change::Reset { is_first: false });
                    self.cursor = None;
                }
                End::Over(cause) => self.follower.ended.push(cause),
            }
            if self.is_done() {
                return self.follower;
            }
            self.connection += 1;
            let wait = Duration::from_millis(rand::rng().random_range(50..400));
            let leave = self.context.leave.clone();
            if leave.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return self.follower;
            }
        }
    }

    /// Fetches the list that a feed goes on from.
    async fn fetch(&mut self) {
        let node = self.connection as usize;
        let fetched = feeds::fetch(&self.context, &self.caller, self.follower.kind, node).await;
        if let Some((cursor, states)) = fetched {
            self.cursor = Some(cursor);
            for state in states {
                self.note(None, state);
            }
        }
    }

    fn url(&self) -> &str {
        &self.context.urls[self.connection as usize % self.context.urls.len()]
    }

    fn request(&self) -> Value {
        let query = match self.follower.kind {
            Stream::Room | Stream::Viewer => "",
            Stream::Messages => {
                "subscription($chat: ID!) { messageAdded(chatId: $chat) { cursor node { id sequence text \
                 sender { id } chat { id } } } }"
            }
            Stream::Events => {
                "subscription($chat: ID!) { chatEvents(chatId: $chat) { cursor chat { id } change { __typename \
                 ... on ChatResetEvent { reason } ... on MessageAddedEvent { messageEdge { node { id sequence text \
                 sender { id } } } } } } }"
            }
        };
        let mut request = if self.follower.kind.is_feed() {
            feeds::request(self.follower.kind, &self.context.room)
        } else {
            json!({ "query": query, "variables": { "chat": self.context.chats[self.follower.chat].id } })
        };
        if let Some(after) = &self.cursor {
            request["extensions"] = json!({ "after": after });
        }
        request
    }

    /// Whether everything was seen that is to be seen; notes where it ended.
    fn is_done(&mut self) -> bool {
        let heads = self.context.heads.borrow();
        let Some(heads) = &*heads else { return false };
        self.follower.reached = match self.follower.kind {
            Stream::Messages => Some(heads[self.follower.chat].message),
            Stream::Events => Some(heads[self.follower.chat].position),
            Stream::Room | Stream::Viewer => {
                let is_newest = self.counts.iter().zip(heads).all(|(count, head)| *count >= head.count);
                is_newest.then_some(i64::MIN)
            }
        };
        let has_seen = |goal: i64| self.cursor.is_some() && self.position >= goal;
        self.follower.reached = self.follower.reached.filter(|goal| has_seen(*goal));
        self.follower.reached.is_some()
    }

    /// Takes a `next` message.
    fn take(&mut self, payload: &Value) {
        let cursor = payload["extensions"]["cursor"].as_str();
        let at = cursor.and_then(position);
        let change = match payload["errors"][0]["extensions"]["code"].as_str() {
            Some(code) => {
                if !matches!(code, "UNAVAILABLE" | "RATE_LIMITED") {
                    self.context
                        .note_broken(format!("{code} on a stream: {}", payload["errors"][0]["message"]));
                }
                Change::Failed(code.to_owned())
            }
            None => self.change(&payload["data"]),
        };
        let starts_over = self.follower.kind.is_feed() && matches!(change, Change::Reset { .. });
        self.note(at, change);
        if starts_over {
            self.cursor = None;
        } else if let Some(cursor) = cursor {
            self.cursor = Some(cursor.to_owned());
            self.position = at.unwrap_or(self.position);
        }
    }

    fn note(&mut self, position: Option<i64>, change: Change) {
        if let Change::State { chat, message_count } = &change
            && let Some(count) = self.counts.get_mut(*chat)
        {
            *count = *message_count;
        }
        let (at, connection) = (self.context.now(), self.connection);
        self.follower.frames.push(Frame { at, connection, position, change });
    }

    fn change(&self, data: &Value) -> Change {
        let node = match self.follower.kind {
            Stream::Room | Stream::Viewer => return feeds::change(&self.context, self.follower.kind, data),
            Stream::Messages => &data["messageAdded"]["node"],
            Stream::Events => match data["chatEvents"]["change"]["__typename"].as_str() {
                Some("MessageAddedEvent") => &data["chatEvents"]["change"]["messageEdge"]["node"],
                Some("ChatResetEvent") => return Change::Reset { is_first: self.cursor.is_none() },
                Some(kind) => return Change::Entry(kind.to_owned()),
                None => &Value::Null,
            },
        };
        shown(node).map_or_else(|| Change::Failed(format!("no message in {data}")), Change::Message)
    }

    async fn over_socket(&mut self) -> End {
        let url = format!("{}/graphql", self.url().replace("http:", "ws:"));
        let mut request = url.into_client_request().expect("a request");
        let protocol = "graphql-transport-ws".parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let opened = tokio::time::timeout(CONNECT_WITHIN, tokio_tungstenite::connect_async(request)).await;
        let Ok(Ok((mut socket, _))) = opened else { return End::Broken };
        let init = json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {}", self.caller.token) } });
        if socket.send(Message::text(init.to_string())).await.is_err() {
            return End::Broken;
        }
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut pinged) = (Instant::now(), Instant::now());
        loop {
            let message = tokio::select! {
                message = socket.next() => message,
                _ = ticks.tick() => {
                    if self.is_done() || self.context.leave.is_cancelled() {
                        return End::Done;
                    }
                    if heard.elapsed() > SOCKET_DEAD_AFTER {
                        return End::Broken;
                    }
                    if pinged.elapsed() > PING_EVERY {
                        pinged = Instant::now();
                        let ping = tokio::time::timeout(PING_EVERY, socket.send(Message::text(r#"{"type":"ping"}"#)));
                        if !matches!(ping.await, Ok(Ok(()))) {
                            return End::Broken;
                        }
                    }
                    continue;
                }
            };
            heard = Instant::now();
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(Some(frame)))) if FATAL.contains(&u16::from(frame.code)) => {
                    return End::Over(format!("closed with {}", frame.code));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Broken,
                Some(Ok(_)) => continue,
            };
            let Ok(message) = serde_json::from_str::<Value>(&text) else {
                return End::Over(format!("a frame that is not JSON: {text}"));
            };
            let answer = match message["type"].as_str() {
                Some("connection_ack") => {
                    json!({ "type": "subscribe", "id": "1", "payload": self.request() })
                }
                Some("ping") => json!({ "type": "pong" }),
                Some("next") => {
                    self.take(&message["payload"]);
                    if self.cursor.is_none() && self.follower.kind.is_feed() {
                        return End::Broken;
                    }
                    continue;
                }
                Some("error") => {
                    return End::Over(format!("error {}", message["payload"][0]["extensions"]["code"]));
                }
                Some("complete") => return End::Over("complete".into()),
                _ => continue,
            };
            if socket.send(Message::text(answer.to_string())).await.is_err() {
                return End::Broken;
            }
        }
    }

    async fn over_events(&mut self) -> End {
        // A client of its own, without a limit for the whole answer.
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).build().expect("a client");
        let sent = http
            .post(format!("{}/graphql", self.url()))
            .bearer_auth(&self.caller.token)
            .header("accept", "text/event-stream")
            .json(&self.request())
            .send();
        let Ok(Ok(answer)) = tokio::time::timeout(EVENTS_DEAD_AFTER, sent).await else { return End::Broken };
        match answer.status().as_u16() {
            200 => {}
            429 | 500.. => return End::Broken,
            status => return End::Over(format!("HTTP {status}")),
        }
        let mut body = answer.bytes_stream();
        let mut received = String::new();
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            let piece = tokio::select! {
                piece = body.next() => piece,
                _ = ticks.tick() => {
                    if self.is_done() || self.context.leave.is_cancelled() {
                        return End::Done;
                    }
                    if heard.elapsed() > EVENTS_DEAD_AFTER {
                        return End::Broken;
                    }
                    continue;
                }
            };
            heard = Instant::now();
            let Some(Ok(piece)) = piece else { return End::Broken };
            // A piece may end within a letter, but no letter of this suite has more than one byte.
            received.push_str(&String::from_utf8_lossy(&piece));
            while let Some(end) = received.find("\n\n") {
                let event: String = received.drain(..end + 2).collect();
                if event.starts_with("event: complete") {
                    return End::Over(
                        self.last_failure().map_or("complete".into(), |code| format!("{code}, complete")),
                    );
                }
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                if let Some(payload) = data.and_then(|data| serde_json::from_str(data).ok()) {
                    self.take(&payload);
                }
            }
            if self.cursor.is_none() && self.follower.kind.is_feed() {
                return End::Broken;
            }
        }
    }

    fn last_failure(&self) -> Option<&str> {
        match &self.follower.frames.last()?.change {
            Change::Failed(code) => Some(code),
            Change::Message(_) | Change::Entry(_) | Change::State { .. } | Change::Reset { .. } => None,
        }
    }
}
