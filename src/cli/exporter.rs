//! `pasvcheck exporter`: the configuration, the signals, and what is said about them.
//!
//! ```toml
//! allow = ["ftp.example.com", "*.example.net", "203.0.113.0/24:2121"]
//!
//! [defaults]
//! deadline = "30s"
//!
//! [modules.login]
//! user = "monitor"
//! password_file = "monitor.password"
//! allow = ["ftp.example.com"]
//! ```

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use clap::Parser as _;
use serde::Deserialize;
use tokio::net::TcpListener;
use toml::Spanned;

use pasvcheck::exporter::{AllowList, Bounds, Config, DEFAULT_MODULE, Entry, Event, Exporter, Module};
use pasvcheck::net::System;
use pasvcheck::net::survey::raise_file_limit;

use super::args::{CheckArgs, Cli, ExporterArgs};
use super::check::runtime;
use super::output::Console;
use super::plans::Planner;
use super::settings::{self, Settings};
use super::{Problem, password};

/// The most that is read of a configuration.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// The configuration as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    defaults: Option<Spanned<Settings>>,
    #[serde(default)]
    modules: BTreeMap<Spanned<String>, Settings>,
}

/// Exit code 0 when it was ended by a signal; 3 if it cannot begin.
pub(crate) fn run(args: &ExporterArgs, console: &mut Console) -> Result<u8, Problem> {
    let config = read(&args.config)?;
    if args.check_config {
        let targets = &config.allow;
        let names: Vec<&str> = config.modules.keys().map(String::as_str).collect();
        let word = if names.len() == 1 { "module" } else { "modules" };
        console.write(&format!(
            "{}: good. Allow-list: {targets}; {word}: {}\n",
            args.config.display(),
            names.join(", ")
        ))?;
        return Ok(0);
    }
    raise_file_limit();
    let runtime = runtime()?;
    let done = runtime.block_on(serve(args, config));
    // The system's resolver may still sit in its own time-out on a thread of the runtime: it is not waited for.
    runtime.shutdown_timeout(std::time::Duration::from_millis(10));
    done.map(|()| 0)
}

async fn serve(args: &ExporterArgs, config: Config) -> Result<(), Problem> {
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        Problem::new(format!("--listen {}: it cannot be listened there: {error}", args.listen))
    })?;
    let address = listener.local_addr().unwrap_or(args.listen);
    let network = Arc::new(System { bind: args.bind, dns: args.dns, given: args.resolve.clone() });
    let bounds = Bounds { probes: args.max_probes, offset: args.timeout_offset };
    Console::remark(&welcome(address, &config));
    if let Some(words) = descriptor_limit().and_then(|limit| too_few_descriptors(limit, args.max_probes)) {
        Console::remark(&words);
    }
    let verbose = args.verbose;
    let told = Box::new(move |event| {
        if verbose {
            Console::remark(&words(&event));
        }
    });
    let exporter = Exporter::new(network, config, bounds, told);
    let mut signals = Signals::listen()?;
    let stop = async {
        while signals.next().await == Signal::Reload {
            reload(&exporter, &args.config);
        }
        Console::remark("ending: probes under way get ten seconds");
    };
    Arc::clone(&exporter).serve(listener, stop).await;
    Ok(())
}

fn welcome(address: SocketAddr, config: &Config) -> String {
    let beyond = if address.ip().is_loopback() {
        ""
    } else {
        "; whoever reaches it there can have the allowed targets checked: put a firewall or a proxy with a login in front"
    };
    let modules = config.modules.len();
    let word = if modules == 1 { "module" } else { "modules" };
    format!("listening on http://{address}/ (allow-list: {}, {modules} {word}){beyond}", config.allow)
}

/// What a process of so many probes may need, where the system allows it less: the scraper's connection, the control
/// connection, a data connection and the one after it for each probe, and some for the rest.
fn too_few_descriptors(limit: u64, probes: usize) -> Option<String> {
    let needed = u64::try_from(probes).unwrap_or(u64::MAX).saturating_mul(4).saturating_add(100);
    (limit < needed).then(|| {
        format!(
            "{probes} probes at a time may need {needed} descriptors, and the system allows this process {limit}: checks \
             that get none end as unknown. Raise the limit (ulimit -n, LimitNOFILE= of systemd), or lower --max-probes"
        )
    })
}

#[cfg(unix)]
fn descriptor_limit() -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit};
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft)
}

#[cfg(not(unix))]
fn descriptor_limit() -> Option<u64> {
    None
}

fn reload(exporter: &Exporter, path: &Path) {
    match read(path) {
        Ok(config) => {
            exporter.reload(Some(config));
            Console::remark(&format!("{} was read anew", path.display()));
        }
        Err(problem) => {
            exporter.reload(None);
            Console::remark(&format!("{problem}\nthe configuration from before stays"));
        }
    }
}

fn words(event: &Event) -> String {
    match event {
        Event::Probed { target, module, verdict, late, took } => {
            let late = if *late { ", out of time" } else { "" };
            format!("{target} by {module}: {verdict} after {:.1} s{late}", took.as_secs_f64())
        }
        Event::Refused(why) => format!("refused: {why}"),
        Event::Abandoned => "a probe was given up: whoever asked is gone".to_owned(),
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Reload,
    Stop,
}

/// SIGHUP, and the signals with which services are ended.
#[cfg(unix)]
struct Signals {
    hangup: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Result<Self, Problem> {
        use tokio::signal::unix::{SignalKind, signal};
        let of = |kind| {
            signal(kind).map_err(|error| Problem::new(format!("the system gives no signals: {error}")))
        };
        Ok(Self {
            hangup: of(SignalKind::hangup())?,
            interrupt: of(SignalKind::interrupt())?,
            terminate: of(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.terminate.recv() => Signal::Stop,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    fn listen() -> Result<Self, Problem> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::Stop
    }
}

/// Reads the configuration, with the passwords that it names.
fn read(path: &Path) -> Result<Config, Problem> {
    let name = path.display();
    let size = std::fs::metadata(path).map_or(0, |facts| facts.len());
    if size > FILE_LIMIT {
        return Err(Problem::new(format!("{name} is too large for a configuration: {size} bytes")));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problem::new(format!("the configuration {name} cannot be read: {error}")))?;
    let at = |start: usize| text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    let fault = |start: usize, fault: &str| Problem::new(format!("{name} line {}: {fault}", at(start)));
    let file: File = toml::from_str(&text)
        .map_err(|error| fault(error.span().map_or(0, |span| span.start), &settings::syntax(&error)))?;
    let mut entries = Vec::new();
    for entry in &file.allow {
        entries.push(allowed(entry.get_ref()).map_err(|why| fault(entry.span().start, &why))?);
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let planner = Planner::new(nothing_typed()?, true)?;
    let (start, defaults) = match &file.defaults {
        Some(defaults) => (defaults.span().start, defaults.get_ref().clone()),
        None => (0, Settings::default()),
    };
    if defaults.allow.is_some() {
        return Err(fault(start, "allow = [...] stands at the top of the file, or in a module"));
    }
    let mut modules = BTreeMap::new();
    for (key, own) in file.modules {
        let start = key.span().start;
        let key = key.into_inner();
        let made = named(&key).and_then(|()| module(own.or(&defaults), &planner, folder));
        let module = made.map_err(|why| fault(start, &format!("module {key:?}: {why}")))?;
        modules.insert(key, module);
    }
    if !modules.contains_key(DEFAULT_MODULE) {
        let made = module(defaults, &planner, folder);
        modules.insert(
            DEFAULT_MODULE.to_owned(),
            made.map_err(|why| fault(start, &format!("[defaults]: {why}")))?,
        );
    }
    let nobody = entries.is_empty() && modules.values().all(|module| module.allow.is_none());
    if nobody {
        return Err(Problem::new(format!(
            "{name}: nobody may be checked yet; write allow = [\"ftp.example.com\", \"*.example.net\", \"203.0.113.0/24\"] at \
             the top"
        )));
    }
    Ok(Config { allow: AllowList::new(entries), modules })
}

fn allowed(text: &str) -> Result<Entry, String> {
    if text.contains('@') {
        return Err("allow: write the host alone; a login belongs into a module".to_owned());
    }
    text.parse().map_err(|error| format!("allow: {text:?}: {error}"))
}

/// Names of modules are labels of the samples, and stand in URLs.
fn named(name: &str) -> Result<(), Problem> {
    let good = !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if good { Ok(()) } else { Err(Problem::new("the name needs 1 to 64 letters, digits, -, _ or .")) }
}

fn module(settings: Settings, planner: &Planner, folder: &Path) -> Result<Module, Problem> {
    if settings.target.is_some() {
        return Err(Problem::new("target: whom to check is asked by the scraper, and held to allow = [...]"));
    }
    if settings.follow_private == Some(true) {
        return Err(Problem::new(
            "follow_private: the exporter contacts no address that only a reply names, since others choose the target",
        ));
    }
    if settings.port == Some(0) {
        return Err(Problem::new("port: ports are 1 to 65535"));
    }
    let named = settings.user.as_deref().is_some_and(password::is_named);
    if named && settings.password_file.is_none() && settings.password_env.is_none() {
        return Err(Problem::new("user: name a password_file or a password_env beside it"));
    }
    let allow = settings.allow.as_ref().map(|entries| {
        entries.iter().map(|text| allowed(text).map_err(Problem::new)).collect::<Result<Vec<_>, _>>()
    });
    let args = settings.settled(&planner.args, folder)?;
    let mut plan = planner.plan(&args, "localhost")?;
    plan.labels = settings.labels.unwrap_or_default();
    Ok(Module { plan, port: settings.port, allow: allow.transpose()?.map(AllowList::new) })
}

/// The options of a check as they are when nobody types any.
fn nothing_typed() -> Result<CheckArgs, Problem> {
    let cli = Cli::try_parse_from(["pasvcheck", "localhost"]);
    cli.map(|cli| cli.check).map_err(|error| Problem::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_descriptors_are_told_beforehand() {
        assert_eq!(too_few_descriptors(1024, 100), None);
        let words = too_few_descriptors(1024, 1000).unwrap();
        assert!(
            words.contains("4100") && words.contains("1024") && words.contains("--max-probes"),
            "{words}"
        );
    }
}
