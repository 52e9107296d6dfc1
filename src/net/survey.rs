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
const SAMPLE_RATE: f64 = 50.0;

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
    let answered = work.pass(&ports, Pass { pace, patience: None, window: WIDEST_WINDOW }).await;
    let rate = answers_a_second(answered, clock.elapsed());
    work.verify(&ports, answered, rate, pace).await;
    let states: Vec<_> =
        ports.iter().filter_map(|port| Some((*port, work.states[usize::from(*port)].clone()?))).collect();
    Surveyed { cut_short: states.len() < ports.len(), states }
}

#[expect(clippy::cast_precision_loss, reason = "a pace")]
fn answers_a_second(answers: usize, time: Duration) -> f64 {
    (answers as f64 / time.as_secs_f64().max(0.001)).max(25.0)
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
    /// Asks each port once. How many answered.
    async fn pass(&mut self, ports: &[u16], pass: Pass) -> usize {
        let (network, order) = (self.network, self.order);
        let clock = Stopwatch::start();
        let mut waiting = ports.iter().copied();
        let (mut window, mut answered, mut sent) = (FIRST_WINDOW.min(pass.window), 0, 0_u32);
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
                next = waiting.next();
                continue;
            }
            let pause = pass
                .pace
                .filter(|_| next.is_some() && flying.len() < window)
                .map(|pace| Duration::from_secs_f64(0.5 / pace));
            let Some(done) = next_done(&mut flying, pause).await else {
                if flying.is_empty() && (next.is_none() || order.over()) {
                    return answered;
                }
                continue;
            };
            let (port, outcome, took) = done;
            if exhausted(&outcome) {
                // Out of file descriptors or local ports: fewer at a time, and this one again at the end.
                window = (flying.len() / 2).max(1);
                flying.push(ask(
                    network,
                    order,
                    port,
                    pass.patience.unwrap_or_else(|| self.estimate.patience()),
                ));
                continue;
            }
            if matches!(outcome, Outcome::Open | Outcome::Reset | Outcome::Icmp(_)) {
                answered += 1;
                self.estimate.add(took);
            }
            window = (window + 1).min(pass.window);
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

    /// Makes sure of the silent ports: a slow sample; then all of them again, if the sample answered.
    async fn verify(&mut self, ports: &[u16], mut answered: usize, mut rate: f64, pace: Option<f64>) {
        // Once answers came late, a sample without one is no proof: a few lost ones hide among many silent ports.
        let mut answers_came_late = false;
        for _ in 0..ROUNDS {
            let mut silent = self.unverified(ports);
            if silent.is_empty() || self.order.over() {
                return;
            }
            self.chance.shuffle(&mut silent);
            let count = silent.len().min(SAMPLE);
            let patience = Duration::from_secs(1) + self.estimate.patience();
            let slow = pace.map_or(SAMPLE_RATE, |pace| pace.min(SAMPLE_RATE));
            let look = Pass { pace: Some(slow), patience: Some(patience), window: SAMPLE };
            let hits = self.pass(&silent[..count], look).await;
            if hits == 0 && !answers_came_late && !self.order.over() {
                self.believe(&silent);
                return;
            }
            let rest = self.unverified(ports);
            let total = answered + silent.len();
            let again = if answered * 2 > total {
                // Most had answered at once: packets were lost. The same again, with room for a retransmission.
                Pass { pace, patience: Some(patience), window: WIDEST_WINDOW / 2 }
            } else {
                // Most had not: somebody limits the answers. Below the pace at which they came.
                let gentle = pace.map_or(rate * 0.7, |pace| pace.min(rate * 0.7));
                Pass { pace: Some(gentle), patience: None, window: WIDEST_WINDOW / 4 }
            };
            let clock = Stopwatch::start();
            let more = self.pass(&rest, again).await;
            if hits + more == 0 && !self.order.over() {
                self.believe(&silent);
                return;
            }
            answers_came_late = true;
            answered += hits + more;
            rate = answers_a_second(more, clock.elapsed());
        }
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
