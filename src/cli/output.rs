//! Where output goes and how it looks: decided once, for all libraries that draw.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstream::ColorChoice;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use pasvcheck::probe::Progress;
use pasvcheck::report::Renderer;
use pasvcheck::report::html::Html;
use pasvcheck::report::json::Json;
use pasvcheck::report::junit::JUnit;
use pasvcheck::report::markdown::Markdown;
use pasvcheck::report::nagios::Nagios;
use pasvcheck::report::overview::Several;
use pasvcheck::report::prometheus::Prometheus;
use pasvcheck::report::style::{Style, printable};
use pasvcheck::report::terminal::{Amount, Single};

use super::Problem;
use super::args::{Format, OutputArgs, When};

/// Widths between which a report reads well.
const NARROWEST: usize = 60;
const WIDEST: usize = 110;

/// Standard output and error, or the file of `-o`.
#[derive(Debug)]
pub(crate) struct Console {
    /// How a terminal report looks.
    pub(crate) style: Style,
    to: Option<PathBuf>,
    file: Option<Written>,
    progress: bool,
    closed: bool,
}

/// A file that is being written: beside its place, so that nobody reads half of it. Without `beside` it is a device or a
/// pipe, which takes the bytes as they are.
#[derive(Debug)]
struct Written {
    file: File,
    beside: Option<PathBuf>,
}

impl Written {
    fn open(path: &Path) -> std::io::Result<Self> {
        if path.exists() && !path.is_file() {
            return Ok(Self { file: OpenOptions::new().write(true).open(path)?, beside: None });
        }
        let mut beside = path.to_path_buf().into_os_string();
        beside.push(format!(".{}.tmp", std::process::id()));
        let beside = PathBuf::from(beside);
        Ok(Self { file: File::create(&beside)?, beside: Some(beside) })
    }

    /// Puts the file in its place.
    fn finish(mut self, path: &Path) -> std::io::Result<()> {
        match self.beside.take() {
            None => Ok(()),
            Some(beside) => std::fs::rename(&beside, path).inspect_err(|_| {
                let _ = std::fs::remove_file(&beside);
            }),
        }
    }
}

impl Drop for Written {
    /// What was not finished is taken away.
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = std::fs::remove_file(beside);
        }
    }
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
            file: None,
            progress: !args.quiet && std::io::stderr().is_terminal(),
            closed: false,
        }
    }

    /// Whether a person watches standard error.
    pub(crate) fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Whether nobody reads standard output any more.
    pub(crate) fn closed(&self) -> bool {
        self.closed
    }

    /// Opens the file of `-o`, so that one that cannot be written is known before the work.
    pub(crate) fn prepare(&mut self) -> Result<(), Problem> {
        self.write("")
    }

    /// Writes to standard output, or to the file. A closed pipe is no error.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Problem> {
        if let Some(path) = &self.to {
            let file = match self.file.take() {
                Some(file) => Ok(file),
                None => Written::open(path),
            };
            let written = file.and_then(|mut file| file.file.write_all(text.as_bytes()).map(|()| file));
            self.file = Some(written.map_err(|error| unwritable(path, &error))?);
            return Ok(());
        }
        if text.is_empty() {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Problem::new(format!("standard output cannot be written: {error}"))),
            Ok(()) => Ok(()),
        }
    }

    /// Puts what was written into the file's place.
    pub(crate) fn finish(&mut self) -> Result<(), Problem> {
        match (&self.to, self.file.take()) {
            (Some(path), Some(file)) => file.finish(path).map_err(|error| unwritable(path, &error)),
            _ => Ok(()),
        }
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

fn unwritable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(format!("{} cannot be written: {error}", path.display()))
}

/// What renders the format asked for, for one report or for several.
pub(super) fn renderer(args: &OutputArgs, several: bool, style: Style) -> Box<dyn Renderer> {
    let amount = match (args.quiet, args.verbose) {
        (true, _) => Amount::Line,
        (_, true) => Amount::Everything,
        _ => Amount::Usual,
    };
    match args.format() {
        Format::Terminal if several => Box::new(Several::new(style, amount, args.trace)),
        Format::Terminal => Box::new(Single { style, amount, trace: args.trace }),
        Format::Json => Box::new(Json { lines: several }),
        Format::Ndjson => Box::new(Json { lines: true }),
        Format::Html => Box::new(Html::new(several)),
        Format::Markdown => Box::new(Markdown::default()),
        Format::Nagios => Box::new(Nagios::default()),
        Format::Prometheus => Box::new(Prometheus::default()),
        Format::Junit => Box::new(JUnit::default()),
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

    /// Something is written while the line is out of the way.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// The line says something else.
    pub(crate) fn tell(&self, what: &str) {
        self.0.set_message(printable(what));
    }
}

impl Progress for Spinner {
    fn at(&self, what: &str) {
        self.0.set_message(printable(what));
    }
}
