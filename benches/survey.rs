//! The port survey beside its peers: wall time, CPU, peak memory and ports misjudged; `README.md` says how to run it.
//!
//! ```text
//! client ───────── router ───────── server
//! 192.0.2.2     .1  198.51.100.1    .2      (port 21 listens; the router's link to it is the slow one)
//! ```
//!
//! Each in a network namespace of its own; nothing in there has a way to the machine's own network. This program plays
//! the other parts as well, by starting itself: see `main`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "figures for whoever runs it")]
#![expect(
    clippy::format_push_string,
    clippy::needless_pass_by_value,
    reason = "short texts, put together once"
)]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use pasvcheck::clock::{Deadline, Stopwatch};
use pasvcheck::evidence::{PortRange, PortState, Span, spans};
use pasvcheck::net::survey::{Order, Rate, raise_file_limit, survey};
use pasvcheck::net::{Network as _, System};

const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

/// The first port that is asked. They end below 65000 however many they are.
const FIRST: u16 = 5000;

/// What takes less is measured three times, and the median told.
const BRIEF: Duration = Duration::from_secs(2);

/// Seconds that the survey may take, and a peer: they are ended then.
const LIMIT: u64 = 60;
const PEER_LIMIT: u64 = 30;
const PEER_LIMIT_IN_FULL: u64 = 120;

/// Packets that wait on the slow link at the most.
const QUEUE: usize = 2000;

/// MiB that a survey may take (design, §6).
const MEMORY: f64 = 32.0;

type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["listen"] => listen(),
        ["forward", delay_ms] => number(delay_ms).and_then(|ms| forward(Duration::from_millis(ms))),
        ["survey", count, files] => survey_alone(count, files),
        ["measure", seconds, program @ ..] => number(seconds).and_then(|limit| measure(limit, program)),
        words if words.contains(&"--bench") => match obstacle() {
            None => compare(),
            Some(reason) => {
                println!("the survey was not measured: {reason}");
                Ok(())
            }
        },
        _ => {
            println!("the survey was not measured: `cargo bench --bench survey` does that");
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench of the survey: {error}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Result<u64> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

fn text<E: ToString>(error: E) -> String {
    error.to_string()
}

/// Why nothing can be measured here.
fn obstacle() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if !status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0")) {
        return Some("it needs root, for network namespaces".to_owned());
    }
    let missing = ["ip", "nft", "sysctl", "python3"].into_iter().find(|name| !there_is(name));
    if let Some(name) = missing {
        return Some(format!("there is no {name}"));
    }
    if !std::path::Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun for the slow link".to_owned());
    }
    let allowed = Command::new("unshare").args(["--net", "true"]).status();
    allowed.map_or(true, |status| !status.success()).then(|| "namespaces are not allowed here".to_owned())
}

fn there_is(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

// ---- What is measured ----

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    Dropped,
    /// The lower half of the ports is answered, the upper dropped.
    Half,
    /// 18 % of all packets and answers are lost.
    Lossy,
    /// Half is dropped, and of the rest 18 % are lost.
    LossyHalf,
    /// The server sends 200 resets a second at the most.
    Limited,
    /// The same, and only one port in twenty is answered: a passive range among much else.
    LossyMost,
    /// Half is dropped, and the server limits its resets.
    LimitedHalf,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Dropped => "dropped",
            Self::Half => "half dropped",
            Self::Lossy => "18 % loss",
            Self::LossyHalf => "18 % loss, half dropped",
            Self::LossyMost => "18 % loss, 95 % dropped",
            Self::Limited => "200 RST/s",
            Self::LimitedHalf => "200 RST/s, half dropped",
        }
    }

    fn dropped(self, asked: PortRange) -> Option<PortRange> {
        let above = |part: u16| PortRange { min: asked.min + (asked.max - asked.min) / part + 1, ..asked };
        match self {
            Self::Answered | Self::Lossy | Self::Limited => None,
            Self::Dropped => Some(asked),
            Self::Half | Self::LossyHalf | Self::LimitedHalf => Some(above(2)),
            Self::LossyMost => Some(above(20)),
        }
    }

    /// Whether nothing is lost and nothing limited.
    fn is_plain(self) -> bool {
        matches!(self, Self::Answered | Self::Dropped | Self::Half)
    }

    /// Whether ports are dropped besides.
    fn is_double(self) -> bool {
        !self.is_plain() && !matches!(self, Self::Lossy | Self::Limited)
    }

    /// Rules for the firewalls of server and router.
    fn rules(self, asked: PortRange) -> [String; 2] {
        let mut server = "flush ruleset\nadd table ip bench\n".to_owned();
        let mut router = server.clone();
        if let Some(dropped) = self.dropped(asked) {
            server += "add chain ip bench in { type filter hook input priority 0 ; }\n";
            server += &format!("add rule ip bench in tcp dport {dropped} drop\n");
        }
        if matches!(self, Self::Limited | Self::LimitedHalf) {
            server += "add chain ip bench out { type filter hook output priority 0 ; }\n";
            server += "add rule ip bench out tcp flags & rst == rst limit rate over 200/second drop\n";
        }
        if matches!(self, Self::Lossy | Self::LossyHalf | Self::LossyMost) {
            router += "add chain ip bench pass { type filter hook forward priority 0 ; }\n";
            // In each direction, so that (1 - 0.0945)² = 82 % of the round trips get through.
            router += "add rule ip bench pass numgen random mod 10000 < 945 drop\n";
        }
        [server, router]
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    rtt_ms: u64,
    ports: u16,
    fate: Fate,
    /// Open files that this process may have; 0 for what the system allows.
    files: u64,
    /// Seconds that the survey may take (design, §6).
    bar: Option<f64>,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files = if self.files == 0 { String::new() } else { format!(", {} files", self.files) };
        let line = format!("{:>2} ms {:>6} {}{files}", self.rtt_ms, self.ports, self.fate.name());
        f.pad(&line)
    }
}

impl Case {
    fn new(rtt_ms: u64, ports: u16, fate: Fate) -> Self {
        let bar = match (rtt_ms, ports, fate) {
            (40, 10_000, Fate::Answered) => Some(1.0),
            (40, 10_000, Fate::Dropped) => Some(5.0),
            (40, 10_000, Fate::Half) => Some(4.0),
            (40, 60_000, Fate::Dropped) => Some(13.0),
            _ => None,
        };
        Self { rtt_ms, ports, fate, files: 0, bar }
    }

    fn range(self) -> PortRange {
        PortRange { min: FIRST, max: FIRST + (self.ports - 1) }
    }

    /// Cases of one link follow each other.
    fn all(full: bool) -> Vec<Self> {
        let sizes: &[u16] = if full { &[1_000, 10_000, 60_000] } else { &[10_000] };
        let mut all = Vec::new();
        for rtt_ms in [0, 40] {
            for ports in sizes {
                for fate in [Fate::Answered, Fate::Dropped, Fate::Half] {
                    all.push(Self::new(rtt_ms, *ports, fate));
                }
            }
        }
        if !full {
            all.push(Self::new(40, 60_000, Fate::Dropped));
        }
        all.push(Self { files: 256, ..Self::new(40, 9_999, Fate::Answered) });
        for fate in [Fate::Lossy, Fate::Limited, Fate::LossyHalf, Fate::LossyMost, Fate::LimitedHalf] {
            all.push(Self::new(40, 2_000, fate));
        }
        all
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Ours,
    NmapConnect,
    NmapSyn,
    RustScan,
}

impl Tool {
    const ALL: [Self; 4] = [Self::Ours, Self::NmapConnect, Self::NmapSyn, Self::RustScan];

    fn name(self) -> &'static str {
        match self {
            Self::Ours => "pasvcheck",
            Self::NmapConnect => "nmap -sT -T4",
            Self::NmapSyn => "nmap -sS -T5",
            Self::RustScan => "rustscan",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Ours => "ip", // which it needs anyway
            Self::NmapConnect | Self::NmapSyn => "nmap",
            Self::RustScan => "rustscan",
        }
    }

    /// Whether there is a point in running it, and time. `RustScan` knows open ports only: its truth cannot be told.
    fn fits(self, case: Case, full: bool) -> bool {
        let fair = case.files == 0 && there_is(self.program());
        match self {
            Self::Ours => true,
            Self::NmapConnect => fair && (full || !case.fate.is_double()),
            Self::NmapSyn => fair && (full || case.fate.is_plain()),
            Self::RustScan => fair && case.fate.is_plain(),
        }
    }

    fn command(self, case: Case) -> Result<Vec<String>> {
        // Port 21 answers: without it nmap would never learn the timing of a host that drops the rest.
        let line = match self {
            Self::Ours => format!("{} survey {} {}", own_path()?, case.ports, case.files),
            Self::NmapConnect => format!("nmap -sT -Pn -n -T4 -oX - -p 21,{} {SERVER}", case.range()),
            Self::NmapSyn => format!("nmap -sS -Pn -n -T5 -oX - -p 21,{} {SERVER}", case.range()),
            Self::RustScan => {
                format!("rustscan -a {SERVER} -r {} -b 4500 -t 1500 --scripts none -g", case.range())
            }
        };
        Ok(line.split(' ').map(str::to_owned).collect())
    }

    fn limit(self, full: bool) -> u64 {
        match self {
            Self::Ours => LIMIT,
            _ if full => PEER_LIMIT_IN_FULL,
            _ => PEER_LIMIT,
        }
    }
}

fn own_path() -> Result<String> {
    std::env::current_exe().map(|path| path.display().to_string()).map_err(text)
}

// ---- The comparison ----

fn compare() -> Result<()> {
    let full = std::env::var("PASVCHECK_BENCH").is_ok_and(|wanted| wanted == "full");
    let only = std::env::var("PASVCHECK_BENCH_ONLY").unwrap_or_default();
    let clock = Stopwatch::start();
    for peer in ["nmap", "rustscan"].into_iter().filter(|peer| !there_is(peer)) {
        println!("without {peer}: it is not installed");
    }
    println!("load before: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!(
        "\n{:>5} {:>6} {:<23} {:<12} {:>7} {:>7} {:>6} {:>6} {:>6} {:>9} {:>9}",
        "RTT", "ports", "fate", "tool", "wall s", "CPU s", "MiB", "wrong", "unsure", "time/ours", "mem/ours"
    );
    let mut ours = Vec::new();
    let mut world: Option<World> = None;
    for case in Case::all(full) {
        let wanted = |tool: Tool| {
            let label = format!("{case} {}", tool.name());
            tool.fits(case, full) && only.split(',').all(|word| label.contains(word))
        };
        let tools: Vec<Tool> = Tool::ALL.into_iter().filter(|tool| wanted(*tool)).collect();
        if tools.is_empty() {
            continue;
        }
        if world.as_ref().is_none_or(|world| world.rtt_ms != case.rtt_ms) {
            drop(world.take()); // the old one is gone before the new one comes
            world = Some(World::build(case.rtt_ms)?);
        }
        let world = world.as_ref().ok_or("no world")?;
        world.set(case)?;
        let mut yardstick = None;
        for tool in tools {
            let figures = world.measured(tool, case, tool.limit(full))?;
            if tool == Tool::Ours {
                yardstick = Some(figures);
                ours.push((case, figures));
            }
            print_row(case, tool, figures, yardstick);
        }
    }
    print_bars(&ours);
    println!("took {:.0} s", clock.elapsed().as_secs_f64());
    Ok(())
}

/// What came of one tool in one case.
#[derive(Clone, Copy, Debug)]
struct Figures {
    wall: f64,
    /// Whether it had to be ended.
    cut: bool,
    cpu: f64,
    mebibytes: f64,
    /// Ports called otherwise than they are, and ports about which it says nothing for certain; `None` where a tool
    /// does not tell silence from a reset.
    truth: Option<(usize, usize)>,
}

fn print_row(case: Case, tool: Tool, figures: Figures, ours: Option<Figures>) {
    let more = if figures.cut { "> " } else { "" };
    let (wrong, unsure) = figures
        .truth
        .map_or(("-".to_owned(), "-".to_owned()), |(wrong, unsure)| (wrong.to_string(), unsure.to_string()));
    let [time, memory] =
        ours.map_or([f64::NAN; 2], |ours| [figures.wall / ours.wall, figures.mebibytes / ours.mebibytes]);
    println!(
        "{case:<36} {:<12} {:>7} {:>7.2} {:>6.1} {wrong:>6} {unsure:>6} {:>9} {memory:>9.1}",
        tool.name(),
        format!("{more}{:.2}", figures.wall),
        figures.cpu,
        figures.mebibytes,
        format!("{more}{time:.1}"),
    );
}

fn print_bars(ours: &[(Case, Figures)]) {
    let tell = |met: bool, line: String| println!("  {:<6} {line}", if met { "met" } else { "MISSED" });
    println!("\nbars of the survey (design, §6):");
    for (case, figures) in ours {
        if let Some(bar) = case.bar {
            let line = format!("{case}: {:.2} s of at most {bar} s", figures.wall);
            tell(!figures.cut && figures.wall <= bar, line);
        }
    }
    for (case, figures) in ours.iter().filter(|(case, _)| !case.fate.is_plain()) {
        match figures.truth {
            Some((wrong, unsure)) => {
                tell(wrong == 0, format!("{case}: {wrong} misjudged, {unsure} said to be unverified"));
            }
            None => tell(false, format!("{case}: came to no end")),
        }
    }
    let plain = ours.iter().filter(|(case, _)| case.fate.is_plain());
    let (count, right) = (plain.clone().count(), plain.filter(|(_, it)| it.truth == Some((0, 0))).count());
    tell(
        right == count,
        format!("every port told as it is in {right} of the {count} cases without loss and limit"),
    );
    let most = ours.iter().map(|(_, figures)| figures.mebibytes).fold(0.0, f64::max);
    tell(most <= MEMORY, format!("memory: {most:.1} MiB of at most {MEMORY} MiB, in all cases"));
}

/// What a tool says of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Answers,
    Silent,
    Unsure,
}

fn truth(case: Case, said: &[(PortRange, Said)]) -> (usize, usize) {
    let dropped = case.fate.dropped(case.range());
    let mut sayings = vec![Said::Unsure; 1 << 16];
    for (range, saying) in said {
        sayings[usize::from(range.min)..=usize::from(range.max)].fill(*saying);
    }
    let (mut misjudged, mut unverified) = (0, 0);
    for port in case.range().min..=case.range().max {
        let silent = dropped.is_some_and(|range| range.contains(port));
        match sayings[usize::from(port)] {
            Said::Unsure => unverified += 1,
            Said::Silent if !silent => misjudged += 1,
            Said::Answers if silent => misjudged += 1,
            Said::Answers | Said::Silent => {}
        }
    }
    (misjudged, unverified)
}

fn said_by_us(json: &str) -> Result<Vec<(PortRange, Said)>> {
    let said = |state: &PortState| match state {
        PortState::Open | PortState::Reset => Said::Answers,
        PortState::Silent => Said::Silent,
        PortState::Failed | PortState::Icmp(_) | PortState::Unverified => Said::Unsure,
    };
    let spans: Vec<Span> = serde_json::from_str(json).map_err(text)?;
    Ok(spans.into_iter().map(|span| (span.ports, said(&span.state))).collect())
}

/// Reads nmap's XML: `port` with a `state` inside, and `extraports` with the ports of one state in `extrareasons`.
fn said_by_nmap(xml: &str) -> Vec<(PortRange, Said)> {
    let attribute = |tag: &str, name: &str| -> String {
        let value = tag.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
        value.map_or_else(String::new, |(value, _)| value.to_owned())
    };
    let said = |state: &str| match state {
        "open" | "closed" => Said::Answers,
        "filtered" => Said::Silent,
        _ => Said::Unsure,
    };
    let (mut all, mut port, mut state) = (Vec::new(), String::new(), Said::Unsure);
    for tag in xml.split('<') {
        match tag.split_whitespace().next() {
            Some("port") => port = attribute(tag, "portid"),
            Some("state") => all.extend(ranges(&port).map(|range| (range, said(&attribute(tag, "state"))))),
            Some("extraports") => state = said(&attribute(tag, "state")),
            Some("extrareasons") => all.extend(ranges(&attribute(tag, "ports")).map(|range| (range, state))),
            _ => {}
        }
    }
    all
}

/// `21,5000-5009` and the like.
fn ranges(list: &str) -> impl Iterator<Item = PortRange> {
    let range = |item: &str| {
        let (min, max) = item.split_once('-').unwrap_or((item, item));
        Some(PortRange { min: min.parse().ok()?, max: max.parse().ok()? })
    };
    list.split(',').filter_map(range).collect::<Vec<_>>().into_iter()
}

// ---- The world ----

/// Ends what runs in the namespaces whose names begin with `$1`, and removes them.
const SWEEP: &str = r#"cat >/dev/null
for space in $(ip netns list | cut -d' ' -f1 | grep "^$1-"); do
    pids=$(ip netns pids "$space")
    [ -z "$pids" ] || kill -9 $pids 2>/dev/null
    ip netns del "$space"
done"#;

/// Opens the TUN device `argv[1]` as file descriptor `argv[2]` and becomes the program that follows. This takes an
/// `ioctl`, and safe Rust has none.
const OPEN_TUN: &str = "
import fcntl, os, struct, sys
name, descriptor, *program = sys.argv[1:]
tun = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack('16sH22x', name.encode(), 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
os.dup2(tun, int(descriptor))
os.execvp(program[0], program)";

/// Client, router and server.
struct World {
    prefix: String,
    rtt_ms: u64,
    /// Listener and forwarder: processes in the namespaces, which end with these.
    helpers: Vec<Child>,
    /// Sweeps as soon as its input ends, which it does as well when this process is killed. It lives in a process group
    /// of its own, where Ctrl-C does not reach it.
    sweeper: Child,
}

impl World {
    fn build(rtt_ms: u64) -> Result<Self> {
        let prefix = format!("pvb{}", std::process::id());
        let mut sweeper = Command::new("sh");
        sweeper.args(["-c", SWEEP, "sweeper", &prefix]).process_group(0).stdin(Stdio::piped());
        let sweeper = sweeper.stderr(Stdio::null()).spawn().map_err(text)?;
        let mut world = Self { prefix, rtt_ms, helpers: Vec::new(), sweeper };
        let [client, router, server] = ["client", "router", "server"].map(|host| world.space(host));
        let mut batch = format!("netns add {client}\nnetns add {router}\nnetns add {server}\n");
        batch += &format!("link add east netns {client} type veth peer name west netns {router}\n");
        if rtt_ms == 0 {
            batch += &format!("link add east netns {router} type veth peer name west netns {server}\n");
        }
        run(Command::new("ip").args(["-batch", "-"]), &batch)?;
        if rtt_ms > 0 {
            let half = (rtt_ms / 2).to_string();
            let mut link = world.inside("router", &["python3", "-c", OPEN_TUN, "east", "0"]);
            link.args(["ip", "netns", "exec", &server, "python3", "-c", OPEN_TUN, "west", "1"]);
            link.args([&own_path()?, "forward", &half]);
            world.helper(&mut link)?;
        }
        let queue = if rtt_ms > 0 { format!("txqueuelen {QUEUE}") } else { String::new() };
        for (space, lines) in [
            (
                &client,
                "addr add 192.0.2.2/24 dev east\n link set east up\n route add default via 192.0.2.1"
                    .to_owned(),
            ),
            (
                &router,
                format!(
                    "addr add 192.0.2.1/24 dev west\n link set west up\n \
                     addr add 198.51.100.1/24 dev east\n link set east up {queue}"
                ),
            ),
            (
                &server,
                format!(
                    "addr add {SERVER}/24 dev west\n link set west up {queue}\n \
                     route add default via 198.51.100.1"
                ),
            ),
        ] {
            run(Command::new("ip").args(["-n", space, "-batch", "-"]), &lines)?;
        }
        run(&mut world.inside("router", &["sysctl", "-qw", "net.ipv4.ip_forward=1"]), "")?;
        world.helper(&mut world.inside("server", &[&own_path()?, "listen"]))?;
        Ok(world)
    }

    fn space(&self, host: &str) -> String {
        format!("{}-{host}", self.prefix)
    }

    fn inside(&self, host: &str, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(host)]).args(words);
        command
    }

    /// Starts a process that says `ready` on its standard error.
    fn helper(&mut self, command: &mut Command) -> Result<()> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(text)?;
        let mut said = BufReader::new(child.stderr.take().ok_or("no pipe")?);
        self.helpers.push(child);
        let mut line = String::new();
        said.read_line(&mut line).map_err(text)?;
        if line.trim() == "ready" {
            return Ok(());
        }
        let _ = said.read_to_string(&mut line);
        Err(format!("{command:?}: {}", line.trim()))
    }

    fn set(&self, case: Case) -> Result<()> {
        let [server, router] = case.fate.rules(case.range());
        run(&mut self.inside("server", &["nft", "-f", "-"]), &server)?;
        run(&mut self.inside("router", &["nft", "-f", "-"]), &router)?;
        // Neighbours know each other before the first tool starts.
        let warm_up = Case { ports: 1, ..case };
        self.once(Tool::Ours, warm_up, LIMIT).map(|_| ())
    }

    fn measured(&self, tool: Tool, case: Case, limit: u64) -> Result<Figures> {
        let mut runs = vec![self.once(tool, case, limit)?];
        if runs[0].wall < BRIEF.as_secs_f64() {
            runs.extend([self.once(tool, case, limit)?, self.once(tool, case, limit)?]);
        }
        // The median of the times, the worst of the judgements.
        let worst = runs.iter().filter_map(|run| run.truth).max();
        runs.sort_by(|a, b| a.wall.total_cmp(&b.wall));
        let mut median = runs.swap_remove(runs.len() / 2);
        median.truth = worst;
        Ok(median)
    }

    fn once(&self, tool: Tool, case: Case, limit: u64) -> Result<Figures> {
        let mut command = self.inside("client", &[&own_path()?, "measure", &limit.to_string()]);
        let done = command.args(tool.command(case)?).stdin(Stdio::null()).output().map_err(text)?;
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        let failed = || format!("{}: {} {}", tool.name(), done.status, err.trim());
        let line = err.lines().rev().find_map(|line| line.strip_prefix("measured ")).ok_or_else(failed)?;
        let words: Vec<&str> = line.split(' ').collect();
        let [ending, wall, cpu, mebibytes] = words[..] else { return Err(failed()) };
        let float = |word: &str| word.parse::<f64>().map_err(text);
        let truth = match (ending, tool) {
            ("cut", _) | (_, Tool::RustScan) => None,
            (_, Tool::Ours) => Some(truth(case, &said_by_us(&out)?)),
            (_, Tool::NmapConnect | Tool::NmapSyn) => Some(truth(case, &said_by_nmap(&out))),
        };
        if ending == "failed" {
            return Err(failed());
        }
        let (wall, cpu, mebibytes) = (float(wall)?, float(cpu)?, float(mebibytes)?);
        Ok(Figures { wall, cut: ending == "cut", cpu, mebibytes, truth })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.sweeper.stdin.take());
        let _ = self.sweeper.wait();
        for helper in &mut self.helpers {
            let _ = helper.wait();
        }
    }
}

/// Runs a command to its end.
fn run(command: &mut Command, input: &str) -> Result<()> {
    let failed = |what: String| format!("{command:?}: {what}");
    let name = failed(String::new());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(text)?;
    // A command that ends without reading its input says why in what it prints.
    let _ = child.stdin.take().map(|mut pipe| pipe.write_all(input.as_bytes()));
    let done = child.wait_with_output().map_err(text)?;
    let complaint = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    if done.status.success() { Ok(()) } else { Err(format!("{name}{complaint}")) }
}

// ---- The other parts that this program plays ----

/// Holds port 21.
fn listen() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 21)).map_err(text)?;
    eprintln!("ready");
    listener.incoming().for_each(drop);
    Ok(())
}

/// Carries packets between the TUN devices on standard input and standard output, each way with a delay.
fn forward(delay: Duration) -> Result<()> {
    let near = File::from(std::io::stdin().as_fd().try_clone_to_owned().map_err(text)?);
    let far = File::from(std::io::stdout().as_fd().try_clone_to_owned().map_err(text)?);
    let clock = Stopwatch::start();
    let copy = |end: &File| end.try_clone().map_err(text);
    let mut threads = Vec::new();
    for (mut from, mut to) in [(copy(&near)?, copy(&far)?), (far, near)] {
        let (queue, waiting) = sync_channel::<(Duration, Vec<u8>)>(QUEUE);
        threads.push(thread::spawn(move || {
            let mut packet = [0; 2048];
            while let Ok(length) = from.read(&mut packet) {
                // A full queue loses packets, as queues do.
                let _ = queue.try_send((clock.elapsed() + delay, packet[..length].to_vec()));
            }
        }));
        threads.push(thread::spawn(move || {
            for (due, packet) in waiting {
                thread::sleep(due.saturating_sub(clock.elapsed()));
                let _ = to.write(&packet);
            }
        }));
    }
    eprintln!("ready");
    for thread in threads {
        let _ = thread.join();
    }
    Ok(())
}

/// The survey as a check does it: the round-trip time comes from a connect to the control port.
fn survey_alone(count: &str, files: &str) -> Result<()> {
    match number(files)? {
        0 => raise_file_limit(),
        files => setrlimit(Resource::RLIMIT_NOFILE, files, files).map_err(text)?,
    }
    let last = FIRST + (u16::try_from(number(count)?).map_err(text)? - 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(text)?;
    let surveyed = runtime.block_on(async {
        let network = System::default();
        let control = SocketAddr::from((SERVER, 21));
        let connected = network.connect(control, Duration::from_secs(10)).await;
        let order = Order {
            address: SERVER.into(),
            ports: (FIRST..=last).collect(),
            rtt: Duration::from_secs_f64(connected.fact.elapsed_ms / 1000.0),
            rate: Rate::Max,
            deadline: Deadline::after(Duration::from_secs(LIMIT - 10)),
            stop: std::sync::Arc::default(),
        };
        survey(&network, &order, &|_, _| {}).await
    });
    println!("{}", serde_json::to_string(&spans(surveyed.states)).map_err(text)?);
    Ok(())
}

/// Runs a program, no longer than `limit` seconds, and says on standard error what it took.
fn measure(limit: u64, program: &[&str]) -> Result<()> {
    raise_file_limit();
    let (name, arguments) = program.split_first().ok_or("no program")?;
    let clock = Stopwatch::start();
    let mut child = Command::new(name).args(arguments).spawn().map_err(text)?;
    let mut cut = false;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(text)? {
            break status;
        }
        if clock.elapsed().as_secs() >= limit && !cut {
            cut = true;
            let _ = child.kill();
        }
        thread::sleep(Duration::from_millis(1));
    };
    let wall = clock.elapsed().as_secs_f64();
    // It is the only child that this process ever had.
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(text)?;
    let cpu = [used.user_time(), used.system_time()].iter().map(seconds).sum::<f64>();
    let ending = match (cut, status.success()) {
        (true, _) => "cut",
        (false, true) => "ended",
        (false, false) => "failed",
    };
    eprintln!("measured {ending} {wall:.4} {cpu:.4} {:.2}", mebibytes(used.max_rss()));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "seconds of CPU are few")]
fn seconds(time: &nix::sys::time::TimeVal) -> f64 {
    use nix::sys::time::TimeValLike as _;
    time.num_microseconds() as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 bytes")]
fn mebibytes(kibibytes: std::ffi::c_long) -> f64 {
    kibibytes as f64 / 1024.0
}
