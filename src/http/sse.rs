//! Subscriptions as server-sent events, in the distinct connections mode of the `graphql-sse` protocol:
//! `next` events with results, and one `complete` at the end. The id of each event is its cursor, so a
//! reconnecting browser resumes automatically.

use super::connections::Link;
use super::negotiate::Format;
use super::open_streams::Contact;
use super::operation::{self, Operation};
use super::presence::{Present, deactivated};
use super::streaming::{self, Told};
use super::{Door, answer, auth};
use crate::domain::viewer::{Standing, Viewer};
use crate::graphql::door::{Code, Refusal, clean, has_code};
use async_graphql::Response as Answer;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The interval of checking whether a token has expired.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a stream may take to report why it ends, before its connection is closed.
const LAST_WORDS_WITHIN: Duration = Duration::from_millis(500);
/// When an actor with too many streams may try again.
const RETRY_AFTER: Duration = Duration::from_secs(4);

/// Streams the operation's results; a query or mutation has one. If a subscription cannot start because the
/// database is unavailable, the response is 503.
pub(super) async fn respond(
    door: &Door,
    viewer: Viewer,
    operation: Operation,
    link: Link,
    deadline: Instant,
) -> Result<Response, (StatusCode, Refusal)> {
    let contact = Contact::event_stream(link);
    let Some(caller) = Present::new(door, viewer, &contact).await else {
        let refusal = Refusal {
            retry_after: Some(RETRY_AFTER),
            ..Refusal::new(
                Code::RateLimited,
                "Too many event streams are open. Close some, or try again later.",
            )
        };
        return Err((StatusCode::TOO_MANY_REQUESTS, refusal));
    };
    let answers = match operation.kind {
        OperationType::Subscription => {
            let resume = Arc::clone(&operation.resume);
            let mut answers = streaming::detached(door, streaming::stream(door, operation));
            let mut standing = caller.standing();
            let first = tokio::select! {
                () = resume.started() => None,
                first = answers.next() => first,
                () = deactivated(&mut standing) => {
                    return Err((StatusCode::UNAUTHORIZED, auth::unauthenticated()));
                }
            };
            match &first {
                Some(Told::Answer(answer, None)) if has_code(answer, Code::Unavailable) => {
                    let refusal = Refusal::new(
                        Code::Unavailable,
                        "The server cannot answer at the moment. Try again later.",
                    );
                    return Err((StatusCode::SERVICE_UNAVAILABLE, refusal));
                }
                Some(Told::Answer(..) | Told::CutOff) | None => {}
            }
            futures_util::stream::iter(first).chain(answers).boxed()
        }
        OperationType::Query | OperationType::Mutation => {
            let door = door.clone();
            let answer =
                async move { Told::Answer(Box::new(operation::run(&door, operation, deadline).await), None) };
            answer.into_stream().boxed()
        }
    };
    let standing = caller.standing();
    let mut heartbeat = tokio::time::interval(door.limits.heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.reset();
    let (gone, closed) = (CancellationToken::new(), CancellationToken::new());
    door.tracker.spawn(look_after(door.clone(), caller, contact, gone.clone(), closed.clone()));
    let closed = closed.drop_guard();
    let door = door.clone();
    let events = Events { door, standing, answers, heartbeat, gone, is_over: false, _closed: closed };
    let body = Body::from_stream(futures_util::stream::unfold(events, |mut events| async move {
        let chunk = events.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(chunk)), events))
    }));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(Format::Events.media_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, body).into_response())
}

/// Watches the caller in a separate task, because the body of the stream is not polled while the peer does
/// not read.
async fn look_after(
    door: Door,
    mut caller: Present,
    contact: Contact,
    gone: CancellationToken,
    closed: CancellationToken,
) {
    let mut clock = tokio::time::interval(LOOK_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = closed.cancelled() => return,
            () = door.shutdown.cancelled() => break,
            () = caller.changed() => {}
            _ = clock.tick() => {}
        }
        if !caller.is_here(&door).await {
            gone.cancel();
            break;
        }
    }
    tokio::time::sleep(LAST_WORDS_WITHIN).await;
    if !closed.is_cancelled() || contact.is_blocked() {
        contact.cut();
    }
}

struct Events {
    door: Door,
    standing: watch::Receiver<Standing>,
    answers: BoxStream<'static, Told>,
    heartbeat: Interval,
    /// Canceled when the caller may no longer use the stream.
    gone: CancellationToken,
    is_over: bool,
    /// Notifies the watching task when the stream has ended.
    _closed: DropGuard,
}

const COMPLETE: &str = "event: complete\ndata:\n\n";

impl Events {
    /// The next part of the body.
    async fn next(&mut self) -> Option<String> {
        if self.is_over {
            return None;
        }
        tokio::select! {
            // In this order, so that a deactivated caller gets no `complete`, and a busy stream can be
            // stopped.
            biased;
            () = deactivated(&mut self.standing) => Some(self.sign_out()),
            // Without `complete`, the stream is interrupted rather than finished, so clients reconnect and
            // resume.
            () = self.door.0.shutdown.cancelled() => None,
            () = self.gone.cancelled() => Some(self.sign_out()),
            answer = self.answers.next() => match answer {
                Some(Told::Answer(answer, cursor)) => {
                    Some(next_event(*answer, cursor.as_deref(), self.door.limits.errors))
                }
                // Without `complete`, as at shutdown.
                Some(Told::CutOff) => None,
                None => Some(self.end()),
            },
            _ = self.heartbeat.tick() => Some(":\n\n".into()),
        }
    }

    fn sign_out(&mut self) -> String {
        let refusal = answer::failed(&auth::unauthenticated());
        let last = next_event(refusal, None, self.door.limits.errors);
        last + &self.end()
    }

    fn end(&mut self) -> String {
        self.is_over = true;
        COMPLETE.into()
    }
}

fn next_event(answer: Answer, cursor: Option<&str>, most_errors: usize) -> String {
    let (answer, was_executed) = clean(answer, most_errors);
    let data = answer::payload(&answer, was_executed);
    let id = cursor.map(|cursor| format!("id: {cursor}\n")).unwrap_or_default();
    format!("event: next\n{id}data: {data}\n\n")
}
