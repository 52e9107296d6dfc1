//! What a scraper asks for → whom to check, how, and until when; or why not.
//!
//! No refusal quotes what was asked, except for a host that was read as such: somebody may have put a password there.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};

use super::{Config, Module};
use crate::evidence::Target;
use crate::plan::{IMPLICIT_TLS_PORT, Plan, Request, TargetError, TlsUse};

/// The header in which Prometheus says how long it waits.
const TIMEOUT_HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// The module where none is named.
pub const DEFAULT_MODULE: &str = "default";

/// What is to be done.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) module: String,
    pub(super) plan: Plan,
    /// By when the answer must be ready, from now.
    pub(super) allowed: Duration,
}

/// Why a request is not served: a word for the metrics, the status, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: &'static str,
    pub(super) status: StatusCode,
    pub(super) words: String,
}

/// All words for the metrics.
pub(super) const REASONS: [&str; 4] = ["bad-request", "credentials", "not-allowed", "busy"];

const NO_CREDENTIALS: &str = "credentials do not belong into a URL, where logs and process lists keep them: write user and \
                              password_file or password_env into a module of the exporter's configuration";

impl Refusal {
    fn bad(words: impl Into<String>) -> Self {
        Self { reason: "bad-request", status: StatusCode::BAD_REQUEST, words: words.into() }
    }

    fn credentials() -> Self {
        Self { reason: "credentials", ..Self::bad(NO_CREDENTIALS) }
    }

    pub(super) fn busy(limit: usize) -> Self {
        let words = format!("{limit} probes are under way, which is the limit (--max-probes): come again");
        Self { reason: "busy", status: StatusCode::SERVICE_UNAVAILABLE, words }
    }
}

/// Reads the query and the headers of `/probe`. `offset` is taken off what Prometheus waits.
pub(super) fn read(
    query: &[(String, String)],
    headers: &HeaderMap,
    config: &Config,
    offset: Duration,
) -> Result<Ask, Refusal> {
    let target = only(query, "target")?;
    let name = only(query, "module")?.unwrap_or(DEFAULT_MODULE);
    if query.iter().any(|(key, _)| matches!(key.as_str(), "user" | "username" | "password" | "pass")) {
        return Err(Refusal::credentials());
    }
    if query.iter().any(|(key, _)| key != "target" && key != "module") {
        return Err(Refusal::bad("the query holds something else than target and module"));
    }
    let target = target.filter(|target| !target.trim().is_empty());
    let target = target.ok_or_else(|| Refusal::bad("no target is named: /probe?target=HOST&module=NAME"))?;
    let module = config.modules.get(name).ok_or_else(|| {
        let names: Vec<&str> = config.modules.keys().map(String::as_str).collect();
        Refusal::bad(format!("there is no module of that name; there are {}", names.join(", ")))
    })?;
    let plan = plan(target, module)?;
    let list = module.allow.as_ref().unwrap_or(&config.allow);
    if !list.allows(&plan.target, module.port) {
        return Err(not_allowed(&plan.target, name));
    }
    let allowed = match waited_for(headers)? {
        Some(timeout) => less(timeout, offset).min(plan.limits.run),
        None => plan.limits.run,
    };
    Ok(Ask { module: name.to_owned(), plan, allowed })
}

/// The one value of a key.
fn only<'a>(query: &'a [(String, String)], wanted: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = query.iter().filter(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Refusal::bad(format!("{wanted} is named twice"))),
    }
}

fn plan(target: &str, module: &Module) -> Result<Plan, Refusal> {
    let request: Request = target.parse().map_err(|error| no_target(&error))?;
    if request.user.is_some() {
        return Err(Refusal::credentials());
    }
    let mut plan = module.plan.clone();
    plan.own_addresses_only = true;
    plan.target = request.target;
    plan.directory = request.directory.or(plan.directory);
    if request.implicit_tls {
        plan.tls.mode = match plan.tls.mode {
            TlsUse::Auto | TlsUse::Required | TlsUse::Implicit => TlsUse::Implicit,
            TlsUse::Off | TlsUse::Explicit => {
                return Err(Refusal::bad(
                    "ftps:// means TLS from the first byte, and the module says something else",
                ));
            }
        };
    }
    if let Some(port) = module.port {
        let usual = if request.implicit_tls { IMPLICIT_TLS_PORT } else { 21 };
        if plan.target.port != usual && plan.target.port != port {
            return Err(Refusal::bad(format!("the module checks port {port}, and the target names another")));
        }
        plan.target.port = port;
    }
    Ok(plan)
}

/// Why a text is no target, without a word of it.
fn no_target(error: &TargetError) -> Refusal {
    let words = match error {
        TargetError::PasswordInUrl | TargetError::UserWithoutScheme => return Refusal::credentials(),
        TargetError::LineBreak(_) | TargetError::NotText(_) => "target: its %XX hold what cannot be sent",
        TargetError::Scheme(_) => "target: its scheme is neither ftp:// nor ftps://",
        TargetError::Port(_) => "target: its port is no number from 1 to 65535",
        TargetError::Brackets => "target: write an IPv6 address with a port as [ADDRESS]:PORT",
        TargetError::HostLength => "target: the host name is too long",
        TargetError::Unspecified(_) => "target: this is no address that a server can have",
        TargetError::NoHost | TargetError::HostCharacter(_) | TargetError::NotAnAddress(_) => {
            "target: this is no host; write HOST, HOST:PORT, [IPV6]:PORT, ftp://HOST or ftps://HOST"
        }
    };
    Refusal::bad(words)
}

/// What was refused is quoted here: it was read as host and port, which hold no password.
fn not_allowed(target: &Target, module: &str) -> Refusal {
    let host = &target.host;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let words = format!(
        "{host} port {} is not on the allow-list that holds for the module {module}: add it to allow = [...] in the \
         exporter's configuration",
        target.port
    );
    Refusal { reason: "not-allowed", status: StatusCode::FORBIDDEN, words }
}

/// How long the scraper waits.
fn waited_for(headers: &HeaderMap) -> Result<Option<Duration>, Refusal> {
    let Some(value) = headers.get(TIMEOUT_HEADER) else { return Ok(None) };
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<f64>().ok());
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = timeout.filter(|timeout| *timeout >= Duration::from_millis(10));
    timeout
        .map(Some)
        .ok_or_else(|| Refusal::bad("X-Prometheus-Scrape-Timeout-Seconds is no number of seconds"))
}

/// The timeout less the offset; half of it where the offset would leave less.
fn less(timeout: Duration, offset: Duration) -> Duration {
    timeout.saturating_sub(offset).max(timeout / 2)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::AllowList;
    use super::*;

    fn config() -> Config {
        let plan = || Plan::new(Target { host: String::new(), port: 21 });
        let module = |port| Module { plan: plan(), port, allow: None };
        let mut off = module(None);
        off.plan.tls.mode = TlsUse::Off;
        let narrow = AllowList::new(vec!["one.example.com".parse().unwrap()]);
        let modules = BTreeMap::from([
            ("default".to_owned(), module(None)),
            ("high".to_owned(), module(Some(2121))),
            ("narrow".to_owned(), Module { allow: Some(narrow), ..module(None) }),
            ("off".to_owned(), off),
        ]);
        let allow = ["*.example.com", "203.0.113.0/24:*"];
        Config { allow: AllowList::new(allow.map(|text| text.parse().unwrap()).to_vec()), modules }
    }

    fn ask(query: &[(&str, &str)], timeout: Option<&str>) -> Result<Ask, Refusal> {
        let query: Vec<(String, String)> =
            query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut headers = HeaderMap::new();
        if let Some(timeout) = timeout {
            headers.insert(TIMEOUT_HEADER, timeout.parse().unwrap());
        }
        read(&query, &headers, &config(), Duration::from_millis(500))
    }

    #[test]
    fn a_target_and_a_module_make_a_plan() {
        let asked = ask(&[("target", "ftp.example.com")], None).unwrap();
        assert_eq!((asked.module.as_str(), asked.plan.target.port), ("default", 21));
        assert!(asked.plan.own_addresses_only);
        assert_eq!(asked.allowed, Duration::from_secs(60));
        let asked = ask(&[("module", "high"), ("target", "ftp.example.com")], None).unwrap();
        assert_eq!(asked.plan.target.port, 2121);
        let asked = ask(&[("target", "ftps://ftp.example.com/pub")], None).unwrap();
        assert_eq!((asked.plan.target.port, asked.plan.tls.mode), (990, TlsUse::Implicit));
        assert_eq!(asked.plan.directory.unwrap().as_str(), "pub");
        assert_eq!(ask(&[("target", "203.0.113.7:5000")], None).unwrap().plan.target.port, 5000);
    }

    #[test]
    fn what_prometheus_waits_is_the_deadline() {
        let allowed = |timeout| ask(&[("target", "a.example.com")], Some(timeout)).map(|asked| asked.allowed);
        assert_eq!(allowed("10"), Ok(Duration::from_millis(9500)));
        assert_eq!(allowed("0.6"), Ok(Duration::from_millis(300)));
        assert_eq!(allowed("600"), Ok(Duration::from_secs(60)));
        for bad in ["-1", "0", "x", "NaN", "inf"] {
            assert_eq!(allowed(bad).unwrap_err().status, StatusCode::BAD_REQUEST, "{bad}");
        }
    }

    #[test]
    fn credentials_are_refused_and_never_echoed() {
        for query in [
            vec![("target", "ftp://jo:hunter2@a.example.com")],
            vec![("target", "ftp://hunter2@a.example.com")],
            vec![("target", "jo:hunter2@a.example.com")],
            vec![("target", "hunter2@a.example.com")],
            vec![("target", "a.example.com"), ("password", "hunter2")],
            vec![("target", "a.example.com"), ("user", "hunter2")],
        ] {
            let refusal = ask(&query, None).unwrap_err();
            assert_eq!(
                (refusal.status, refusal.reason),
                (StatusCode::BAD_REQUEST, "credentials"),
                "{query:?}"
            );
            assert!(
                !refusal.words.contains("hunter2") && refusal.words.contains("password_file"),
                "{refusal:?}"
            );
        }
        for (target, module) in
            [("jo:hunter2", "default"), ("hunter2://a", "default"), ("a.example.com", "hunter2")]
        {
            let refusal = ask(&[("target", target), ("module", module)], None).unwrap_err();
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
            assert!(!refusal.words.contains("hunter2"), "{refusal:?}");
        }
    }

    #[test]
    fn refusals_say_what_to_do() {
        for (query, status, hint) in [
            (vec![], 400, "/probe?target="),
            (vec![("target", " ")], 400, "/probe?target="),
            (vec![("target", "a.example.com"), ("target", "b.example.com")], 400, "twice"),
            (vec![("target", "a.example.com"), ("debug", "1")], 400, "something else"),
            (vec![("target", "a.example.com"), ("module", "x")], 400, "default, high, narrow, off"),
            (vec![("target", "ftps://a.example.com"), ("module", "off")], 400, "ftps://"),
            (vec![("target", "a.example.com:99"), ("module", "high")], 400, "port 2121"),
            (vec![("target", "a.example.com:99")], 403, "a.example.com port 99"),
            (vec![("target", "example.org")], 403, "allow = [...]"),
            (vec![("target", "[2001:db8::1]:21")], 403, "[2001:db8::1] port 21"),
            (vec![("target", "two.example.com"), ("module", "narrow")], 403, "module narrow"),
            (vec![("target", "ftp://a.example.com/%0d%0aDELE")], 400, "cannot be sent"),
        ] {
            let refusal = ask(&query, None).unwrap_err();
            assert_eq!(refusal.status.as_u16(), status, "{query:?}: {refusal:?}");
            assert!(refusal.words.contains(hint), "{query:?}: {refusal:?}");
            assert!(REASONS.contains(&refusal.reason));
        }
        assert!(ask(&[("target", "one.example.com"), ("module", "narrow")], None).is_ok());
    }
}
