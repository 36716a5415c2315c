//! The results of a subscription on any transport. Each event is resolved until the database has provided all
//! of it, or the stream is closed before the event.

use super::abort::AbortOnDrop;
use super::operation::Operation;
use super::{Door, answer};
use crate::graphql::door;
use crate::graphql::resume::{Resolved, Resume};
use async_graphql::Response as Answer;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A step of a subscription.
pub(super) enum Told {
    /// A result, with the cursor from which the stream resumes after it.
    Answer(Box<Answer>, Option<String>),
    /// The stream is interrupted, because the next event could not be resolved in time. The client receives
    /// it after reconnecting with its cursor.
    CutOff,
}

/// The first pause before an event is resolved again. It doubles with each attempt, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

struct Following {
    answers: BoxStream<'static, Answer>,
    resume: Arc<Resume>,
    resolve_within: Duration,
    is_over: bool,
}

/// The results of a subscription. If the database is unavailable, an event is resolved again, in its
/// position, until it is complete. An event is left out if the viewer loses access to its chat before it is
/// resolved; the next event reports the loss.
pub(super) fn stream(door: &Door, operation: Operation) -> BoxStream<'static, Told> {
    let Operation { request, rounds, resume, .. } = operation;
    let answers = rounds.along_stream(door.schema.execute_stream(request)).boxed();
    let resolve_within = door.limits.resolve_within;
    let following = Following { answers, resume, resolve_within, is_over: false };
    futures_util::stream::unfold(following, |mut following| async move {
        let told = following.next().await?;
        Some((told, following))
    })
    .boxed()
}

impl Following {
    async fn next(&mut self) -> Option<Told> {
        if self.is_over {
            return None;
        }
        let (mut failing_since, mut pause) = (None, FIRST_PAUSE);
        loop {
            let answer = self.answers.next().await?;
            let Some(Resolved { cursor }) = self.resume.take_item() else {
                return Some(Told::Answer(Box::new(answer), None));
            };
            if cursor.is_some() && door::is_overtaken(&answer) {
                (failing_since, pause) = (None, FIRST_PAUSE);
                continue;
            }
            if !door::is_unresolved(&answer) {
                let answer = answer::with_cursor(answer, cursor.as_deref());
                return Some(Told::Answer(Box::new(answer), cursor));
            }
            let cause = answer.errors.first().map(|error| error.message.as_str()).unwrap_or_default();
            if failing_since.get_or_insert_with(Instant::now).elapsed() >= self.resolve_within {
                tracing::warn!(cause, "could not resolve an event, so its stream is closed");
                self.is_over = true;
                return Some(Told::CutOff);
            }
            tracing::debug!(cause, "could not resolve an event; trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.resume.resolve_again();
        }
    }
}

/// The same results, produced by a separate task. A client that stops reading then holds nothing that others
/// wait for, such as a database connection.
pub(super) fn detached(door: &Door, mut answers: BoxStream<'static, Told>) -> BoxStream<'static, Told> {
    let (sender, told) = mpsc::channel(1);
    let task = door.tracker.spawn(async move {
        while let Some(step) = answers.next().await {
            if sender.send(Some(step)).await.is_err() {
                return;
            }
        }
        let _ = sender.send(None).await;
    });
    let task = AbortOnDrop(task.abort_handle());
    futures_util::stream::unfold(Some((told, task)), |state| async move {
        let (mut told, task) = state?;
        match told.recv().await {
            Some(Some(step)) => Some((step, Some((told, task)))),
            Some(None) => None,
            // The task panicked.
            None => Some((Told::CutOff, None)),
        }
    })
    .boxed()
}
