//! `--targets FILE`: the list of targets, read as it is needed, so that a long one takes no memory.
//!
//! Either one target a line, `#` for comments, or TOML with settings for each target:
//!
//! ```toml
//! [defaults]
//! user = "monitor"
//! password_env = "FTP_PASSWORD"
//!
//! [[target]]
//! target = "ftp.example.com"
//! range = "50000-50100"
//! labels = { site = "berlin" }
//! ```

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use pasvcheck::plan::Plan;

use super::Problem;
use super::plans::Planner;
use super::settings::{self, Settings};

/// Longest line, and longest table of one target.
const LINE_LIMIT: usize = 64 * 1024;

/// A file of TOML, or a part of one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    defaults: Option<Settings>,
    #[serde(default)]
    target: Vec<Settings>,
}

/// The list, target by target. A fault does not end it: the next line may be good.
pub(crate) struct Targets<'a> {
    planner: &'a Planner,
    name: String,
    folder: PathBuf,
    lines: Lines<Box<dyn BufRead + Send>>,
    kind: Kind,
    ended: bool,
}

enum Kind {
    Plain,
    Toml { defaults: Box<Settings> },
}

impl<'a> Targets<'a> {
    /// Opens a list; `-` is standard input.
    pub(crate) fn open(path: &Path, planner: &'a Planner) -> Result<Self, Problem> {
        let name =
            if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() };
        let reader: Box<dyn BufRead + Send> = if path.as_os_str() == "-" {
            Box::new(BufReader::new(std::io::stdin()))
        } else {
            let file = File::open(path)
                .map_err(|error| Problem::new(format!("the targets file {name} cannot be read: {error}")))?;
            Box::new(BufReader::new(file))
        };
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let toml = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml"));
        Self::new(name, folder, reader, toml, planner)
    }

    fn new(
        name: String,
        folder: PathBuf,
        reader: Box<dyn BufRead + Send>,
        toml: bool,
        planner: &'a Planner,
    ) -> Result<Self, Problem> {
        let mut lines = Lines::new(reader);
        let toml = toml || lines.look_ahead().is_some_and(|line| matches!(line, "[[target]]" | "[defaults]"));
        let mut targets = Self { planner, name, folder, lines, kind: Kind::Plain, ended: false };
        if toml {
            let defaults = targets.defaults()?;
            targets.kind = Kind::Toml { defaults: Box::new(defaults) };
        }
        Ok(targets)
    }

    /// What stands before the first `[[target]]`.
    fn defaults(&mut self) -> Result<Settings, Problem> {
        if self.lines.look_ahead() == Some("[[target]]") {
            return Ok(Settings::default());
        }
        let (first, block) = self.lines.block().map_err(|fault| self.fault(fault))?;
        let part = self.part(first, &block)?;
        if let Some(defaults) = &part.defaults
            && defaults.target.is_some()
        {
            return Err(Problem::new(format!("{}: [defaults] cannot name a target", self.name)));
        }
        Ok(part.defaults.unwrap_or_default())
    }

    /// Reads a block; the error message has the line of the file.
    fn part(&self, first: usize, block: &str) -> Result<Part, Problem> {
        toml::from_str(block).map_err(|error: toml::de::Error| {
            // The text is not quoted: somebody may have written a password there.
            let before = error.span().and_then(|span| block.get(..span.start)).unwrap_or_default();
            let line = first.max(1) + before.matches('\n').count();
            self.fault((line, settings::syntax(&error)))
        })
    }

    fn fault(&self, (line, fault): (usize, String)) -> Problem {
        Problem::new(format!("{} line {line}: {fault}", self.name))
    }

    fn next_plain(&mut self) -> Option<Result<Plan, Problem>> {
        loop {
            let (line, text) = match self.lines.next()? {
                Ok(line) => line,
                Err(fault) => {
                    self.ended = true;
                    return Some(Err(self.fault(fault)));
                }
            };
            let bare = bare(&text);
            if bare.is_empty() {
                continue;
            }
            if bare.split_whitespace().nth(1).is_some() {
                let fault = "write one target a line; settings of a target need TOML ([[target]])";
                return Some(Err(self.fault((line, fault.to_owned()))));
            }
            let plan = self.planner.plan(&self.planner.args, bare);
            return Some(plan.map_err(|problem| self.fault((line, problem.to_string()))));
        }
    }

    fn next_toml(&mut self) -> Option<Result<Plan, Problem>> {
        let (first, block) = match self.lines.block() {
            Ok((_, block)) if block.is_empty() => return None,
            Ok(block) => block,
            Err(fault) => {
                self.ended = true;
                return Some(Err(self.fault(fault)));
            }
        };
        Some(self.planned(first, &block))
    }

    fn planned(&self, first: usize, block: &str) -> Result<Plan, Problem> {
        let Kind::Toml { defaults } = &self.kind else { return Err(Problem::new("no TOML")) };
        let mut part = self.part(first, block)?;
        let (1, None, Some(own)) = (part.target.len(), &part.defaults, part.target.pop()) else {
            let fault = "[defaults] stands before the first [[target]], once";
            return Err(self.fault((first, fault.to_owned())));
        };
        let Some(target) = own.target.clone() else {
            return Err(self.fault((first, "target = \"HOST\" is missing".to_owned())));
        };
        let settings = own.or(defaults);
        if settings.allow.is_some() {
            return Err(self.fault((first, "allow is for the modules of the exporter".to_owned())));
        }
        let plan = settings.settled(&self.planner.args, &self.folder).and_then(|args| {
            let mut plan = self.planner.plan(&args, &target)?;
            if let Some(port) = settings.port {
                if port == 0 || (plan.target.port != 21 && plan.target.port != port) {
                    return Err(Problem::new("port: it is 0, or the target names another one"));
                }
                plan.target.port = port;
            }
            plan.labels = settings.labels.clone().unwrap_or_default();
            Ok(plan)
        });
        plan.map_err(|problem| self.fault((first, format!("{target}: {problem}"))))
    }
}

impl Iterator for Targets<'_> {
    type Item = Result<Plan, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.kind {
            Kind::Plain => self.next_plain(),
            Kind::Toml { .. } => self.next_toml(),
        }
    }
}

/// A line without its comment: a `#` at its start or after a blank.
fn bare(line: &str) -> &str {
    let comment = line
        .char_indices()
        .find(|(at, c)| *c == '#' && line[..*at].chars().next_back().is_none_or(char::is_whitespace));
    comment.map_or(line, |(at, _)| &line[..at]).trim()
}

/// Lines with their numbers, of bounded length, with one line of looking ahead.
struct Lines<R> {
    reader: R,
    number: usize,
    ahead: Option<(usize, String)>,
}

type Fault = (usize, String);

impl<R: BufRead> Lines<R> {
    fn new(reader: R) -> Self {
        Self { reader, number: 0, ahead: None }
    }

    fn next(&mut self) -> Option<Result<(usize, String), Fault>> {
        if let Some(line) = self.ahead.take() {
            return Some(Ok(line));
        }
        self.number += 1;
        let mut bytes = Vec::new();
        let limit = u64::try_from(LINE_LIMIT).unwrap_or(u64::MAX);
        match self.reader.by_ref().take(limit).read_until(b'\n', &mut bytes) {
            Err(error) => Some(Err((self.number, format!("it cannot be read: {error}")))),
            Ok(0) => None,
            Ok(read) if read == LINE_LIMIT => Some(Err((self.number, "the line is too long".to_owned()))),
            Ok(_) => {
                let text = String::from_utf8(bytes);
                let text = text.map_err(|_| (self.number, "it is no UTF-8 text".to_owned()));
                Some(text.map(|text| {
                    (
                        self.number,
                        text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']).to_owned(),
                    )
                }))
            }
        }
    }

    /// The first line that says something, left in place.
    fn look_ahead(&mut self) -> Option<&str> {
        while self.ahead.is_none() {
            let line = self.next()?.ok()?;
            if !bare(&line.1).is_empty() {
                self.ahead = Some(line);
            }
        }
        self.ahead.as_ref().map(|(_, line)| bare(line))
    }

    /// The lines up to the next `[[target]]`, with the number of the first; a `[[target]]` at the start is taken along. Empty
    /// at the end.
    fn block(&mut self) -> Result<(usize, String), Fault> {
        let mut block = String::new();
        let mut first = 0;
        while let Some(line) = self.next() {
            let (number, text) = line?;
            let begins = bare(&text) == "[[target]]";
            if begins && first > 0 && !(block.trim().is_empty()) {
                self.ahead = Some((number, text));
                break;
            }
            if first == 0 {
                first = number;
            }
            block.push_str(&text);
            block.push('\n');
            if block.len() > LINE_LIMIT {
                return Err((first, "this target has too many lines".to_owned()));
            }
        }
        Ok((first, block))
    }
}
