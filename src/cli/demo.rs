//! `pasvcheck demo [SCENARIO]`: the whole check on the embedded server, with a fault planted.

use std::fmt::Write as _;

use pasvcheck::demo::{self, CATALOGUE, Outcome, Scenario};
use pasvcheck::finding::Verdict;

use super::Problem;
use super::args::{DemoArgs, Format};
use super::check::runtime;
use super::output::{Console, Spinner, renderer};

pub(crate) fn run(args: &DemoArgs, console: &mut Console) -> Result<u8, Problem> {
    *console = Console::new(&args.output);
    let code = match &args.scenario {
        None => {
            console.write(&list(args, console))?;
            Verdict::Ok.exit_code()
        }
        Some(name) => one(name, args, console)?,
    };
    console.finish()?;
    Ok(code)
}

fn list(args: &DemoArgs, console: &Console) -> String {
    let scenarios =
        CATALOGUE.iter().filter_map(|(name, text)| Some((*name, Scenario::parse(text).ok()?.title)));
    if args.output.format() != Format::Terminal {
        let all: Vec<_> =
            scenarios.map(|(name, title)| serde_json::json!({"name": name, "title": title})).collect();
        return format!("{:#}\n", serde_json::Value::from(all));
    }
    let mut text = format!("{}\n\n", console.style.bold("Scenarios (pasvcheck demo NAME):"));
    let width = CATALOGUE.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, title) in scenarios {
        let _ = writeln!(text, "  {}{} {title}", console.style.bold(name), " ".repeat(width - name.len()));
    }
    text
}

/// Exit code 0 when the planted fault was named (and nothing else was), 2 when not.
fn one(name: &str, args: &DemoArgs, console: &mut Console) -> Result<u8, Problem> {
    let found = demo::scenario(name).ok_or_else(|| Problem::new(unknown(name)))?;
    let scenario = found.map_err(|error| Problem::new(format!("{name}: {error}")))?;
    let spinner = Spinner::new(console.shows_progress());
    let outcome = runtime()?.block_on(demo::run(&scenario, &spinner));
    spinner.done();
    let outcome = outcome.map_err(|error| Problem::new(format!("{name}: {error}")))?;
    let terminal = args.output.format() == Format::Terminal;
    if terminal {
        let title = console.style.dim(&format!("Scenario {name}: {}.", scenario.title));
        console.write(&format!("{title}\n\n"))?;
    }
    let mut renderer = renderer(&args.output, false, console.style);
    console.write(&renderer.add(&outcome.report))?;
    console.write(&renderer.finish())?;
    if terminal {
        console.write(&format!("\n{}\n", judgement(&scenario, &outcome)))?;
    }
    let named = outcome.complaints.is_empty();
    Ok(if named { Verdict::Ok } else { Verdict::Critical }.exit_code())
}

fn judgement(scenario: &Scenario, outcome: &Outcome) -> String {
    if !outcome.complaints.is_empty() {
        return format!("Demo: not as planned: {}.", outcome.complaints.join("; "));
    }
    match scenario.expect.findings.as_slice() {
        [] => "Demo: as planned; no fault was planted, and none was named.".to_owned(),
        findings => format!("Demo: the planted fault was named: {}.", findings.join(", ")),
    }
}

fn unknown(name: &str) -> String {
    let word = name.split('-').max_by_key(|word| word.len()).unwrap_or_default();
    let near: Vec<&str> = CATALOGUE
        .iter()
        .map(|(known, _)| *known)
        .filter(|known| word.len() > 2 && known.contains(word))
        .collect();
    let hint = if near.is_empty() {
        "`pasvcheck demo` lists all".to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    format!("there is no scenario \"{name}\"; {hint}")
}
