//! `pasvcheck diff A.json B.json`.

use pasvcheck::diff::{compare, show};

use super::args::{DiffArgs, Format};
use super::output::Console;
use super::{Problem, saved};

pub(crate) fn run(args: &DiffArgs, console: &mut Console) -> Result<u8, Problem> {
    *console = Console::new(&args.output);
    if args.a.as_os_str() == "-" && args.b.as_os_str() == "-" {
        return Err(Problem::new("only one of the two reports can come from standard input"));
    }
    // Both are diagnosed by this version: a rule that has changed is no change of the server.
    let (a, b) = (saved::report(&args.a)?.again(), saved::report(&args.b)?.again());
    let comparison = compare(&a, &b, args.same_server);
    let text = match args.output.format() {
        Format::Terminal if args.output.quiet => {
            format!(
                "{} {}: {} → {}\n",
                comparison.change.word().to_uppercase(),
                b.name(),
                a.verdict,
                b.verdict
            )
        }
        Format::Terminal => show::terminal(&comparison, &console.style),
        Format::Json => show::json(&comparison, false),
        Format::Ndjson => show::json(&comparison, true),
        Format::Markdown => show::markdown(&comparison),
        Format::Html | Format::Nagios | Format::Prometheus | Format::Junit => {
            return Err(Problem::new("diff has the formats terminal, json, ndjson and markdown"));
        }
    };
    console.write(&text)?;
    console.finish()?;
    Ok(comparison.change.exit_code())
}
