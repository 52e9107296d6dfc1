use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use ipnet::IpNet;

use super::state::News;
use super::*;
use crate::evidence::{Connect, Outcome, Resolution, ResolutionOutcome, ResolutionSource, Target};
use crate::net::{Connected, Network};

const MINUTE: Duration = Duration::from_secs(60);

/// A network that is there or gone, as the test says; the host `slow` never answers, and `bad` finds a fault of ours.
#[derive(Debug, Default)]
struct Flaky {
    /// What the n-th look-up finds: `true` for an address. After the last one it stays as it was.
    found: Vec<bool>,
    look_ups: AtomicUsize,
    under_way: Mutex<Vec<SocketAddr>>,
    overlaps: AtomicUsize,
}

impl Network for Flaky {
    fn connect(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Connected> {
        Box::pin(async move {
            {
                let mut under_way = self.under_way.lock().unwrap();
                if under_way.contains(&to) {
                    self.overlaps.fetch_add(1, Ordering::SeqCst);
                }
                under_way.push(to);
            }
            let slow = to.ip() == IpAddr::from([203, 0, 113, 9]);
            tokio::time::sleep(if slow { patience } else { Duration::from_millis(5) }).await;
            self.under_way.lock().unwrap().retain(|other| *other != to);
            let outcome = if slow { Outcome::Silent } else { Outcome::Reset };
            Connected { fact: Connect { to, outcome, elapsed_ms: 5.0 }, stream: None, local: None }
        })
    }

    fn connect_small(&self, to: SocketAddr, _: u16, patience: Duration) -> BoxFuture<'_, Connected> {
        self.connect(to, patience)
    }

    fn syn(&self, to: SocketAddr, _: u8, patience: Duration) -> BoxFuture<'_, Connect> {
        Box::pin(async move { self.connect(to, patience).await.fact })
    }

    fn probe(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.connect(to, patience).await.fact.outcome })
    }

    fn resolve(&self, host: &str, _: Duration) -> BoxFuture<'_, Resolution> {
        let number = self.look_ups.fetch_add(1, Ordering::SeqCst);
        let found = *self.found.get(number).or(self.found.last()).unwrap_or(&true);
        assert_ne!(host, "bad", "a fault");
        let last = if host == "slow" { 9 } else { 10 };
        let outcome = if found {
            ResolutionOutcome::Addresses { addresses: vec![IpAddr::from([203, 0, 113, last])] }
        } else {
            ResolutionOutcome::ResolverSilent { error: "timed out".to_owned() }
        };
        let resolution =
            Resolution { source: ResolutionSource::Dns, outcome, fallback_because: None, elapsed_ms: 1.0 };
        Box::pin(std::future::ready(resolution))
    }

    fn own_networks(&self) -> Vec<IpNet> {
        Vec::new()
    }

    fn routable(&self, _: IpAddr) -> bool {
        true
    }
}

fn plans(hosts: &[&str]) -> Vec<Plan> {
    hosts.iter().map(|host| Plan::new(Target { host: (*host).to_owned(), port: 21 })).collect()
}

fn rounds(confirm: u32, count: Option<u64>) -> Rounds {
    Rounds { interval: MINUTE, confirm, count }
}

/// What was told: `HOST KIND VERDICT`.
async fn run(
    network: &Arc<Flaky>,
    concurrency: usize,
    hosts: &[&str],
    rounds: Rounds,
    stop: impl Future<Output = ()>,
) -> (Vec<String>, Ended) {
    let fleet = Fleet::new(Arc::clone(network) as Arc<dyn Network>, concurrency);
    let told = Mutex::new(Vec::new());
    let tell = |event: Event| {
        let words =
            format!("{} {} {}", event.report.target.host, event.kind(), event.now().condition.verdict);
        told.lock().unwrap().push(words);
    };
    let ended = watch(&fleet, plans(hosts), rounds, Chance::new(1), stop, &tell).await;
    (told.into_inner().unwrap(), ended)
}

#[tokio::test(start_paused = true)]
async fn the_network_goes_and_comes_back_without_a_restart() {
    let network = Arc::new(Flaky { found: vec![true, false, false, false, true], ..Flaky::default() });
    let (told, ended) = run(&network, 4, &["a"], rounds(2, Some(8)), std::future::pending()).await;
    assert_eq!(told, ["a start critical", "a change unknown", "a change critical"]);
    assert_eq!(network.look_ups.load(Ordering::SeqCst), 8, "the name is looked up in every round");
    assert_eq!(ended.worst(), Verdict::Critical);
}

#[tokio::test(start_paused = true)]
async fn rounds_are_counted_and_nothing_is_told_twice() {
    let network = Arc::new(Flaky::default());
    let (told, ended) = run(&network, 4, &["a", "b"], rounds(1, Some(5)), std::future::pending()).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(network.look_ups.load(Ordering::SeqCst), 10);
    assert_eq!(ended.counts, BTreeMap::from([(Verdict::Critical, 2)]));
}

#[tokio::test(start_paused = true)]
async fn a_slow_target_holds_up_nobody_and_never_meets_itself() {
    let network = Arc::new(Flaky::default());
    let quick = Rounds { interval: Duration::from_secs(5), confirm: 1, count: None };
    let (told, _) = run(&network, 2, &["slow", "a"], quick, tokio::time::sleep(MINUTE)).await;
    assert_eq!(told[0], "a start critical");
    // `a` had its round every five seconds, and `slow` as many as its patience leaves room for.
    let look_ups = network.look_ups.load(Ordering::SeqCst);
    assert!((14..=26).contains(&look_ups), "{look_ups}");
    assert_eq!(network.overlaps.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn the_end_comes_within_its_bound() {
    let network = Arc::new(Flaky::default());
    let now = || tokio::time::sleep(Duration::ZERO).deadline();
    let began = now();
    let stop = tokio::time::sleep(Duration::from_secs(1));
    let (told, ended) = run(&network, 4, &["slow", "a"], rounds(2, None), stop).await;
    let took = now() - began;
    assert_eq!(told, ["a start critical"]);
    assert!(took <= Duration::from_secs(1) + GRACE + Duration::from_millis(10), "{took:?}");
    // Of `slow` nothing is known.
    assert_eq!(ended.counts, BTreeMap::from([(Verdict::Critical, 1), (Verdict::Unknown, 1)]));
    assert_eq!(ended.worst(), Verdict::Critical);
    assert_eq!(Ended::default().worst(), Verdict::Unknown);
}

#[tokio::test(start_paused = true)]
async fn an_event_names_itself_and_its_change() {
    let network = Arc::new(Flaky { found: vec![true, false], ..Flaky::default() });
    let fleet = Fleet::new(Arc::clone(&network) as Arc<dyn Network>, 1);
    let events = Mutex::new(Vec::new());
    let tell = |event: Event| events.lock().unwrap().push(event);
    watch(&fleet, plans(&["a"]), rounds(2, Some(3)), Chance::new(1), std::future::pending(), &tell).await;
    let events = events.into_inner().unwrap();
    let [start, change] = events.as_slice() else { panic!("{events:?}") };
    assert_ne!(start.id, change.id);
    let News::Change { previous, now } = &change.news else { panic!("{change:?}") };
    assert_eq!(previous.condition, start.now().condition);
    assert_eq!(now.condition.finding.as_deref(), Some("resolver-unreachable"));
}

#[tokio::test(start_paused = true)]
async fn a_fault_at_one_target_ends_nothing() {
    let network = Arc::new(Flaky::default());
    // Room for one: what the broken check held is given back.
    let (told, ended) = run(&network, 1, &["bad", "a"], rounds(1, Some(3)), std::future::pending()).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.contains(&"bad start unknown".to_owned()) && told.contains(&"a start critical".to_owned()));
    assert_eq!(ended.counts, BTreeMap::from([(Verdict::Critical, 1), (Verdict::Unknown, 1)]));
}
