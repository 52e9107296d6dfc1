//! `pasvcheck schema`, `completions` and `man`: what packages and other programs need of the tool itself.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use pasvcheck::report::schema::SCHEMA;

use super::output::Console;
use super::{Cli, Problem};

/// The JSON Schema of the report.
pub(crate) fn schema(console: &mut Console) -> Result<u8, Problem> {
    console.write(SCHEMA)?;
    Ok(0)
}

/// A completion script.
pub(crate) fn completions(shell: Shell, console: &mut Console) -> Result<u8, Problem> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pasvcheck", &mut text);
    console.write(&String::from_utf8_lossy(&text))?;
    Ok(0)
}

/// The manual page of the program, or of one command.
pub(crate) fn page(name: Option<&str>, console: &mut Console) -> Result<u8, Problem> {
    let mut whole = Cli::command();
    whole.build();
    let command = match name {
        None => whole,
        Some(name) => named(&whole, name)?,
    };
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut text);
    rendered.map_err(|error| Problem::new(format!("the manual page cannot be made: {error}")))?;
    console.write(&String::from_utf8_lossy(&text))?;
    Ok(0)
}

fn named(whole: &Command, name: &str) -> Result<Command, Problem> {
    let found = whole.get_subcommands().find(|command| command.get_name() == name);
    let names: Vec<&str> = whole.get_subcommands().map(Command::get_name).collect();
    let missing = || Problem::new(format!("there is no command \"{name}\"; there are {}", names.join(", ")));
    found.cloned().ok_or_else(missing)
}
