//! `pasvcheck audit`: configuration files against the firewall, before or without a network.

use std::fmt::Write as _;
use std::time::Duration;

use pasvcheck::audit::{self, Order};
use pasvcheck::clock::{Stopwatch, wall_clock};
use pasvcheck::evidence::Told;
use pasvcheck::finding::Verdict;
use pasvcheck::net::System;
use pasvcheck::net::public::{METADATA, Question};
use pasvcheck::policy::product_named;
use pasvcheck::report::Report;
use pasvcheck::server::Product;
use pasvcheck::server::config::AUDITED;

use super::args::{AuditArgs, Format, PublicAddress};
use super::check::{runtime, show};
use super::output::{Console, Spinner};
use super::{Problem, policy};

pub(crate) fn run(args: &AuditArgs, console: &mut Console) -> Result<u8, Problem> {
    *console = Console::new(&args.output);
    let order = order(args)?;
    if args.output.dry_run {
        console.write(&describe(&order, args))?;
        console.finish()?;
        return Ok(Verdict::Ok.exit_code());
    }
    let network = System { dns: args.dns, ..System::default() };
    let runtime = runtime()?;
    let (started_at, clock) = (wall_clock(), Stopwatch::start());
    let spinner = Spinner::new(console.shows_progress());
    let evidence = runtime.block_on(audit::run(&order, &network, &spinner));
    spinner.done();
    runtime.shutdown_timeout(Duration::from_millis(10));
    let duration = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    let report = Report::new(evidence, started_at, duration);
    show(&report, &args.output, console)?;
    Ok(report.verdict.exit_code())
}

/// What was typed → what is meant.
fn order(args: &AuditArgs) -> Result<Order, Problem> {
    let server = args.server.as_deref().map(server).transpose()?;
    let policy = policy::read(args.policy.as_deref())?;
    let required = policy.as_ref().map(|policy| policy.require.clone()).unwrap_or_default();
    let mut told = Told { range: args.range.or(required.range), ..Told::default() };
    let mut public = None;
    match args.public_address {
        Some(PublicAddress::Given(address)) if address.is_ipv6() => {
            return Err(Problem::new(format!(
                "--public-address {address}: a reply to PASV holds an IPv4 address; EPSV, which serves IPv6, names none"
            )));
        }
        Some(PublicAddress::Given(address)) => told.public_address = Some(address),
        Some(PublicAddress::None) => told.no_public_address = true,
        Some(PublicAddress::Auto) => public = Some(Question::Metadata(METADATA.to_owned())),
        None => told.public_address = required.public_address,
    }
    if let Some(url) = &args.echo_url {
        public = Some(Question::Echo(echo_url(url)?));
    }
    told.policy = policy::facts(policy.as_ref(), args.policy.as_deref());
    if let Some(root) = args.root.as_deref().filter(|root| !root.is_dir()) {
        return Err(Problem::new(format!("--root {}: there is no such directory", root.display())));
    }
    Ok(Order {
        configs: args.config.clone(),
        server,
        firewalls: args.firewall.clone(),
        // Below another root lies another host.
        live: args.live || (args.config.is_empty() && args.root.is_none()),
        resolve: args.live || args.dns.is_some(),
        public,
        root: args.root.clone(),
        told,
    })
}

fn server(name: &str) -> Result<Product, Problem> {
    let known = product_named(name).filter(|product| AUDITED.contains(product));
    known.ok_or_else(|| {
        let names: Vec<&str> = AUDITED.iter().map(|product| product.name()).collect();
        Problem::new(format!(
            "--server {name}: its configuration cannot be read; these can: {}",
            names.join(", ")
        ))
    })
}

fn echo_url(text: &str) -> Result<String, Problem> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !text.contains(char::is_whitespace) && !host.contains('@') => {
            Ok(text.to_owned())
        }
        _ => Err(Problem::new(format!(
            "--echo-url {text}: write a web address that begins with https:// or http://"
        ))),
    }
}

/// What would be read and asked, for a person or as JSON.
fn describe(order: &Order, args: &AuditArgs) -> String {
    let asked = match &order.public {
        None => "nobody".to_owned(),
        Some(Question::Metadata(base)) => format!("the cloud's metadata service at {base}"),
        Some(Question::Echo(url)) => url.clone(),
    };
    if args.output.format() != Format::Terminal {
        let value = serde_json::json!({
            "files": order.places(), "firewall_files": order.firewalls, "live": order.live,
            "resolve": order.resolve, "asked_for_the_public_address": asked,
        });
        return format!("{value:#}\n");
    }
    let mut text = String::from("Would read, where they exist:\n");
    for path in order.places().iter().chain(&order.firewalls) {
        let _ = writeln!(text, "  {path}");
    }
    if order.live {
        text.push_str(
            "Would ask this host: its interfaces, its ports in use, its FTP daemons, and its firewall (nft, iptables-save, netsh, \
             getsebool, as far as they are there).\n",
        );
    }
    let names = if order.resolve { "the resolver, for host names in the files; " } else { "" };
    let _ = writeln!(text, "Contacted: {names}{asked}. Nothing is written.");
    text
}
