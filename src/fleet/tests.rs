use std::sync::atomic::AtomicU32;

use super::*;
use crate::evidence::{Outcome, ResolutionSource, Target};
use crate::finding::Verdict;

/// A network on which every name `sN` leads to a server of its own, names that begin with `same` to one, and nobody
/// answers before a while has passed.
#[derive(Debug, Default)]
struct Slow {
    open: Arc<Mutex<Vec<SocketAddr>>>,
    most_at_once: AtomicU32,
    twice_at_once: AtomicU32,
}

impl Network for Slow {
    fn connect(&self, to: SocketAddr, _: Duration) -> BoxFuture<'_, Connected> {
        Box::pin(async move {
            {
                let mut open = self.open.lock().unwrap();
                if open.contains(&to) {
                    self.twice_at_once.fetch_add(1, Ordering::SeqCst);
                }
                open.push(to);
                self.most_at_once.fetch_max(u32::try_from(open.len()).unwrap(), Ordering::SeqCst);
            }
            // The server of port 9 never answers.
            let wait = if to.port() == 9 { Duration::from_secs(50) } else { Duration::from_millis(100) };
            tokio::time::sleep(wait).await;
            let mut open = self.open.lock().unwrap();
            let place = open.iter().position(|other| *other == to).unwrap();
            open.remove(place);
            Connected {
                fact: Connect { to, outcome: Outcome::Reset, elapsed_ms: 100.0 },
                stream: None,
                local: None,
            }
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
        let number: u8 = host.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(200);
        let address = IpAddr::from([203, 0, 113, if host.starts_with("same") { 250 } else { number }]);
        Box::pin(std::future::ready(Resolution {
            source: ResolutionSource::Dns,
            outcome: ResolutionOutcome::Addresses { addresses: vec![address] },
            fallback_because: None,
            elapsed_ms: 7.0,
        }))
    }

    fn own_networks(&self) -> Vec<IpNet> {
        Vec::new()
    }

    fn routable(&self, _: IpAddr) -> bool {
        true
    }
}

/// Runs a list and hands out the reports in the order in which they came.
async fn run(network: &Arc<Slow>, concurrency: usize, targets: &[(&str, u16)]) -> Vec<Report> {
    let fleet = Fleet::new(Arc::clone(network) as Arc<dyn Network>, concurrency);
    let (plans, plans_out) = mpsc::channel(4);
    let (reports, mut reports_out) = mpsc::channel::<Result<Report, ()>>(4);
    let feed = async move {
        for (host, port) in targets {
            let plan = Plan::new(Target { host: (*host).to_owned(), port: *port });
            plans.send(Ok::<_, ()>(plan)).await.unwrap();
        }
    };
    let collect = async {
        let mut all = Vec::new();
        while let Some(report) = reports_out.recv().await {
            all.push(report.unwrap());
        }
        all
    };
    let ((), (), all) = tokio::join!(feed, fleet.check_all(plans_out, reports), collect);
    all
}

fn names(reports: &[Report]) -> Vec<&str> {
    reports.iter().map(|report| report.target.host.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn every_target_is_reported_once_and_no_more_run_than_allowed() {
    let network = Arc::new(Slow::default());
    let hosts: Vec<String> = (1..=30).map(|n| format!("s{n}")).collect();
    let targets: Vec<(&str, u16)> = hosts.iter().map(|host| (host.as_str(), 21)).collect();
    let reports = run(&network, 5, &targets).await;
    let mut seen = names(&reports);
    seen.sort_unstable();
    let mut expected: Vec<&str> = hosts.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    assert_eq!(network.most_at_once.load(Ordering::SeqCst), 5);
    assert!(reports.iter().all(|report| report.verdict == Verdict::Critical));
    let resolve = reports[0].checks.iter().find(|check| check.id == "resolve").unwrap();
    assert!(resolve.duration_ms >= 7.0, "the look-up counts: {resolve:?}");
}

#[tokio::test(start_paused = true)]
async fn one_server_is_never_visited_twice_at_once() {
    let network = Arc::new(Slow::default());
    let targets = [("same1", 21), ("same2", 21), ("same3", 21), ("same4", 2121), ("s1", 21)];
    let reports = run(&network, 16, &targets).await;
    assert_eq!(reports.len(), 5);
    assert_eq!(network.twice_at_once.load(Ordering::SeqCst), 0);
    // Another port is another server, and may be visited at the same time.
    assert_eq!(network.most_at_once.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_turn_holds_up_nobody() {
    let network = Arc::new(Slow::default());
    // With room for two: a server that never answers, three more names of it, and then others.
    let targets =
        [("same1", 9), ("same2", 9), ("same3", 9), ("same4", 9), ("s1", 21), ("s2", 21), ("s3", 21)];
    let reports = run(&network, 2, &targets).await;
    let order = names(&reports);
    assert_eq!(order[..3], ["s1", "s2", "s3"], "{order:?}");
    assert_eq!(order.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_waiting_target_has_not_begun() {
    let network = Arc::new(Slow::default());
    let reports = run(&network, 4, &[("same1", 9), ("same2", 9)]).await;
    let times: Vec<u64> = reports.iter().map(|report| report.duration_ms).collect();
    assert_eq!(reports.len(), 2);
    assert!(reports.iter().all(|report| report.verdict == Verdict::Critical), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn when_nobody_wants_reports_it_ends() {
    let fleet = Fleet::new(Arc::new(Slow::default()), 2);
    let (plans, plans_out) = mpsc::channel(8);
    let (reports, reports_out) = mpsc::channel(1);
    for host in ["s1", "s2", "s3", "s4"] {
        plans.send(Ok::<_, ()>(Plan::new(Target { host: host.to_owned(), port: 21 }))).await.unwrap();
    }
    drop(reports_out);
    fleet.check_all(plans_out, reports).await;
}
