//! What waits to be handed on: bounded, and whoever adds to it never waits.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// A queue between something that must not be held up and something that may be slow. When it is full the oldest goes.
#[derive(Debug)]
pub struct Backlog<T> {
    waiting: Mutex<Waiting<T>>,
    added: Notify,
    most: usize,
    most_bytes: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    closed: bool,
}

impl<T> Backlog<T> {
    /// Room for `most` items (at least one) of together `most_bytes`.
    #[must_use]
    pub fn new(most: usize, most_bytes: usize) -> Self {
        let waiting = Mutex::new(Waiting { items: VecDeque::new(), bytes: 0, closed: false });
        Self { waiting, added: Notify::new(), most: most.max(1), most_bytes }
    }

    /// Adds an item of so many bytes and hands back the oldest ones, for which there was no room any more. The newest is always
    /// kept, however large it is.
    pub fn push(&self, item: T, bytes: usize) -> Vec<T> {
        let mut waiting = self.lock();
        let mut dropped = Vec::new();
        while waiting.items.len() >= self.most
            || (!waiting.items.is_empty() && waiting.bytes.saturating_add(bytes) > self.most_bytes)
        {
            let Some((oldest, size)) = waiting.items.pop_front() else { break };
            waiting.bytes -= size;
            dropped.push(oldest);
        }
        waiting.items.push_back((item, bytes));
        waiting.bytes = waiting.bytes.saturating_add(bytes);
        drop(waiting);
        self.added.notify_one();
        dropped
    }

    /// Nothing more will be added.
    pub fn close(&self) {
        self.lock().closed = true;
        self.added.notify_one();
    }

    /// The oldest item, as soon as there is one; `None` once it is closed and empty. For one reader.
    pub async fn next(&self) -> Option<T> {
        loop {
            {
                let mut waiting = self.lock();
                if let Some((item, bytes)) = waiting.items.pop_front() {
                    waiting.bytes -= bytes;
                    return Some(item);
                }
                if waiting.closed {
                    return None;
                }
            }
            self.added.notified().await;
        }
    }

    /// Items that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_goes_when_there_is_no_room() {
        let backlog = Backlog::new(3, 100);
        assert!((1..=3).all(|number| backlog.push(number, 1).is_empty()));
        assert_eq!(backlog.push(4, 1), [1]);
        // By bytes: what is large drives out several, and is kept even where it is too large itself.
        assert_eq!(backlog.push(5, 99), [2, 3]);
        assert_eq!(backlog.len(), 2);
        assert_eq!(backlog.push(6, 1000), [4, 5]);
        assert_eq!(backlog.next().await, Some(6));
        assert!(backlog.is_empty());
        assert!(backlog.push(7, 100).is_empty(), "the bytes of what was taken are free again");
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_handed_out_in_order_and_before_the_end() {
        let backlog = Backlog::new(10, 100);
        let read = async {
            let mut all = Vec::new();
            while let Some(number) = backlog.next().await {
                all.push(number);
            }
            all
        };
        let write = async {
            for number in 0..5 {
                backlog.push(number, 1);
                tokio::time::sleep(std::time::Duration::from_millis(number % 2)).await;
            }
            backlog.close();
        };
        assert_eq!(tokio::join!(read, write).0, [0, 1, 2, 3, 4]);
        assert_eq!(backlog.next().await, None);
    }
}
