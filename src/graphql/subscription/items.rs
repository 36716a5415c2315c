//! Passes the items of a stream to be resolved, one at a time, and again if that failed.
//!
//! The library resolves an item once, and only then requests the next one. A stream that yields the same item
//! again therefore has it resolved again in its place. Nothing is lost, repeated or reordered.

use super::super::resume::Resume;
use crate::live::Live;
use futures_util::Stream;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::sync::Arc;

/// An item of the API, and the cursor after it. No cursor for an item that ends its stream.
pub(super) struct Made<T> {
    pub(super) cursor: Option<String>,
    pub(super) event: T,
}

struct Items<I, F> {
    live: Live,
    resume: Arc<Resume>,
    stream: BoxStream<'static, I>,
    make: F,
    /// The last item, until it is known to be resolved.
    last: Option<I>,
}

/// Converts a live stream to items of the API, and drops those that have no such item.
pub(super) fn items<I, T>(
    live: Live,
    resume: Arc<Resume>,
    stream: BoxStream<'static, I>,
    make: impl Fn(I) -> Option<Made<T>> + Send + 'static,
) -> impl Stream<Item = T>
where
    I: Clone + Send + 'static,
    T: Send + 'static,
{
    resume.start();
    let items = Items { live, resume, stream, make, last: None };
    stream::unfold(items, |mut items| async move {
        let event = items.next().await?;
        Some((event, items))
    })
}

impl<I: Clone, T, F: Fn(I) -> Option<Made<T>>> Items<I, F> {
    async fn next(&mut self) -> Option<T> {
        let is_again = self.resume.takes_again();
        // The resolved item is dropped before waiting for the next one.
        let mut again = self.last.take().filter(|_| is_again);
        loop {
            let item = match again.take() {
                Some(item) => item,
                None => self.stream.next().await?,
            };
            if let Some(Made { cursor, event }) = (self.make)(item.clone()) {
                let own_turn = self.resume.pass().await;
                self.resume.set_item(cursor, own_turn, self.live.turn().await);
                self.last = Some(item);
                return Some(event);
            }
        }
    }
}
