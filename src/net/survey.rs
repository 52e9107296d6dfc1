//! Many ports of one host at once, and the truth about their silence.
//!
//! The window of connects in flight starts small and grows with every answer; timeouts follow the round-trip time and
//! stay below the first SYN retransmission. What stayed silent is believed only after a slow second look at a sample:
//! routers and hosts limit their answers, and our own bursts overflow queues. If the sample answers after all, the silent
//! ports are asked again, slower.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::sleep;

use super::Network;
use crate::clock::{Deadline, Stopwatch};
use crate::evidence::{Outcome, PortState};

/// Connects in flight at the beginning of a pass.
const FIRST_WINDOW: usize = 64;

/// Connects in flight at the most: more than a thousand SYNs at once overflow ordinary queues.
const WIDEST_WINDOW: usize = 1024;

/// Silent ports that are looked at a second time before silence is believed: with none of 64 answering, fewer than one in
/// twenty of all would (at 95 %).
const SAMPLE: usize = 64;

/// Pace of that second look, in connects a second: below the limits that hosts put on their resets.
const SAMPLE_RATE: f64 = 100.0;

/// The kernel sends a SYN again after one second (RFC 6298 §2): an answer that took so long answers that one.
const RETRANSMISSION: Duration = Duration::from_secs(1);

/// Rounds of asking again.
const ROUNDS: usize = 6;

/// How fast a survey may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// As fast as answers come.
    Max,
    /// So many connects a second.
    PerSecond(u32),
}

/// What is to be surveyed.
#[derive(Clone, Debug)]
pub struct Order {
    /// The host.
    pub address: IpAddr,
    /// The ports; they are asked in a random-looking order.
    pub ports: Vec<u16>,
    /// Round-trip time, from the control connection.
    pub rtt: Duration,
    /// The pace.
    pub rate: Rate,
    /// When it has to end.
    pub deadline: Deadline,
    /// Ends it early, when set; what is known by then is kept.
    pub stop: Arc<AtomicBool>,
}

impl Order {
    /// Whether nothing more is to be asked.
    fn over(&self) -> bool {
        self.deadline.passed() || self.stop.load(Ordering::Relaxed)
    }
}

/// Lets this process hold as many sockets as the system allows it. Surveys get along with fewer, more slowly.
pub fn raise_file_limit() {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};

        if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Surveyed {
    /// Ports and states, in no order; ports that were not asked for want of time are missing.
    pub states: Vec<(u16, PortState)>,
    /// Whether the time ran out.
    pub cut_short: bool,
}

/// Surveys. `tell` hears how many ports have been asked, of how many.
pub async fn survey(network: &dyn Network, order: &Order, tell: &(dyn Fn(usize, usize) + Sync)) -> Surveyed {
    let mut work = Work {
        network,
        order,
        tell,
        states: vec![None; 1 << 16],
        estimate: Estimate::new(order.rtt),
        asked: 0,
        chance: Chance(0x9E37_79B9_7F4A_7C15 ^ u64::from(order.ports.first().copied().unwrap_or(1))),
    };
    let mut ports = order.ports.clone();
    work.chance.shuffle(&mut ports);
    let pace = match order.rate {
        Rate::Max => None,
        Rate::PerSecond(rate) => Some(f64::from(rate.max(1))),
    };
    let clock = Stopwatch::start();
    let first = work.pass(&ports, Pass { pace, patience: None, window: WIDEST_WINDOW }).await;
    let rate = answers_a_second(first.answered, clock.elapsed());
    let mut asks = 1;
    if first.answered > 0 {
        // Among answers silence is often loss: what was lost once in fifty is seldom lost twice.
        let silent = work.unverified(&ports);
        work.pass(&silent, Pass { pace, patience: None, window: WIDEST_WINDOW }).await;
        asks = 2;
    }
    work.verify(&ports, asks, rate, pace).await;
    let states: Vec<_> =
        ports.iter().filter_map(|port| Some((*port, work.states[usize::from(*port)].clone()?))).collect();
    Surveyed { cut_short: states.len() < ports.len(), states }
}

#[expect(clippy::cast_precision_loss, reason = "a pace")]
fn answers_a_second(answers: usize, time: Duration) -> f64 {
    (answers as f64 / time.as_secs_f64().max(0.001)).max(25.0)
}

/// What came of a pass.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Ports that answered.
    answered: usize,
    /// Those of them that answered the first SYN.
    prompt: usize,
}

/// How one pass goes about it.
#[derive(Clone, Copy, Debug)]
struct Pass {
    /// Connects a second; as many as the window allows without it.
    pace: Option<f64>,
    /// How long one connect may take; by the estimate without it.
    patience: Option<Duration>,
    /// The widest window.
    window: usize,
}

struct Work<'a> {
    network: &'a dyn Network,
    order: &'a Order,
    tell: &'a (dyn Fn(usize, usize) + Sync),
    states: Vec<Option<PortState>>,
    estimate: Estimate,
    asked: usize,
    chance: Chance,
}

impl Work<'_> {
    /// Asks each port once.
    async fn pass(&mut self, ports: &[u16], pass: Pass) -> Tally {
        let (network, order) = (self.network, self.order);
        let clock = Stopwatch::start();
        let (mut waiting, mut postponed) = (ports.iter().copied(), Vec::new());
        let mut widest = pass.window;
        let (mut window, mut tally, mut sent) = (FIRST_WINDOW.min(pass.window), Tally::default(), 0_u32);
        let mut flying = FuturesUnordered::new();
        let mut next = waiting.next();
        loop {
            let due = pass.pace.is_none_or(|pace| clock.elapsed().as_secs_f64() * pace >= f64::from(sent));
            let may_send = flying.len() < window && due && !order.over();
            if let (Some(port), true) = (next, may_send) {
                flying.push(ask(
                    network,
                    order,
                    port,
                    pass.patience.unwrap_or_else(|| self.estimate.patience()),
                ));
                sent += 1;
                next = waiting.next().or_else(|| postponed.pop());
                continue;
            }
            let pause = pass
                .pace
                .filter(|_| next.is_some() && flying.len() < window)
                .map(|pace| Duration::from_secs_f64(0.5 / pace));
            let Some(done) = next_done(&mut flying, pause).await else {
                if flying.is_empty() && (next.is_none() || order.over()) {
                    return tally;
                }
                continue;
            };
            let (port, outcome, took) = done;
            if exhausted(&outcome) {
                // Out of file descriptors or local ports: fewer at a time, and this one again when others are done.
                widest = (flying.len() * 3 / 4).max(1);
                window = window.min(widest);
                if flying.is_empty() {
                    sleep(Duration::from_millis(20)).await;
                }
                match next {
                    None => next = Some(port),
                    Some(_) => postponed.push(port),
                }
                continue;
            }
            if matches!(outcome, Outcome::Open | Outcome::Reset | Outcome::Icmp(_)) {
                tally.answered += 1;
                tally.prompt += usize::from(took < RETRANSMISSION);
                self.estimate.add(took);
            }
            window = (window + 1).min(widest);
            self.note(port, &outcome);
        }
    }

    fn note(&mut self, port: u16, outcome: &Outcome) {
        let state = PortState::from(outcome);
        let slot = &mut self.states[usize::from(port)];
        if slot.is_none() {
            self.asked += 1;
            (self.tell)(self.asked, self.order.ports.len());
        }
        // An answer once had stays: later silence is only loss.
        if !matches!((&*slot, &state), (Some(known), PortState::Unverified) if known != &PortState::Unverified)
        {
            *slot = Some(state);
        }
    }

    /// Makes sure of the silent ports. A slow look at a sample of them, and at a sample of those that had answered, tells
    /// three things apart: real silence (no silent port answers, all others do again), loss (some of the others do not),
    /// and a limit on answers (silent ports answer, and so do all others). What could not be made sure of stays unverified.
    /// `asks` is how often each silent port was asked so far.
    async fn verify(&mut self, ports: &[u16], mut asks: i32, mut rate: f64, pace: Option<f64>) {
        // Once answers came late, a sample without one is no proof: a few hide among many silent ports.
        let mut answers_came_late = false;
        for _ in 0..ROUNDS {
            let mut silent = self.unverified(ports);
            if silent.is_empty() || self.order.over() {
                return;
            }
            let patience = RETRANSMISSION + self.estimate.patience();
            let (hits, loss) = self.look_again(ports, &mut silent, pace).await;
            if self.order.over() {
                return;
            }
            if hits == 0 && !answers_came_late && loss.is_none_or(|loss| enough(silent.len(), loss, asks)) {
                self.believe(&silent);
                return;
            }
            let lossy = loss.filter(|loss| *loss > 0.0);
            let again = if lossy.is_some() {
                // Packets are lost. The same again, with room for a retransmission.
                asks += 2;
                Pass { pace, patience: Some(patience), window: WIDEST_WINDOW / 2 }
            } else {
                // Somebody limits the answers. Below the pace at which they came.
                asks += 1;
                let gentle = pace.map_or(rate * 0.7, |pace| pace.min(rate * 0.7));
                Pass { pace: Some(gentle), patience: None, window: WIDEST_WINDOW / 4 }
            };
            let rest = self.unverified(ports);
            let clock = Stopwatch::start();
            let more = self.pass(&rest, again).await.answered;
            let sure = lossy.map_or(hits + more == 0, |loss| enough(silent.len(), loss, asks));
            if sure && !self.order.over() {
                let silent = self.unverified(ports);
                self.believe(&silent);
                return;
            }
            answers_came_late |= lossy.is_none();
            rate = answers_a_second(more, clock.elapsed());
        }
    }

    /// A slow look at a sample of the silent ports and of those that had answered: how many of the former answer, and
    /// what share of the latter does not at once (`None` without any).
    async fn look_again(
        &mut self,
        ports: &[u16],
        silent: &mut [u16],
        pace: Option<f64>,
    ) -> (usize, Option<f64>) {
        self.chance.shuffle(silent);
        let answered = |port: &&u16| self.states[usize::from(**port)].as_ref().is_some_and(answers);
        let known: Vec<u16> = ports.iter().filter(answered).take(SAMPLE).copied().collect();
        let unknown = silent[..silent.len().min(SAMPLE)].to_vec();
        // Where loss can be measured no retransmission has to be waited for.
        let patience = self.estimate.patience();
        let patience = if known.is_empty() { patience + RETRANSMISSION } else { patience * 2 };
        let slow = |share: f64| pace.map_or(SAMPLE_RATE, |pace| pace.min(SAMPLE_RATE)) * share;
        let look = |share| Pass { pace: Some(slow(share)), patience: Some(patience), window: SAMPLE };
        let hits = self.pass(&unknown, look(1.0)).await.answered;
        if known.is_empty() {
            return (hits, None);
        }
        // Their answers are expected, so that they may be asked faster.
        let prompt = self.pass(&known, look(1.5)).await.prompt;
        #[expect(clippy::cast_precision_loss, reason = "a share of at most 64")]
        let loss = (known.len() - prompt) as f64 / known.len() as f64;
        (hits, Some(loss))
    }

    fn unverified(&self, ports: &[u16]) -> Vec<u16> {
        let silent = |port: &&u16| self.states[usize::from(**port)] == Some(PortState::Unverified);
        ports.iter().filter(silent).copied().collect()
    }

    fn believe(&mut self, ports: &[u16]) {
        for port in ports {
            self.states[usize::from(*port)] = Some(PortState::Silent);
        }
    }
}

/// Whether a state is an answer of the other side.
fn answers(state: &PortState) -> bool {
    matches!(state, PortState::Open | PortState::Reset | PortState::Icmp(_))
}

/// Whether so many silent ports have been asked often enough: where a share of all packets is lost, less than one port in
/// twenty surveys is then taken for silent that is not.
fn enough(silent: usize, loss: f64, asks: i32) -> bool {
    if loss == 0.0 {
        return true;
    }
    // A sample of 64 may have been lucky.
    let loss = (loss + 0.03).min(0.9);
    #[expect(clippy::cast_precision_loss, reason = "at most 65,535")]
    let wrong = silent as f64 * loss.powi(asks);
    wrong < 0.05
}

/// Asks one port, no longer than the survey lasts.
async fn ask(
    network: &dyn Network,
    order: &Order,
    port: u16,
    patience: Duration,
) -> (u16, Outcome, Duration) {
    let clock = Stopwatch::start();
    let to = SocketAddr::new(order.address, port);
    let outcome = network.probe(to, order.deadline.cap(patience)).await;
    (port, outcome, clock.elapsed())
}

/// The next outcome, or `None` after a pause (or if nothing is in flight).
async fn next_done<F: Future>(
    flying: &mut FuturesUnordered<F>,
    pause: Option<Duration>,
) -> Option<F::Output> {
    match pause {
        None => flying.next().await,
        Some(pause) if flying.is_empty() => {
            sleep(pause).await;
            None
        }
        Some(pause) => tokio::select! {
            done = flying.next() => done,
            () = sleep(pause) => None,
        },
    }
}

/// Whether this host ran out of something, so that the port was not asked.
fn exhausted(outcome: &Outcome) -> bool {
    let words = ["Too many open files", "Cannot assign requested address", "No buffer space"];
    matches!(outcome, Outcome::Failed { error } if words.iter().any(|word| error.contains(word)))
}

/// Smoothed round-trip time and its variation (RFC 6298 §2).
#[derive(Clone, Copy, Debug)]
struct Estimate {
    smooth: f64,
    variation: f64,
    known: bool,
}

impl Estimate {
    fn new(rtt: Duration) -> Self {
        let rtt = rtt.as_secs_f64();
        Self { smooth: rtt, variation: rtt / 2.0, known: rtt > 0.0 }
    }

    fn add(&mut self, sample: Duration) {
        let sample = sample.as_secs_f64();
        if sample > 0.9 {
            return; // answered after a retransmission: that says nothing of the way
        }
        if !self.known {
            *self = Self::new(Duration::from_secs_f64(sample));
            return;
        }
        self.variation += ((self.smooth - sample).abs() - self.variation) / 8.0;
        self.smooth += (sample - self.smooth) / 16.0;
    }

    /// How long to wait for an answer: below the first SYN retransmission, which comes after one second.
    fn patience(&self) -> Duration {
        if !self.known {
            return Duration::from_millis(950);
        }
        let seconds = (self.smooth + 4.0 * self.variation).max(2.0 * self.smooth).clamp(0.15, 0.95);
        Duration::from_secs_f64(seconds)
    }
}

/// A source of chance that is the same in every run (Marsaglia's xorshift): surveys can be repeated.
#[derive(Clone, Copy, Debug)]
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % limit.max(1)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::net::{PortRule, Scripted, System, Treatment};

    fn order(ports: Vec<u16>) -> Order {
        Order {
            address: [127, 0, 0, 1].into(),
            ports,
            rtt: Duration::from_millis(1),
            rate: Rate::Max,
            deadline: Deadline::after(Duration::from_secs(30)),
            stop: Arc::default(),
        }
    }

    fn scripted(rules: Vec<(&str, Option<u32>, Treatment)>) -> Scripted {
        let rule = |(ports, times, treatment): (&str, Option<u32>, Treatment)| PortRule {
            to: "127.0.0.1/32".parse().unwrap(),
            ports: ports.parse().unwrap(),
            times,
            at: None,
            treatment,
        };
        Scripted {
            rules: rules.into_iter().map(rule).collect(),
            names: BTreeMap::new(),
            networks: Vec::new(),
            unroutable: Vec::new(),
            routers: Vec::new(),
            delay: Duration::ZERO,
            listeners: Arc::new(|_| None),
            readable: Arc::new(|_| false),
            hosts: vec![[127, 0, 0, 1].into()],
            used: Mutex::default(),
        }
    }

    fn count(surveyed: &Surveyed, wanted: &PortState) -> usize {
        surveyed.states.iter().filter(|(_, state)| state == wanted).count()
    }

    #[tokio::test]
    async fn real_ports_on_loopback() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().port();
        let ports: Vec<u16> = (open.saturating_sub(300)..open).chain([open]).collect();
        let surveyed = survey(&System::default(), &order(ports.clone()), &|_, _| {}).await;
        assert_eq!(surveyed.states.len(), ports.len());
        let state = surveyed.states.iter().find(|(port, _)| *port == open).map(|(_, state)| state.clone());
        assert_eq!(state, Some(PortState::Open));
        assert!(count(&surveyed, &PortState::Reset) > 250, "{:?}", surveyed.states);
    }

    #[tokio::test]
    async fn silence_is_believed_after_a_second_look() {
        let network = scripted(vec![("2000-2009", None, Treatment::Silent)]);
        let surveyed = survey(&network, &order((1990..2020).collect()), &|_, _| {}).await;
        assert_eq!(count(&surveyed, &PortState::Silent), 10);
        assert_eq!(count(&surveyed, &PortState::Reset), 20);
    }

    #[tokio::test]
    async fn a_lost_packet_is_no_silence() {
        let network = scripted(vec![("2000-2009", Some(10), Treatment::Silent)]);
        let surveyed = survey(&network, &order((1990..2020).collect()), &|_, _| {}).await;
        assert_eq!(count(&surveyed, &PortState::Reset), 30, "{:?}", surveyed.states);
    }

    #[tokio::test]
    async fn no_time_leaves_ports_unverified_or_unasked() {
        let network = scripted(vec![("2000-2009", None, Treatment::Silent)]);
        let mut order = order((2000..2010).collect());
        order.deadline = Deadline::after(Duration::from_millis(100));
        let surveyed = survey(&network, &order, &|_, _| {}).await;
        assert_eq!(count(&surveyed, &PortState::Silent), 0, "{surveyed:?}");
    }

    #[tokio::test]
    async fn a_stop_keeps_what_is_known() {
        let network = scripted(vec![("1000-1999", None, Treatment::Silent)]);
        let mut order = order((900..2000).collect());
        order.rate = Rate::PerSecond(2000);
        let stop = Arc::clone(&order.stop);
        let tell = move |asked: usize, _| stop.store(asked >= 100, Ordering::Relaxed);
        let surveyed = survey(&network, &order, &tell).await;
        assert!(
            surveyed.cut_short && (100..1100).contains(&surveyed.states.len()),
            "{}",
            surveyed.states.len()
        );
    }

    #[test]
    fn patience_stays_below_the_first_retransmission() {
        let mut estimate = Estimate::new(Duration::ZERO);
        assert_eq!(estimate.patience(), Duration::from_millis(950));
        for _ in 0..50 {
            estimate.add(Duration::from_millis(40));
        }
        assert_eq!(estimate.patience(), Duration::from_millis(150));
        for _ in 0..50 {
            estimate.add(Duration::from_millis(800));
        }
        assert!(estimate.patience() <= Duration::from_millis(950));
    }
}
