//! Shared reads: the result of a read serves all readers who request it before it ends.

use super::lock;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

/// The number of entries above which unused reads are removed.
const SWEEP_ABOVE: usize = 1_000;

type Reading<T> = BoxFuture<'static, T>;

/// Reads in progress, by key.
pub(super) struct SharedReads<K, T>(Mutex<HashMap<K, WeakShared<Reading<T>>>>);

impl<K, T> Default for SharedReads<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// The result of a read.
#[derive(Debug)]
pub(super) struct Read<T> {
    pub(super) result: T,
    /// Whether the read began after it was requested. If not, it may lack the latest commits.
    pub(super) is_fresh: bool,
}

impl<K: Hash + Eq + Clone, T: Clone> SharedReads<K, T> {
    /// Joins the read of this key that is in progress, or begins one.
    pub(super) async fn read(&self, key: K, begin: impl FnOnce() -> Reading<T>) -> Read<T> {
        let (reading, is_fresh) = self.join(&key, begin);
        let result = reading.await;
        let mut under_way = lock(&self.0);
        let is_over = |weak: &WeakShared<_>| {
            weak.upgrade().is_none_or(|shared: Shared<Reading<T>>| shared.peek().is_some())
        };
        if under_way.get(&key).is_some_and(is_over) {
            under_way.remove(&key);
        }
        Read { result, is_fresh }
    }

    fn join(&self, key: &K, begin: impl FnOnce() -> Reading<T>) -> (Shared<Reading<T>>, bool) {
        let mut under_way = lock(&self.0);
        let joined =
            under_way.get(key).and_then(WeakShared::upgrade).filter(|shared| shared.peek().is_none());
        if let Some(shared) = joined {
            return (shared, false);
        }
        if under_way.len() >= SWEEP_ABOVE {
            under_way.retain(|_, weak| weak.upgrade().is_some());
        }
        let shared = begin().shared();
        if let Some(weak) = shared.downgrade() {
            under_way.insert(key.clone(), weak);
        }
        (shared, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn readers_that_ask_at_the_same_time_share_one_read() {
        let (reads, begun, go_on) =
            (SharedReads::<i64, usize>::default(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let begin = || {
            let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
            async move {
                let number = begun.fetch_add(1, Ordering::SeqCst);
                go_on.notified().await;
                number
            }
            .boxed()
        };
        let (first, second, other, ()) =
            tokio::join!(reads.read(1, begin), reads.read(1, begin), reads.read(2, begin), async {
                tokio::task::yield_now().await;
                go_on.notify_one();
                go_on.notify_waiters();
            });
        assert_eq!((first.result, second.result), (0, 0));
        assert_eq!((first.is_fresh, second.is_fresh, other.is_fresh), (true, false, true));
        assert!(lock(&reads.0).is_empty());
        let later = tokio::join!(reads.read(1, begin), async { go_on.notify_one() }).0;
        assert_eq!((later.result, later.is_fresh), (2, true));
    }
}
