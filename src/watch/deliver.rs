//! Messages to the webhook: one after the other, again after a while where it may help, and never in the way of a check.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::backlog::Backlog;
use super::pace::Chance;
use crate::net::webhook::{Post, Posted};

/// Messages that wait, and their bytes together: a report may be large, and a receiver dead for days.
pub const MOST_WAITING: usize = 256;
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Tries for one message.
pub const TRIES: u32 = 6;

/// The wait after the first failure; each further one doubles it …
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// … up to this, which also bounds what a receiver may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How long what is left may take at the end.
pub const FLUSH: Duration = Duration::from_secs(5);

/// A message: what it is about, for whoever is told that it was lost, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `change of ftp.example.com`.
    pub about: String,
    /// The body, JSON.
    pub body: String,
}

/// What has to be told about the delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There was no room: the oldest went.
    Dropped {
        /// What it was about.
        about: String,
    },
    /// A first try failed where those before had not: it goes on. Told once until one is taken again.
    Failing {
        /// What it was about.
        about: String,
        /// What it met.
        why: String,
    },
    /// It was refused, or all tries failed.
    GivenUp {
        /// What it was about.
        about: String,
        /// So many tries were made.
        tries: u32,
        /// What the last one met.
        why: String,
    },
    /// The end came first.
    Left {
        /// So many messages.
        messages: usize,
    },
}

/// The messages that wait for the webhook.
#[derive(Debug)]
pub struct Outbox(Backlog<Message>);

impl Default for Outbox {
    fn default() -> Self {
        Self(Backlog::new(MOST_WAITING, MOST_BYTES))
    }
}

impl Outbox {
    /// Adds a message, at once; what had to go for it is told.
    pub fn add(&self, message: Message, told: &dyn Fn(Trouble)) {
        let bytes = message.body.len();
        for dropped in self.0.push(message, bytes) {
            told(Trouble::Dropped { about: dropped.about });
        }
    }

    /// Delivers what is added while `work` goes on, and for a short while what is left after it.
    pub async fn deliver_during<T>(
        &self,
        work: impl Future<Output = T>,
        post: &dyn Post,
        chance: Chance,
        told: &dyn Fn(Trouble),
    ) -> T {
        let delivery = self.deliver(post, chance, told);
        tokio::pin!(delivery, work);
        let done = tokio::select! {
            done = &mut work => done,
            // It does not end before it is closed.
            () = &mut delivery => work.await,
        };
        self.0.close();
        if timeout(FLUSH, delivery).await.is_err() {
            // The one that is under way has left the queue.
            told(Trouble::Left { messages: self.0.len() + 1 });
        }
        done
    }

    async fn deliver(&self, post: &dyn Post, mut chance: Chance, told: &dyn Fn(Trouble)) {
        let mut failing = false;
        while let Some(message) = self.0.next().await {
            let mut failed = |why: &str| {
                if !std::mem::replace(&mut failing, true) {
                    told(Trouble::Failing { about: message.about.clone(), why: why.to_owned() });
                }
            };
            match deliver_one(&message.body, post, &mut chance, &mut failed).await {
                Ok(()) => failing = false,
                Err((tries, why)) => told(Trouble::GivenUp { about: message.about, tries, why }),
            }
        }
    }
}

/// Tries until it is taken, refused, or has failed too often; then the tries and the last reason. `failed` hears of each
/// failure after which it is tried again.
async fn deliver_one(
    body: &str,
    post: &dyn Post,
    chance: &mut Chance,
    failed: &mut dyn FnMut(&str),
) -> Result<(), (u32, String)> {
    let mut tries = 1;
    loop {
        match post.post(body.to_owned()).await {
            Posted::Accepted => return Ok(()),
            Posted::Refused(why) => return Err((tries, why)),
            Posted::Failed { why, .. } if tries >= TRIES => return Err((tries, why)),
            Posted::Failed { why, wait } => {
                failed(&why);
                sleep(back_off(tries, wait, chance)).await;
            }
        }
        tries += 1;
    }
}

/// The wait after so many failed tries: doubled each time, from half of that to all of it by chance, and not less than the
/// receiver asked for, within bounds.
fn back_off(tries: u32, asked: Option<Duration>, chance: &mut Chance) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << (tries - 1).min(16)).min(LONGEST_WAIT);
    let spread = doubled.mul_f64(chance.between(0.5, 1.0));
    spread.max(asked.unwrap_or_default().min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::BoxFuture;

    use super::*;

    /// A receiver that answers from a list, the last answer over and over, and keeps what it was sent.
    #[derive(Debug, Default)]
    struct Receiver {
        answers: Vec<Posted>,
        got: Mutex<Vec<String>>,
        slow: Duration,
        tries: AtomicUsize,
    }

    impl Post for Receiver {
        fn post(&self, body: String) -> BoxFuture<'_, Posted> {
            Box::pin(async move {
                sleep(self.slow).await;
                let number = self.tries.fetch_add(1, Ordering::SeqCst);
                let answer =
                    self.answers.get(number).or(self.answers.last()).cloned().unwrap_or(Posted::Accepted);
                if answer == Posted::Accepted {
                    self.got.lock().unwrap().push(body);
                }
                answer
            })
        }
    }

    fn failed() -> Posted {
        Posted::Failed { why: "it answered 503".to_owned(), wait: None }
    }

    fn failing() -> Trouble {
        Trouble::Failing { about: "change 0".into(), why: "it answered 503".into() }
    }

    fn message(number: usize) -> Message {
        Message { about: format!("change {number}"), body: format!("{{\"number\":{number}}}") }
    }

    /// Adds so many messages, works for a while, and hands out what was told and how long the end took.
    async fn run(receiver: &Receiver, messages: usize, work: Duration) -> (Vec<Trouble>, Duration) {
        let outbox = Outbox::default();
        let told = Mutex::new(Vec::new());
        let tell = |trouble| told.lock().unwrap().push(trouble);
        let began = tokio::time::sleep(Duration::ZERO).deadline();
        let working = async {
            for number in 0..messages {
                outbox.add(message(number), &tell);
            }
            sleep(work).await;
        };
        outbox.deliver_during(working, receiver, Chance::new(1), &tell).await;
        let ended = tokio::time::sleep(Duration::ZERO).deadline();
        (told.into_inner().unwrap(), (ended - began).saturating_sub(work))
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_twice_arrives_with_the_third_try_and_in_order() {
        let receiver =
            Receiver { answers: vec![failed(), failed(), Posted::Accepted], ..Receiver::default() };
        let (told, _) = run(&receiver, 2, Duration::from_secs(60)).await;
        assert_eq!(told, [failing()]);
        assert_eq!(*receiver.got.lock().unwrap(), [message(0).body, message(1).body]);
        assert_eq!(receiver.tries.load(Ordering::SeqCst), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final_and_a_failure_is_tried_a_bounded_number_of_times() {
        let refused =
            Receiver { answers: vec![Posted::Refused("it answered 404".into())], ..Receiver::default() };
        let (told, _) = run(&refused, 1, Duration::from_secs(600)).await;
        let about = "change 0".to_owned();
        assert_eq!(
            told,
            [Trouble::GivenUp { about: about.clone(), tries: 1, why: "it answered 404".into() }]
        );
        let dead = Receiver { answers: vec![failed()], ..Receiver::default() };
        let (told, _) = run(&dead, 1, Duration::from_secs(600)).await;
        let given_up = Trouble::GivenUp { about, tries: TRIES, why: "it answered 503".into() };
        assert_eq!(told, [failing(), given_up]);
        assert_eq!(dead.tries.load(Ordering::SeqCst), TRIES as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_loses_the_oldest_and_says_so() {
        let slow = Receiver { slow: Duration::from_secs(3600), ..Receiver::default() };
        let (told, end) = run(&slow, MOST_WAITING + 3, Duration::from_secs(1)).await;
        let dropped: Vec<&Trouble> =
            told.iter().filter(|trouble| matches!(trouble, Trouble::Dropped { .. })).collect();
        // Nothing was taken out before all were added.
        assert_eq!(dropped.len(), 3);
        assert_eq!(dropped[0], &Trouble::Dropped { about: "change 0".to_owned() });
        assert_eq!(told.last(), Some(&Trouble::Left { messages: MOST_WAITING }));
        assert!(end <= FLUSH + Duration::from_millis(10), "{end:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_at_the_end_is_still_delivered() {
        let receiver = Receiver { slow: Duration::from_millis(100), ..Receiver::default() };
        let (told, end) = run(&receiver, 10, Duration::ZERO).await;
        assert_eq!((told, receiver.got.lock().unwrap().len()), (vec![], 10));
        assert!(end < FLUSH, "{end:?}");
    }

    #[test]
    fn waits_double_within_bounds_and_differ_by_chance() {
        let mut chance = Chance::new(9);
        for (tries, full) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (9, 60), (40, 60)] {
            let full = Duration::from_secs(full);
            let waits: Vec<Duration> = (0..20).map(|_| back_off(tries, None, &mut chance)).collect();
            assert!(waits.iter().all(|wait| (full / 2..=full).contains(wait)), "{tries}: {waits:?}");
            assert!(waits.windows(2).any(|pair| pair[0] != pair[1]));
        }
        assert_eq!(back_off(1, Some(Duration::from_secs(30)), &mut chance), Duration::from_secs(30));
        assert_eq!(back_off(1, Some(Duration::from_secs(86_400)), &mut chance), LONGEST_WAIT);
    }
}
