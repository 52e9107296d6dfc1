//! `pasvcheck explain [NAME]`: the documents in the terminal.

use std::fmt::Write as _;

use pasvcheck::checks;
use pasvcheck::explain::values::Values;
use pasvcheck::report::prose;

use super::Problem;
use super::args::{ExplainArgs, Format};
use super::output::Console;

const PASSIVE_MODE: &str = "\
FTP uses two connections. On the control connection (port 21) client and server talk; every listing and every file goes
over a data connection of its own.

1. The client connects to port 21, and the server greets with 220.
2. The client logs in (USER, PASS) and the server agrees with 230.
3. The client says PASV (or EPSV), and the server opens a port of its passive range.
4. The server answers with address and port: 227 (h1,h2,h3,h4,p1,p2), where the port is p1 × 256 + p2, or 229 (|||port|).
5. The client connects there: in passive mode both connections go from the client to the server.
6. The client says LIST or RETR; the server answers 150 and sends the data.
7. The server closes the data connection and confirms with 226.

In active mode (PORT) the server connects to the client, which the client's NAT or firewall stops. Passive mode cures that
and moves what can go wrong to the server's side: the address in step 4 must be one that the client can reach, and the
ports of step 3 must be let through by every firewall and forwarded by every NAT router on the way.
";

pub(crate) fn run(args: &ExplainArgs, console: &mut Console) -> Result<u8, Problem> {
    *console = Console::new(&args.output);
    let text = match &args.name {
        None => overview(args, console),
        Some(name) => one(name, args, console)?,
    };
    console.write(&text)?;
    console.finish()?;
    Ok(0)
}

fn one(name: &str, args: &ExplainArgs, console: &Console) -> Result<String, Problem> {
    let rule = checks::rule(name).ok_or_else(|| Problem::new(unknown(name)))?;
    let text = Values::example().fill(rule.document);
    if args.output.format() == Format::Markdown {
        return Ok(text.trim_end().to_owned() + "\n");
    }
    if args.output.format() != Format::Terminal {
        let value = serde_json::json!({
            "name": rule.name, "severity": rule.severity, "check": checks::owner(name).map(|check| check.name),
            "explained_by": rule.explained_by, "document": text,
        });
        return Ok(format!("{value:#}\n"));
    }
    Ok(prose::render(&text, &console.style, 0))
}

fn overview(args: &ExplainArgs, console: &Console) -> String {
    if args.output.format() != Format::Terminal {
        let all: Vec<_> = checks::rules()
            .map(|rule| serde_json::json!({"name": rule.name, "severity": rule.severity}))
            .collect();
        return format!("{:#}\n", serde_json::Value::from(all));
    }
    let mut text = prose::render(PASSIVE_MODE, &console.style, 0);
    let _ = writeln!(text, "\n{}", console.style.bold("What pasvcheck can find (pasvcheck explain NAME):"));
    for check in checks::ALL {
        let _ =
            writeln!(text, "\n  {} {}", console.style.bold(check.name), console.style.dim(check.question));
        let names: Vec<&str> = check.rules.iter().map(|rule| rule.name).collect();
        let _ = writeln!(text, "{}", console.style.wrap(&names.join(", "), 4));
    }
    text
}

/// The nearest names, for a slip of the pen.
fn unknown(name: &str) -> String {
    let near: Vec<&str> =
        checks::rules().map(|rule| rule.name).filter(|known| similar(known, name)).collect();
    let hint = if near.is_empty() {
        "`pasvcheck explain` lists all".to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    format!("there is no finding \"{name}\"; {hint}")
}

fn similar(known: &str, typed: &str) -> bool {
    let words =
        |text: &str| text.split('-').filter(|word| word.len() > 3).map(str::to_owned).collect::<Vec<_>>();
    let typed = words(typed);
    words(known).iter().filter(|word| typed.contains(word)).count() >= typed.len().clamp(1, 2)
}
