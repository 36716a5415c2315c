//! The `graphql-transport-ws` protocol: one task reads a socket, one writes it, and one runs each operation.
//!
//! The queue to the writer is short, so operations take turns fairly, and a slow socket slows down only
//! itself. Every frame has a deadline. A protocol violation closes the socket with the protocol's code.

use super::abort::AbortOnDrop;
use super::connections::Link;
use super::open_streams::Contact;
use super::operation::{self, Arrival, Operation, Parameters};
use super::outgoing::{self, LARGEST, Outgoing, outgoing};
use super::presence::{Present, deactivated};
use super::streaming::{self, Told};
use super::{Door, answer, auth};
use crate::domain::viewer::Standing;
use crate::graphql::door::{Code, Refusal, clean, has_code};
use async_graphql::Response as Answer;
use async_graphql::parser::types::OperationType;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tungstenite::error::ProtocolError;

const PROTOCOL: &str = "graphql-transport-ws";
/// The size of a socket's buffers in bytes. It is small, because many sockets are idle.
const BUFFER: usize = 2 * 1024;
/// The interval at which a socket checks its deadlines.
const TICK: Duration = Duration::from_millis(250);
/// How long a closing socket may take to send its close frame.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// The reason why a socket is closed. The codes up to 4429 are the protocol's. Clients reconnect after 1012
/// and 4403.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Close {
    Violation,
    NotText,
    TooLong,
    TooMany,
    Restart,
    BadMessage,
    Unauthorized,
    Forbidden,
    BadProtocol,
    InitTimeout,
    IdTaken,
    SecondInit,
    SlowReader,
    Idle,
    Overload,
}

impl Close {
    fn frame(self) -> Message {
        let (code, reason) = match self {
            Self::Violation => (1002, "Protocol error"),
            Self::NotText => (1007, "Text is not UTF-8"),
            Self::TooLong => (1009, "Message too big"),
            Self::Restart => (1012, "The server restarts"),
            Self::TooMany => (1013, "Too many connections"),
            Self::Overload => (1013, "Try again later"),
            Self::BadMessage => (4400, "Invalid message"),
            Self::Unauthorized => (4401, "Unauthorized"),
            Self::Forbidden => (4403, "Forbidden"),
            Self::BadProtocol => (4406, "Subprotocol not acceptable"),
            Self::InitTimeout => (4408, "Connection initialisation timeout"),
            Self::IdTaken => (4409, "Subscriber already exists"),
            Self::SecondInit => (4429, "Too many initialisation requests"),
            Self::SlowReader => (4291, "Too slow"),
            Self::Idle => (4499, "Nothing was heard"),
        };
        Message::Close(Some(CloseFrame { code, reason: reason.into() }))
    }
}

/// Client messages of the `graphql-transport-ws` protocol.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    ConnectionInit { payload: Option<Value> },
    Subscribe { id: String, payload: Value },
    Complete { id: String },
    Ping { payload: Option<Value> },
    Pong {},
}

/// Accepts a socket. A client that offers another protocol gets the protocol's close code.
pub(super) fn accept(
    door: Door,
    upgrade: WebSocketUpgrade,
    header_token: Option<String>,
    link: Link,
) -> Response {
    let contact = Contact::socket(link, &door.limits);
    let limit = door.limits.message;
    let tracker = door.tracker.clone();
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        // Unlimited, because messages are written one at a time and the queue limits the rest.
        .max_write_buffer_size(usize::MAX)
        .max_message_size(limit)
        .max_frame_size(limit);
    let is_ours = upgrade.selected_protocol().is_some_and(|protocol| protocol == PROTOCOL);
    upgrade
        .on_upgrade(move |socket| async move {
            let (sink, stream) = socket.split();
            let (queue, frames) = outgoing(door.limits.queue);
            let writer = tracker.spawn(outgoing::write(sink, frames, door.limits.frame_within));
            let mut socket = Socket::new(door, queue.clone(), header_token, contact);
            let close = if is_ours { socket.read(stream).await } else { Some(Close::BadProtocol) };
            socket.end_operations();
            drop(socket);
            if let Some(close) = close {
                let _ = timeout(CLOSE_WITHIN, queue.send(close.frame())).await;
            }
            drop(queue);
            let abort = writer.abort_handle();
            if timeout(CLOSE_WITHIN, writer).await.is_err() {
                abort.abort();
            }
        })
        .into_response()
}

struct Socket {
    door: Door,
    queue: Outgoing,
    header_token: Option<String>,
    contact: Contact,
    caller: Option<Present>,
    /// The access of the caller's actor. Absent before authentication.
    standing: Option<watch::Receiver<Standing>>,
    /// Running operations, by the client's id. A serial number distinguishes reused ids.
    operations: HashMap<String, (u64, AbortHandle)>,
    serial: u64,
    ended: mpsc::UnboundedSender<Ended>,
    has_ended: mpsc::UnboundedReceiver<Ended>,
}

/// An operation that has finished.
struct Ended {
    id: String,
    serial: u64,
    last: Last,
}

/// The end of an operation.
enum Last {
    /// The client receives `complete` or an error.
    Say(Value),
    /// The socket closes, so that the client reconnects with its cursors.
    Close(Close),
}

impl Socket {
    fn new(door: Door, queue: Outgoing, header_token: Option<String>, contact: Contact) -> Self {
        let (ended, has_ended) = mpsc::unbounded_channel();
        let operations = HashMap::new();
        let (caller, standing) = (None, None);
        Self { door, queue, header_token, contact, caller, standing, operations, serial: 0, ended, has_ended }
    }

    /// Reads until the socket ends. Returns the close code, unless the client is gone.
    async fn read(&mut self, mut stream: SplitStream<WebSocket>) -> Option<Close> {
        let limits = self.door.limits;
        let opened = Instant::now();
        let (mut heard, mut pinged) = (opened, opened);
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shutdown = self.door.shutdown.clone();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Some(Close::Restart),
                () = self.queue.closed() => return Some(Close::SlowReader),
                () = is_deactivated(&mut self.standing) => return Some(Close::Forbidden),
                () = self.contact.is_asked() => {
                    self.queue.try_send(Message::Ping(axum::body::Bytes::new()));
                }
                Some(Ended { id, serial, last }) = self.has_ended.recv() => {
                    if self.operations.get(&id).is_some_and(|(current, _)| *current == serial) {
                        self.operations.remove(&id);
                        let last = match last {
                            // A deactivated caller gets no `complete`: the close code says why the socket
                            // closes.
                            Last::Say(_) if self.is_deactivated() => return Some(Close::Forbidden),
                            Last::Say(last) => last,
                            Last::Close(close) => return Some(close),
                        };
                        // Sent only now, because the client may reuse the id after this message.
                        let asked = Instant::now();
                        if let Some(close) = self.say(last).await {
                            return Some(close);
                        }
                        // While this waited for space, nothing was read.
                        heard += asked.elapsed();
                    }
                }
                now = tick.tick() => {
                    if self.caller.is_none() && now - opened > limits.init_within {
                        return Some(Close::InitTimeout);
                    }
                    if now.saturating_duration_since(heard) > limits.silent_within {
                        return Some(Close::Idle);
                    }
                    if now.saturating_duration_since(pinged) > limits.ping_every {
                        pinged = now;
                        // A full queue already has messages for the client.
                        self.queue.try_send(Message::Ping(axum::body::Bytes::new()));
                    }
                    if let Some(close) = self.standing().await {
                        return Some(close);
                    }
                }
                message = stream.next() => {
                    self.contact.pulse.beat();
                    match message? {
                        Ok(Message::Text(text)) => {
                            if let Some(close) = self.hear(text.as_str()).await {
                                return Some(close);
                            }
                        }
                        Ok(Message::Binary(_)) => return Some(Close::BadMessage),
                        Ok(Message::Ping(_) | Message::Pong(_)) => {}
                        Ok(Message::Close(_)) => return None,
                        Err(error) => return fault(error),
                    }
                    // While the result waited for space, nothing was read.
                    heard = Instant::now();
                }
            }
        }
    }

    /// Checks whether the caller may still use the socket.
    async fn standing(&mut self) -> Option<Close> {
        let is_here = self.caller.as_mut()?.is_here(&self.door).await;
        (!is_here).then_some(Close::Forbidden)
    }

    fn is_deactivated(&self) -> bool {
        self.standing.as_ref().is_some_and(|standing| *standing.borrow() == Standing::Gone)
    }

    async fn hear(&mut self, text: &str) -> Option<Close> {
        let Ok(said) = serde_json::from_str::<Said>(text) else { return Some(Close::BadMessage) };
        match said {
            Said::ConnectionInit { payload } => self.init(payload).await,
            Said::Ping { payload } => {
                let pong = match payload {
                    Some(payload) => json!({ "type": "pong", "payload": payload }),
                    None => json!({ "type": "pong" }),
                };
                self.say(pong).await
            }
            Said::Pong {} => None,
            Said::Complete { id } => {
                if let Some((_, operation)) = self.operations.remove(&id) {
                    operation.abort();
                }
                None
            }
            Said::Subscribe { id, payload } => self.subscribe(id, payload).await,
        }
    }

    async fn init(&mut self, payload: Option<Value>) -> Option<Close> {
        if self.caller.is_some() {
            return Some(Close::SecondInit);
        }
        let from_payload = payload.as_ref().and_then(Value::as_object).and_then(|payload| {
            let value = payload.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?.1;
            auth::bearer(value.as_str()?)
        });
        let token = from_payload.or(self.header_token.as_deref());
        // Without an origin, so widget keys are rejected here: signing in takes a single request.
        let deadline = Instant::now() + self.door.limits.operation_within;
        match auth::authenticate(&self.door, token, None, deadline).await {
            Ok(viewer) => {
                let Some(caller) = Present::new(&self.door, viewer, &self.contact).await else {
                    return Some(Close::TooMany);
                };
                self.standing = Some(caller.standing());
                self.caller = Some(caller);
                self.say(json!({ "type": "connection_ack" })).await
            }
            Err((_, refusal)) if refusal.code == Code::Unavailable => Some(Close::Overload),
            Err(_) => Some(Close::Forbidden),
        }
    }

    async fn subscribe(&mut self, id: String, payload: Value) -> Option<Close> {
        if let Some(close) = self.standing().await {
            return Some(close);
        }
        let Some(caller) = &self.caller else { return Some(Close::Unauthorized) };
        if self.operations.contains_key(&id) {
            return Some(Close::IdTaken);
        }
        if !payload.is_object() {
            return Some(Close::BadMessage);
        }
        let limit = self.door.limits.operations;
        if self.operations.len() >= limit {
            let message = format!("A WebSocket can run at most {limit} operations at the same time.");
            return self.say(error(&id, &Refusal::new(Code::LimitExceeded, message))).await;
        }
        let arrival = Arrival {
            renewal: Some(Arc::clone(&caller.renewal)),
            pulse: Some(self.contact.pulse.clone()),
            ..Arrival::default()
        };
        let prepared = Parameters::from_json(payload)
            .and_then(|parameters| operation::prepare(&self.door, &caller.viewer, parameters, arrival));
        let operation = match prepared {
            Ok(operation) => operation,
            Err(refusal) => return self.say(error(&id, &refusal)).await,
        };
        self.serial += 1;
        let serial = self.serial;
        let is_stream = operation.kind == OperationType::Subscription;
        let (door, queue, ended, name) =
            (self.door.clone(), self.queue.clone(), self.ended.clone(), id.clone());
        let running = self.door.tracker.spawn(async move {
            let inner = door.tracker.spawn(perform(door.clone(), operation, name.clone(), queue));
            let guard = AbortOnDrop(inner.abort_handle());
            let last = inner.await.unwrap_or_else(|_panic| {
                let error = error(&name, &Refusal::internal());
                // Clients do not restart a stream after an error, so they would miss later events.
                Some(if is_stream { Last::Close(Close::Overload) } else { Last::Say(error) })
            });
            drop(guard);
            if let Some(last) = last {
                let _ = ended.send(Ended { id: name, serial, last });
            }
        });
        self.operations.insert(id, (serial, running.abort_handle()));
        None
    }

    /// Queues a message. If the client does not read, the writer ends after its deadline, and this returns.
    async fn say(&mut self, message: Value) -> Option<Close> {
        tokio::select! {
            biased;
            () = is_deactivated(&mut self.standing) => Some(Close::Forbidden),
            sent = self.queue.send(text(&message)) => sent.err().map(|_| Close::SlowReader),
            () = self.door.shutdown.cancelled() => Some(Close::Restart),
        }
    }

    fn end_operations(&mut self) {
        for (_, (_, operation)) in self.operations.drain() {
            operation.abort();
        }
    }
}

/// The close code for a message that cannot be read (RFC 6455, section 7.4.1). `None` if the connection was
/// lost.
fn fault(error: axum::Error) -> Option<Close> {
    let error = error.into_inner();
    let error = error.downcast_ref::<tungstenite::Error>()?;
    if let tungstenite::Error::Protocol(broken) = error {
        let has_left = matches!(broken, ProtocolError::ResetWithoutClosingHandshake);
        return (!has_left).then_some(Close::Violation);
    }
    if matches!(error, tungstenite::Error::Utf8(_)) {
        return Some(Close::NotText);
    }
    matches!(error, tungstenite::Error::Capacity(_)).then_some(Close::TooLong)
}

/// Waits until the caller is deactivated.
async fn is_deactivated(standing: &mut Option<watch::Receiver<Standing>>) {
    match standing {
        Some(standing) => deactivated(standing).await,
        None => std::future::pending().await,
    }
}

/// Runs one operation and sends its results. Returns how it ends, or `None` if the socket is gone.
async fn perform(door: Door, operation: Operation, id: String, queue: Outgoing) -> Option<Last> {
    let most_errors = door.limits.errors;
    match operation.kind {
        OperationType::Query | OperationType::Mutation => {
            if operation.kind == OperationType::Query {
                // A result is not produced before it can be queued. A mutation is committed anyway.
                queue.has_room().await;
            }
            let _running = queue.may_run(operation.kind, operation.units).await?;
            let deadline = Instant::now() + door.limits.operation_within;
            let (answer, was_executed) = clean(operation::run(&door, operation, deadline).await, most_errors);
            if !was_executed {
                return Some(Last::Say(failed(&id, &answer)));
            }
            let next = next(&id, &answer);
            // It may wait for room: once is enough.
            drop(answer);
            match next {
                Ok(next) => queue.send(next).await.ok()?,
                Err(too_large) => return Some(Last::Say(too_large)),
            }
        }
        OperationType::Subscription => {
            let mut answers = streaming::stream(&door, operation);
            let mut is_first = true;
            loop {
                queue.has_room().await;
                let answer = match answers.next().await {
                    Some(Told::Answer(answer, _)) => *answer,
                    Some(Told::CutOff) => return Some(Last::Close(Close::Overload)),
                    None => break,
                };
                let has_not_started = is_first && has_failed_to_start(&answer);
                let (answer, was_executed) = clean(answer, most_errors);
                if has_not_started && has_code(&answer, Code::Unavailable) {
                    return Some(Last::Close(Close::Overload));
                }
                if has_not_started || (is_first && !was_executed) {
                    return Some(Last::Say(failed(&id, &answer)));
                }
                let next = next(&id, &answer);
                drop(answer);
                match next {
                    Ok(next) => queue.send(next).await.ok()?,
                    Err(too_large) => return Some(Last::Say(too_large)),
                }
                is_first = false;
                tokio::task::coop::consume_budget().await;
            }
        }
    }
    Some(Last::Say(json!({ "type": "complete", "id": id })))
}

/// Whether a stream could not start: its only result has no data, and errors for its root field alone.
fn has_failed_to_start(answer: &Answer) -> bool {
    answer.data == async_graphql::Value::Null
        && !answer.errors.is_empty()
        && answer.errors.iter().all(|error| error.path.len() <= 1)
}

/// A result as a message, or an error if it is too large for a socket.
fn next(id: &str, answer: &Answer) -> Result<Message, Value> {
    let payload = answer::payload(answer, true);
    let next = format!("{{\"type\":\"next\",\"id\":{},\"payload\":{payload}}}", Value::from(id));
    if next.len() > LARGEST {
        let message = format!(
            "The response has {} bytes, more than the limit of {LARGEST}. Request shorter pages or fewer fields.",
            next.len()
        );
        return Err(error(id, &Refusal::new(Code::LimitExceeded, message)));
    }
    Ok(Message::Text(next.into()))
}

fn failed(id: &str, answer: &Answer) -> Value {
    json!({ "type": "error", "id": id, "payload": answer::errors(answer) })
}

fn error(id: &str, refusal: &Refusal) -> Value {
    json!({ "type": "error", "id": id, "payload": [refusal.to_json()] })
}

fn text(message: &Value) -> Message {
    Message::Text(message.to_string().into())
}
