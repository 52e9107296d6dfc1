//! `pasvcheck serve`: the stand-in, until its time is over or somebody ends it.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use pasvcheck::net::survey::raise_file_limit;
use pasvcheck::report::style::thousands;
use pasvcheck::standin::{Ended, Event, Order, StandIn};

use super::args::{Format, ServeArgs};
use super::check::runtime;
use super::output::Console;
use super::{Problem, password};

/// Exit code 0 however it ends; 3 if it cannot begin.
pub(crate) fn run(args: &ServeArgs, console: &mut Console) -> Result<u8, Problem> {
    *console = Console::new(&args.output);
    if args.output.json || args.output.format != Format::Terminal {
        return Err(Problem::new(
            "serve has no report of its own: the check from outside has it (pasvcheck --json)",
        ));
    }
    if args.output.output.is_some() {
        return Err(Problem::new(
            "serve tells what happens as it happens: redirect its output in place of -o",
        ));
    }
    let order = order(args)?;
    if args.output.dry_run {
        console.write(&format!(
            "Would listen on port {} and on {}, {}.\n",
            order.port,
            ports(&order),
            how_long(&order)
        ))?;
        console.finish()?;
        return Ok(0);
    }
    raise_file_limit();
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let stand_in = StandIn::open(&order).map_err(|error| Problem::new(error.to_string()))?;
        let stop = stop()?;
        console.write(&welcome(&order, console))?;
        let quiet = args.output.quiet;
        let mut told = |event| {
            if !quiet && let Some(line) = words(&event, &order) {
                // Somebody who reads along no more is no reason to end.
                let _ = console.write(&line);
            }
        };
        Ok::<Ended, Problem>(stand_in.serve(stop, &mut told).await)
    })?;
    console.write(&account(&ended, &order))?;
    console.finish()?;
    Ok(0)
}

fn order(args: &ServeArgs) -> Result<Order, Problem> {
    let public_address = match args.public_address {
        None => None,
        Some(IpAddr::V4(address)) => Some(address),
        Some(IpAddr::V6(address)) => {
            return Err(Problem::new(format!(
                "--public-address {address}: the reply to PASV has room for an IPv4 address alone, and EPSV, which serves IPv6, \
                 names none: leave the option away"
            )));
        }
    };
    Ok(Order {
        bind: args.bind,
        port: args.port,
        range: args.range,
        public_address,
        secret: password::stand_in_secret(args.secret_file.as_deref())?,
        lifetime: args.lifetime,
    })
}

/// Ends by Ctrl-C, or by the signal with which services are ended.
pub(super) fn stop() -> Result<impl Future<Output = ()>, Problem> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())
            .map_err(|error| Problem::new(format!("the system gives no signals: {error}")))?;
        Ok(async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}

fn ports(order: &Order) -> String {
    match order.range.len() {
        1 => format!("data port {}", order.range.min),
        count => format!("all {} data ports {}", thousands(count.into()), order.range),
    }
}

fn how_long(order: &Order) -> String {
    format!("for {}", humantime::format_duration(Duration::from_secs(order.lifetime.as_secs().max(1))))
}

fn welcome(order: &Order, console: &Console) -> String {
    let style = &console.style;
    let place = order.bind.map_or_else(String::new, |address| format!(" of {address}"));
    let mut text = format!(
        "{}\n",
        style.bold(&format!("Stand-in: listening on port {}{place} and on {}.", order.port, ports(order)))
    );
    let ends = format!("Ends by itself after {}, or by Ctrl-C.", &how_long(order)["for ".len()..]);
    let proofs = match order.secret {
        Some(_) => {
            "Ports are proven only to checks that have the same secret (PASVCHECK_SECRET or --secret-file)."
        }
        None => "Ports are proven to everybody; with PASVCHECK_SECRET on both sides only to who knows it.",
    };
    let _ = writeln!(text, "{}", style.wrap(&format!("{ends} {proofs}"), 0));
    let announced = match order.public_address {
        Some(address) => format!(" --public-address {address}"),
        None => String::new(),
    };
    let host = order.public_address.map_or_else(|| "HOST".to_owned(), |address| address.to_string());
    let port = if order.port == 21 { String::new() } else { format!(":{}", order.port) };
    let _ = writeln!(
        text,
        "Now check from outside:\n  pasvcheck --range {} --scan{announced} {host}{port}",
        order.range
    );
    text
}

fn words(event: &Event, order: &Order) -> Option<String> {
    match event {
        Event::Came(_) => None,
        Event::Known(client) => Some(format!("{client} asks for proofs.\n")),
        Event::Refused(client) => Some(format!("{client} does not have the secret.\n")),
        Event::Proven(client, count) => Some(format!(
            "{client}: {} of {} ports proven so far.\n",
            thousands(*count as u64),
            thousands(order.range.len().into())
        )),
    }
}

/// What came of it, at the end.
fn account(ended: &Ended, order: &Order) -> String {
    let why = if ended.expired { "Its time is over" } else { "Ended" };
    let mut text = format!("{why}: {} control connections.\n", thousands(ended.sessions));
    for (client, known) in &ended.clients {
        let others: Vec<String> =
            known.data_from.iter().filter(|from| *from != client).map(ToString::to_string).collect();
        let from = match others.as_slice() {
            [] => String::new(),
            others => format!("; its data connections came from {}", others.join(", ")),
        };
        let _ = writeln!(
            text,
            "{client}: {} of {} ports proven{from}.",
            thousands(known.ports.len() as u64),
            thousands(order.range.len().into())
        );
    }
    text
}
