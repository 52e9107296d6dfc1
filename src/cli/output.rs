//! Where output goes and how it looks: decided once, for all libraries that draw.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use anstream::ColorChoice;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use pasvcheck::probe::Progress;
use pasvcheck::report::style::{Style, printable};

use super::Problem;
use super::args::{OutputArgs, When};

/// Widths between which a report reads well.
const NARROWEST: usize = 60;
const WIDEST: usize = 110;

/// Standard output and error, or the file of `-o`.
#[derive(Debug)]
pub(crate) struct Console {
    /// How a terminal report looks.
    pub(crate) style: Style,
    to: Option<PathBuf>,
    progress: bool,
    written: String,
}

impl Console {
    pub(crate) fn new(args: &OutputArgs) -> Self {
        let choice = match args.color {
            When::Auto => ColorChoice::Auto,
            When::Always => ColorChoice::Always,
            When::Never => ColorChoice::Never,
        };
        choice.write_global();
        // NO_COLOR, TERM=dumb and pipes are judged by anstream alone; the other libraries obey (they disagree otherwise).
        let color =
            args.output.is_none() && anstream::AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
        colored::control::set_override(color);
        Self {
            style: Style { color, width: width() },
            to: args.output.clone(),
            progress: !args.quiet && std::io::stderr().is_terminal(),
            written: String::new(),
        }
    }

    /// Whether a person watches standard error.
    pub(crate) fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Writes to standard output, or gathers for the file. A closed pipe is no error.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Problem> {
        if self.to.is_some() {
            self.written.push_str(text);
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Problem::new(format!("standard output cannot be written: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Puts what was gathered into the file: first beside it, then in its place, so that nobody reads half of it.
    pub(crate) fn finish(&mut self) -> Result<(), Problem> {
        let Some(path) = self.to.clone() else { return Ok(()) };
        let problem =
            |error: std::io::Error| Problem::new(format!("{} cannot be written: {error}", path.display()));
        if path.exists() && !path.is_file() {
            // A device or a pipe takes the bytes as they are.
            return std::fs::write(&path, &self.written).map_err(problem);
        }
        let mut beside = path.clone().into_os_string();
        beside.push(format!(".{}.tmp", std::process::id()));
        std::fs::write(&beside, &self.written).map_err(problem)?;
        std::fs::rename(&beside, &path).map_err(|error| {
            let _ = std::fs::remove_file(&beside);
            problem(error)
        })
    }

    /// Says something beside the output, on standard error.
    pub(crate) fn remark(note: &str) {
        let _ = writeln!(anstream::stderr(), "pasvcheck: {}", printable(note));
    }

    /// Says what went wrong, on standard error.
    #[expect(clippy::unused_self, reason = "the choice of colour that a console makes must come first")]
    pub(crate) fn complain(&self, problem: &str) {
        let _ = writeln!(anstream::stderr(), "pasvcheck: {}", printable(problem));
    }
}

/// The width of the terminal, within reason; a pseudo terminal may say 0.
fn width() -> usize {
    let (columns, _) = terminal_size::terminal_size()
        .map_or((None, None), |(width, height)| (Some(usize::from(width.0)), Some(height.0)));
    columns.filter(|columns| *columns >= 20).map_or(100, |columns| columns.clamp(NARROWEST, WIDEST))
}

/// A spinner on standard error that tells what is being waited for.
#[derive(Debug)]
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    pub(crate) fn new(visible: bool) -> Self {
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        if visible {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self(bar)
    }

    pub(crate) fn done(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Spinner {
    fn at(&self, what: &str) {
        self.0.set_message(printable(what));
    }
}
