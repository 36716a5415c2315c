//! The loads of an operation's edges, run by the operation itself, in rounds: first its fields ask for all that
//! they need, then that is loaded, each kind of key in one batch, then the fields go on. How many statements an
//! operation costs thus hangs on its document alone, not on how long a page is or which thread was free.

use async_graphql::runtime::Timer;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use futures_util::task::{FutureObj, Spawn, SpawnError};
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Load = FutureObj<'static, ()>;

/// Where the batches of an operation are put to be loaded.
#[derive(Clone)]
pub(super) struct Queue(UnboundedSender<Load>);

/// What loads them. Nothing is loaded unless the operation runs along with it.
pub struct Rounds {
    waiting: UnboundedReceiver<Load>,
    running: FuturesUnordered<Load>,
}

/// A queue and what works it off.
pub(super) fn rounds() -> (Queue, Rounds) {
    let (queue, waiting) = unbounded_channel();
    (Queue(queue), Rounds { waiting, running: FuturesUnordered::new() })
}

impl Rounds {
    /// Runs a query or a mutation with its loads.
    pub async fn along<F: Future>(mut self, operation: F) -> F::Output {
        let mut operation = pin!(operation);
        poll_fn(move |context| {
            let polled = operation.as_mut().poll(context);
            if polled.is_pending() {
                self.go_on(context);
            }
            polled
        })
        .await
    }

    /// Runs a subscription with its loads.
    pub fn along_stream<S: Stream>(mut self, operation: S) -> impl Stream<Item = S::Item> {
        let mut operation = Box::pin(operation);
        futures_util::stream::poll_fn(move |context| {
            let polled = operation.as_mut().poll_next(context);
            if polled.is_pending() {
                self.go_on(context);
            }
            polled
        })
    }

    /// Goes on with this round, or begins the next one. Called when no field can go on without a load.
    fn go_on(&mut self, context: &mut Context<'_>) {
        if self.running.is_empty() {
            while let Ok(load) = self.waiting.try_recv() {
                self.running.push(load);
            }
        }
        while let Poll::Ready(Some(())) = self.running.poll_next_unpin(context) {}
        // Fields that got an answer ask first; a round that nobody waits for any more wakes nobody.
        if self.running.is_empty() && !self.waiting.is_empty() {
            context.waker().wake_by_ref();
        }
    }
}

impl Spawn for Queue {
    fn spawn_obj(&self, load: Load) -> Result<(), SpawnError> {
        self.0.send(load).map_err(|_| SpawnError::shutdown())
    }
}

/// A batch need not wait for more keys: its round begins when all have been asked for.
pub(super) struct AtOnce;

impl Timer for AtOnce {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
