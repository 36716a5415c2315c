//! Runs the loads of an operation in rounds. First, all fields request the data that they need. Then the data
//! is loaded, each kind of key in one batch, and the fields continue. The number of statements of an
//! operation thus depends only on its document, not on the length of pages or on thread scheduling.

use async_graphql::runtime::Timer;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use futures_util::task::{FutureObj, Spawn, SpawnError};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Load = FutureObj<'static, ()>;

/// The queue of an operation's batches.
#[derive(Clone)]
pub(super) struct Queue(UnboundedSender<Load>);

/// The number of fields that an operation resolves before it yields to other tasks of its thread, about 2 ms.
const SLICE: usize = 256;

/// The rest of an operation's time slice. Its fields are resolved within one task, so they share the slice.
#[derive(Clone, Default)]
pub(super) struct Slice(Arc<State>);

#[derive(Default)]
struct State {
    left: AtomicUsize,
    is_over: AtomicBool,
}

impl Slice {
    fn begin(&self) {
        self.0.left.store(SLICE, Ordering::Relaxed);
        self.0.is_over.store(false, Ordering::Relaxed);
    }

    /// Whether fields wait for the next slice rather than for a load.
    fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::Relaxed)
    }

    /// Takes one field's share of the slice, or waits for the next slice.
    pub(super) async fn take(&self) {
        poll_fn(|context| {
            let less = |left: usize| left.checked_sub(1);
            if self.0.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
                return Poll::Ready(());
            }
            self.0.is_over.store(true, Ordering::Relaxed);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// Runs the loads of an operation. Nothing is loaded unless this runs along with the operation.
pub struct Rounds {
    slice: Slice,
    waiting: UnboundedReceiver<Load>,
    running: FuturesUnordered<Load>,
}

/// A queue, and the runner of its loads.
pub(super) fn rounds() -> (Queue, Rounds) {
    let (queue, waiting) = unbounded_channel();
    (Queue(queue), Rounds { slice: Slice::default(), waiting, running: FuturesUnordered::new() })
}

impl Rounds {
    /// The time slices of the operation.
    pub(super) fn slice(&self) -> Slice {
        self.slice.clone()
    }

    /// Runs a query or a mutation with its loads.
    pub async fn along<F: Future>(mut self, operation: F) -> F::Output {
        let mut operation = pin!(operation);
        poll_fn(move |context| {
            self.slice.begin();
            let polled = operation.as_mut().poll(context);
            if polled.is_pending() && !self.slice.is_over() {
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
            self.slice.begin();
            let polled = operation.as_mut().poll_next(context);
            if polled.is_pending() && !self.slice.is_over() {
                self.go_on(context);
            }
            polled
        })
    }

    /// Continues this round, or begins the next one. Called when no field can continue without a load.
    fn go_on(&mut self, context: &mut Context<'_>) {
        if self.running.is_empty() {
            while let Ok(load) = self.waiting.try_recv() {
                self.running.push(load);
            }
        }
        while let Poll::Ready(Some(())) = self.running.poll_next_unpin(context) {}
        // Fields that received data request more first. A round that no field waits for wakes nothing.
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

/// The timer of a batch. A batch does not wait for more keys: its round begins when all keys have been
/// requested.
pub(super) struct AtOnce;

impl Timer for AtOnce {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
