//! What was typed → what is meant: the plan of a target.

use std::fmt::Write as _;
use std::time::Duration;

use pasvcheck::checks;
use pasvcheck::evidence::PolicyFacts;
use pasvcheck::ftp::Argument;
use pasvcheck::plan::{Credentials, Families, Plan, Request};
use pasvcheck::policy::Policy;
use pasvcheck::threshold::Thresholds;

use super::args::{CheckArgs, Format, OutputArgs, PublicAddress, ThresholdArgs};
use super::password::Passwords;
use super::{Problem, password, policy, tls};

/// Makes plans of targets, with one command line's options.
pub(super) struct Planner {
    /// The options as typed.
    pub(super) args: CheckArgs,
    /// Whether credentials are looked up: a plan that is only looked at needs none.
    with_passwords: bool,
    passwords: Passwords,
    policy: Option<Policy>,
    policy_facts: Option<PolicyFacts>,
}

impl Planner {
    /// For plans that will be carried out, if `with_passwords`.
    pub(super) fn new(args: CheckArgs, with_passwords: bool) -> Result<Self, Problem> {
        let passwords = Passwords::new(args.login.netrc && with_passwords)?;
        let policy = policy::read(args.what.policy.as_deref())?;
        let policy_facts = policy::facts(policy.as_ref(), args.what.policy.as_deref());
        Ok(Self { args, with_passwords, passwords, policy, policy_facts })
    }

    /// The plan of a target, with the options given: the command line's, or those with a target's own settings.
    pub(super) fn plan(&self, args: &CheckArgs, target: &str) -> Result<Plan, Problem> {
        let request: Request = target.parse().map_err(|error| Problem::new(format!("target: {error}")))?;
        let login = self.passwords.credentials(&args.login, &request, self.with_passwords)?;
        let mut plan = plan(args, request, login)?;
        if let Some(policy) = &self.policy {
            // What is typed, or set for this target, outdoes what the policy says.
            plan.range = plan.range.or(policy.require.range);
            if args.network.public_address.is_none() {
                plan.public_address = policy.require.public_address;
            }
            plan.policy.clone_from(&self.policy_facts);
        }
        Ok(plan)
    }
}

/// What was typed → what is meant.
fn plan(args: &CheckArgs, request: Request, login: Credentials) -> Result<Plan, Problem> {
    let mut plan = Plan::new(request.target);
    plan.login = login;
    plan.directory = request.directory;
    plan.tls = tls::plan(&args.tls, request.implicit_tls)?;
    plan.stand_in_secret = password::stand_in_secret(args.network.secret_file.as_deref())?;
    plan.range = args.what.range;
    plan.scan = args.what.scan;
    plan.idle = args.what.idle;
    plan.rate = args.network.rate;
    let download = args.what.download.as_deref().map(Argument::new).transpose();
    plan.download = download.map_err(|error| Problem::new(format!("--download cannot be sent: {error}")))?;
    plan.upload = args.what.upload;
    plan.public_address = match args.network.public_address {
        Some(PublicAddress::Given(address)) => Some(address),
        // `auto` is the audit's; a check does not parse it.
        Some(PublicAddress::None | PublicAddress::Auto) | None => None,
    };
    plan.families = families(args)?;
    plan.follow_private = args.network.follow_private;
    plan.thresholds = thresholds(&args.thresholds);
    plan.checks = wanted_checks(&args.what.only, &args.what.skip);
    if let Some(deadline) = args.network.deadline {
        plan.limits.run = deadline;
    } else if plan.scan {
        // 65,535 ports at the usual pace, and the second look at the silent ones.
        plan.limits.run = Duration::from_secs(600);
    } else if plan.download.is_some() || plan.upload.is_some() {
        // A file takes as long as it takes; that it stalls is noticed by itself.
        plan.limits.run = Duration::from_secs(3600);
    }
    if let (Some(idle), None) = (args.what.idle, args.network.deadline) {
        // Once without and once with keep-alive.
        plan.limits.run += idle * 2;
    }
    if let Some(timeout) = args.network.timeout {
        plan.limits.connect = timeout;
    }
    Ok(plan)
}

/// The levels of `-w` and `-c`.
pub(super) fn thresholds(args: &ThresholdArgs) -> Thresholds {
    Thresholds { warning: args.warning.unwrap_or_default(), critical: args.critical.unwrap_or_default() }
}

/// The families asked for; an address to connect from decides too.
fn families(args: &CheckArgs) -> Result<Families, Problem> {
    let network = &args.network;
    if let Some(bind) = network.bind {
        let here = std::net::UdpSocket::bind((bind, 0));
        here.map_err(|error| {
            Problem::new(format!("--bind {bind}: this host has no such address ({error})"))
        })?;
    }
    match (network.ipv4, network.ipv6, network.bind) {
        (true, _, Some(bind)) if bind.is_ipv6() => {
            Err(Problem::new("-4 and an IPv6 address in --bind exclude each other"))
        }
        (_, true, Some(bind)) if bind.is_ipv4() => {
            Err(Problem::new("-6 and an IPv4 address in --bind exclude each other"))
        }
        (true, ..) => Ok(Families::Ipv4),
        (_, true, _) => Ok(Families::Ipv6),
        (_, _, Some(bind)) => Ok(if bind.is_ipv4() { Families::Ipv4 } else { Families::Ipv6 }),
        _ => Ok(Families::Both),
    }
}

fn wanted_checks(only: &[String], skip: &[String]) -> Vec<&'static str> {
    let wanted: Vec<&str> = only.iter().flat_map(|name| checks::with_needs(name)).collect();
    checks::network()
        .map(|check| check.name)
        .filter(|name| only.is_empty() || wanted.contains(name) || *name == "resolve")
        .filter(|name| !skip.iter().any(|skipped| checks::with_needs(name).contains(&skipped.as_str())))
        .collect()
}

/// The plan for a person, or as JSON.
pub(super) fn describe(plan: &Plan, args: &OutputArgs) -> String {
    if args.format() != Format::Terminal {
        return serde_json::to_string_pretty(plan).unwrap_or_default() + "\n";
    }
    let user = match &plan.login {
        Credentials::Anonymous => "anonymous".to_owned(),
        Credentials::Named { user, .. } => {
            format!("{} (its password is not shown)", user.as_str())
        }
    };
    let mut text = format!("Would check {} port {} as {user}:\n", plan.target.host, plan.target.port);
    for check in checks::network().filter(|check| plan.runs(check.name)) {
        let _ = writeln!(text, "  {:<16} {}", check.name, check.question);
    }
    text.push_str(
        "Contacted: the DNS resolver, every address of the host (control port and the data ports that it announces), and at \
         most two connects to other addresses that the server names, on which nothing is sent.\n",
    );
    let private =
        if plan.follow_private { "also followed" } else { "only followed inside their own network" };
    let _ = writeln!(
        text,
        "Private addresses named by the server are {private}; loopback and link-local ones never."
    );
    if let Some(size) = plan.upload.filter(|_| plan.runs("transfer")) {
        let plural = if size == 1 { "" } else { "s" };
        let _ = writeln!(
            text,
            "Writes a file pasvcheck-….tmp of {size} byte{plural} to the server, at each of its addresses, and removes it."
        );
    }
    let limits = plan.limits;
    let _ = writeln!(text, "Ends after {} s at the latest.", limits.run.as_secs_f64());
    text
}
