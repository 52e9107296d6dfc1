//! The stand-in and the check that asks it for proofs, end to end on loopback: what is proven, what is found, and how it ends.

use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use ipnet::IpNet;
use pasvcheck::clock::Stopwatch;
use pasvcheck::evidence::{
    Access, Connect, Outcome, PortRange, Proof, Refusal, Resolution, StandIn as Proved, Target, Transfer,
};
use pasvcheck::finding::Verdict;
use pasvcheck::net::survey::Rate;
use pasvcheck::net::{Connected, Network, System};
use pasvcheck::plan::Plan;
use pasvcheck::probe::{self, Quiet};
use pasvcheck::report::Report;
use pasvcheck::standin::{Ended, OpenError, Order, SharedSecret, StandIn};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Ranges below the kernel's ephemeral ports, each test its own.
fn fresh_range(width: u16) -> PortRange {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() % 40).unwrap_or(0) * 300;
    let min = 17_000 + offset + NEXT.fetch_add(width + 1, Ordering::Relaxed);
    PortRange { min, max: min + width - 1 }
}

struct Running {
    address: SocketAddr,
    range: PortRange,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Ended>,
}

impl Running {
    async fn end(self) -> Ended {
        let _ = self.stop.send(());
        self.task.await.expect("it does not panic")
    }
}

fn order(width: u16, secret: Option<&str>) -> Order {
    Order {
        bind: Some(LOOPBACK),
        port: 0,
        range: fresh_range(width),
        public_address: None,
        secret: secret.map(|text| SharedSecret::new(text).unwrap()),
        lifetime: Duration::from_secs(60),
    }
}

/// Starts one; a range in which somebody else has a port is exchanged for another.
fn start(width: u16, secret: Option<&str>) -> Running {
    for _ in 0..20 {
        let order = order(width, secret);
        let stand_in = match StandIn::open(&order) {
            Ok(stand_in) => stand_in,
            Err(OpenError::Taken(_)) => continue,
            Err(error) => panic!("{error}"),
        };
        let address = stand_in.address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            stand_in.serve(stopped, &mut |_| {}).await
        });
        return Running { address, range: order.range, stop, task };
    }
    panic!("no range is free");
}

async fn check(at: SocketAddr, range: PortRange, secret: Option<&str>, network: &dyn Network) -> Report {
    let mut plan = Plan::new(Target { host: at.ip().to_string(), port: at.port() });
    plan.range = Some(range);
    plan.scan = true;
    plan.rate = Rate::Max;
    plan.stand_in_secret = secret.map(|text| SharedSecret::new(text).unwrap());
    let evidence = probe::run(&plan, network, &Quiet).await;
    Report::new(evidence, String::new(), 0)
}

fn proved(report: &Report) -> &Proved {
    report.evidence.endpoints[0]
        .survey
        .as_ref()
        .unwrap()
        .stand_in
        .as_ref()
        .expect("a stand-in was recognised")
}

fn names(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.id.as_str()).collect()
}

/// A network in which connections to some ports of loopback end at others: a NAT router's doing.
#[derive(Debug)]
struct Nat {
    inner: System,
    from: PortRange,
    to: SocketAddr,
    /// Whether the numbers are kept, added to the one of `to`.
    spread: bool,
}

impl Nat {
    fn lead(&self, to: SocketAddr) -> SocketAddr {
        match self.from.contains(to.port()) {
            true if self.spread => {
                SocketAddr::new(self.to.ip(), self.to.port() + (to.port() - self.from.min))
            }
            true => self.to,
            false => to,
        }
    }
}

impl Network for Nat {
    fn connect(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Connected> {
        Box::pin(async move {
            let connected = self.inner.connect(self.lead(to), patience).await;
            Connected { fact: Connect { to, ..connected.fact }, ..connected }
        })
    }

    fn connect_small(&self, to: SocketAddr, _: u16, patience: Duration) -> BoxFuture<'_, Connected> {
        self.connect(to, patience)
    }

    fn syn(&self, to: SocketAddr, hops: u8, patience: Duration) -> BoxFuture<'_, Connect> {
        self.inner.syn(self.lead(to), hops, patience)
    }

    fn probe(&self, to: SocketAddr, patience: Duration) -> BoxFuture<'_, Outcome> {
        self.inner.probe(self.lead(to), patience)
    }

    fn resolve(&self, host: &str, patience: Duration) -> BoxFuture<'_, Resolution> {
        self.inner.resolve(host, patience)
    }

    fn own_networks(&self) -> Vec<IpNet> {
        Vec::new()
    }

    fn routable(&self, _: IpAddr) -> bool {
        true
    }
}

fn one(port: u16) -> PortRange {
    PortRange { min: port, max: port }
}

#[tokio::test]
async fn every_port_is_proven_to_everybody_where_there_is_no_secret() {
    let running = start(200, None);
    let report = check(running.address, running.range, None, &System::default()).await;
    let stand_in = proved(&report);
    assert_eq!(stand_in.access, Access::ToAll);
    assert_eq!((stand_in.count(Proof::proven), stand_in.count(|_| true)), (200, 200), "{stand_in:?}");
    assert_eq!(stand_in.client_seen, Some(LOOPBACK));
    assert!(!stand_in.replies.is_empty() && stand_in.replies.iter().all(|reply| !reply.changed()));
    assert_eq!((report.verdict, names(&report)), (Verdict::Ok, vec![]));
    let ended = running.end().await;
    assert!(!ended.expired);
    assert_eq!(ended.clients[&LOOPBACK].ports.len(), 200);
    assert_eq!(ended.clients[&LOOPBACK].data_from.len(), 1);
}

#[tokio::test]
async fn the_report_says_how_many_are_proven_and_is_read_again_as_it_was() {
    let running = start(20, None);
    let report = check(running.address, running.range, None, &System::default()).await;
    let json = pasvcheck::report::json::pretty(&report);
    assert_eq!(pasvcheck::report::json::read(&json).unwrap().again().evidence, report.evidence);
    let text = pasvcheck::report::terminal::render(
        &report,
        &pasvcheck::report::style::Style::PLAIN,
        pasvcheck::report::terminal::Amount::Usual,
    );
    assert!(text.contains("20 of 20 ports proven end to end by the stand-in."), "{text}");
    running.end().await;
}

#[tokio::test]
async fn with_the_secret_every_port_is_proven_and_strangers_get_a_plain_server() {
    let secret = "correct horse battery";
    let running = start(50, Some(secret));
    let report = check(running.address, running.range, Some(secret), &System::default()).await;
    assert_eq!(proved(&report).access, Access::BySecret);
    assert_eq!(proved(&report).count(Proof::proven), 50);
    assert_eq!(report.verdict, Verdict::Ok);
    let json = pasvcheck::report::json::pretty(&report);
    assert!(!json.contains(secret), "the secret never crosses the network");
    for (given, why) in [(None, Refusal::NoSecret), (Some("another horse battery"), Refusal::WrongSecret)] {
        let report = check(running.address, running.range, given, &System::default()).await;
        assert_eq!(proved(&report).access, Access::Refused { why });
        assert!(proved(&report).proofs.is_empty() && proved(&report).client_seen.is_none());
        assert_eq!((report.verdict, names(&report)), (Verdict::Unknown, vec!["proof-refused"]));
        assert!(report.evidence.endpoints[0].transfers.iter().any(Transfer::completed));
    }
    // A port says nothing to those who name no session of its own.
    let mut stranger = TcpStream::connect((LOOPBACK, running.range.min)).await.unwrap();
    stranger.write_all(b"PASVCHECK 00112233445566778899aabbccddeeff\n").await.unwrap();
    let mut heard = Vec::new();
    stranger.read_to_end(&mut heard).await.unwrap();
    assert!(heard.is_empty(), "{heard:?}");
    running.end().await;
}

#[tokio::test]
async fn a_stand_in_without_the_secret_that_was_given_is_not_believed() {
    let running = start(10, None);
    let report =
        check(running.address, running.range, Some("correct horse battery"), &System::default()).await;
    assert_eq!(proved(&report).access, Access::Refused { why: Refusal::NoneAsked });
    assert_eq!(names(&report), ["proof-refused"]);
    running.end().await;
}

#[tokio::test]
async fn a_port_that_another_program_answers_is_found() {
    let running = start(40, None);
    let other = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let to = other.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            let _ = stream.write_all(b"SSH-2.0-another\r\n").await;
        }
    });
    let port = running.range.min + 7;
    let network = Nat { inner: System::default(), from: one(port), to, spread: false };
    let report = check(running.address, running.range, None, &network).await;
    let stand_in = proved(&report);
    assert_eq!(stand_in.count(Proof::proven), 39);
    assert_eq!(stand_in.ranges(|proof| matches!(proof, Proof::Foreign { .. })), [one(port)]);
    assert_eq!(report.verdict, Verdict::Critical);
    let finding = report.findings.iter().find(|finding| finding.id == "data-wrong-peer").expect("it is told");
    assert!(finding.title.contains(&port.to_string()), "{}", finding.title);
    assert!(finding.evidence.iter().any(|fact| fact.contains("SSH-2.0-another")), "{:?}", finding.evidence);
    task.abort();
    running.end().await;
}

#[tokio::test]
async fn a_port_that_accepts_everything_and_says_nothing_is_found() {
    let running = start(30, None);
    let other = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let to = other.local_addr().unwrap();
    // The kernel accepts, and nobody takes the connections: a SYN proxy looks so.
    let from = PortRange { min: running.range.min, max: running.range.min + 1 };
    let network = Nat { inner: System::default(), from, to, spread: false };
    let report = check(running.address, running.range, None, &network).await;
    assert_eq!(proved(&report).ranges(|proof| *proof == Proof::Silent), [from]);
    assert!(names(&report).contains(&"data-wrong-peer"), "{:?}", names(&report));
    running.end().await;
}

#[tokio::test]
async fn a_router_that_shifts_port_numbers_is_found() {
    let running = start(40, None);
    let from = PortRange { min: running.range.min, max: running.range.min + 29 };
    let to = SocketAddr::new(LOOPBACK, running.range.min + 10);
    let network = Nat { inner: System::default(), from, to, spread: true };
    let report = check(running.address, running.range, None, &network).await;
    let stand_in = proved(&report);
    assert_eq!(stand_in.ranges(|proof| *proof == Proof::Shifted { by: 10 }), [from]);
    assert_eq!(stand_in.count(Proof::proven), 10);
    assert!(names(&report).contains(&"data-wrong-peer"), "{:?}", names(&report));
    running.end().await;
}

#[tokio::test]
async fn a_port_that_is_not_forwarded_is_blocked_even_where_a_reset_comes() {
    let running = start(40, None);
    let nobody = TcpListener::bind((LOOPBACK, 0)).await.unwrap().local_addr().unwrap();
    let from = PortRange { min: running.range.min + 20, max: running.range.max };
    let network = Nat { inner: System::default(), from, to: nobody, spread: false };
    let report = check(running.address, running.range, None, &network).await;
    assert_eq!(proved(&report).ranges(|proof| *proof == Proof::Unopened), [from]);
    let told = report.findings.iter().find(|finding| finding.id == "data-range-partly-blocked");
    assert!(
        told.is_some_and(|finding| finding.title.contains(&from.min.to_string())),
        "{:?}",
        names(&report)
    );
    running.end().await;
}

/// A device between the two that reads the control connection and changes the port in each 227.
async fn rewriter(to: SocketAddr) -> io::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((LOOPBACK, 0)).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(relay(client, to));
        }
    });
    Ok((address, task))
}

async fn relay(client: TcpStream, to: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(to).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut lines = BufReader::new(from_server).lines();
    while let Some(line) = lines.next_line().await? {
        let line = line.replace("(127,0,0,1,", "(192,0,2,1,");
        to_client.write_all(format!("{line}\r\n").as_bytes()).await?;
    }
    up.abort();
    Ok(())
}

#[tokio::test]
async fn a_device_that_rewrites_the_reply_is_caught_in_the_act() {
    let running = start(20, None);
    let (address, task) = rewriter(running.address).await.unwrap();
    let report = check(address, running.range, None, &System::default()).await;
    let changed: Vec<_> = proved(&report).replies.iter().filter(|reply| reply.changed()).collect();
    assert!(!changed.is_empty());
    assert!(changed.iter().all(|reply| reply.sent.contains("(127,0,0,1,")), "{changed:?}");
    assert!(changed.iter().all(|reply| reply.arrived.contains("(192,0,2,1,")), "{changed:?}");
    let said = report.findings.iter().any(|finding| {
        finding.title.contains("rewrites the server's replies")
            && finding
                .evidence
                .iter()
                .any(|fact| fact.contains("(127,0,0,1,") && fact.contains("(192,0,2,1,"))
    });
    assert!(said, "{:?}", names(&report));
    task.abort();
    running.end().await;
}

#[tokio::test]
async fn guesses_at_the_secret_are_slow_and_few() {
    let running = start(5, Some("correct horse battery"));
    let mut stream = BufReader::new(TcpStream::connect(running.address).await.unwrap());
    let clock = Stopwatch::start();
    let mut said = String::new();
    for line in ["USER anonymous", "PASS x"] {
        stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    }
    for _ in 0..3 {
        let guess = format!(
            "SITE PASVCHECK HELLO 00112233445566778899aabbccddeeff\r\nSITE PASVCHECK PROVE {}\r\n",
            "00".repeat(32)
        );
        stream.write_all(guess.as_bytes()).await.unwrap();
    }
    stream.read_to_string(&mut said).await.unwrap();
    assert_eq!(said.matches("530 PASVCHECK REFUSED").count(), 3, "{said}");
    assert!(said.trim_end().ends_with("421 Too many failures."), "{said}");
    assert!(clock.elapsed() >= Duration::from_secs(3));
    running.end().await;
}

#[tokio::test]
async fn endless_lines_and_many_sessions_are_bounded() {
    let running = start(5, None);
    let mut loud = TcpStream::connect(running.address).await.unwrap();
    let _ = loud.write_all(&[b'x'; 4096]).await;
    let mut said = Vec::new();
    let _ = loud.read_to_end(&mut said).await;
    assert!(String::from_utf8_lossy(&said).contains("500 That line is too long."));
    let mut held = Vec::new();
    for _ in 0..12 {
        held.push(TcpStream::connect(running.address).await.unwrap());
    }
    let mut greeted = 0;
    for stream in &mut held {
        let mut word = [0; 3];
        greeted += usize::from(stream.read_exact(&mut word).await.is_ok());
    }
    assert_eq!(greeted, 8, "sessions of one address");
    running.end().await;
}

#[tokio::test]
async fn it_ends_by_itself_and_lets_go_of_every_port() {
    let order = Order { lifetime: Duration::from_millis(200), ..order(10, None) };
    let Ok(stand_in) = StandIn::open(&order) else { return };
    let address = stand_in.address().unwrap();
    let waiting = TcpStream::connect(address).await.unwrap();
    let ended = stand_in.serve(pending(), &mut |_| {}).await;
    assert!(ended.expired);
    assert!(TcpStream::connect(address).await.is_err(), "the control port is closed");
    assert!(TcpStream::connect((LOOPBACK, order.range.min)).await.is_err(), "and the others");
    drop(waiting);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_its_holder() {
    let holder = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = holder.local_addr().unwrap().port();
    let order = Order { range: one(port), ..order(1, None) };
    let error = StandIn::open(&order).unwrap_err();
    assert!(matches!(&error, OpenError::Taken(taken) if taken[0].port == port), "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("port {port}")) && text.contains("is taken on this host"), "{text}");
    let own = Order { port, range: one(port), ..order };
    assert!(matches!(StandIn::open(&own), Err(OpenError::ControlInRange { .. })));
}
