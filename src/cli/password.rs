//! Where the password comes from: never the command line.

use std::collections::HashMap;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pasvcheck::ftp::{Argument, Secret};
use pasvcheck::plan::{Credentials, Request};
use pasvcheck::standin::SharedSecret;

use super::Problem;
use super::args::LoginArgs;
use super::netrc::Netrc;

/// The environment variable that may hold it.
const VARIABLE: &str = "PASVCHECK_PASSWORD";

/// The environment variable that may hold the secret of a stand-in.
const SECRET_VARIABLE: &str = "PASVCHECK_SECRET";

/// Names that stand for "no credentials".
const ANONYMOUS: [&str; 2] = ["anonymous", "ftp"];

/// Whether a name stands for somebody who has a password.
pub(super) fn is_named(user: &str) -> bool {
    !ANONYMOUS.contains(&user)
}

/// Where passwords were found, so that one prompt, or one line of standard input, serves all targets.
pub(super) struct Passwords {
    netrc: Option<Netrc>,
    /// By source.
    known: Mutex<HashMap<Source, String>>,
}

/// Where a password comes from.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Source {
    File(PathBuf),
    Prompt(String),
    Stdin,
    Variable(String),
}

impl Passwords {
    /// With `netrc`, the user's file is read.
    pub(super) fn new(netrc: bool) -> Result<Self, Problem> {
        let netrc = if netrc { Some(Netrc::of_user()?) } else { None };
        Ok(Self { netrc, known: Mutex::default() })
    }

    /// As whom to log in: `--user`, else the user of the URL, else whom netrc has for the host, else anonymous.
    /// A dry run does not need the password (`wanted` is false).
    pub(super) fn credentials(
        &self,
        args: &LoginArgs,
        request: &Request,
        wanted: bool,
    ) -> Result<Credentials, Problem> {
        let user = user(args, request)?;
        let named = user.as_ref().map(Argument::as_str);
        let entry = self.netrc.as_ref().and_then(|netrc| netrc.find(&request.target.host, named));
        let login = entry.and_then(|entry| entry.login.as_deref());
        let user = match (user, login) {
            (Some(user), _) => user,
            (None, Some(login)) => sendable("the login in netrc", login)?,
            (None, None) => return Ok(Credentials::Anonymous),
        };
        if ANONYMOUS.contains(&user.as_str()) {
            return Ok(Credentials::Anonymous);
        }
        if user.as_str().is_empty() {
            return Err(Problem::new("--user needs a name"));
        }
        let from_netrc = entry.and_then(|entry| entry.password.clone());
        let text = match from_netrc.filter(|_| !named_source(args)) {
            _ if !wanted => String::new(),
            Some(password) => password,
            None => self.password(args, &user)?,
        };
        let password = Secret::new(text);
        let password =
            password.map_err(|error| Problem::new(format!("the password cannot be sent: {error}")))?;
        Ok(Credentials::Named { user, password })
    }

    fn password(&self, args: &LoginArgs, user: &Argument) -> Result<String, Problem> {
        let source = source(args, user)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(password) = known.get(&source) {
            return Ok(password.clone());
        }
        let password = read(&source)?;
        known.insert(source, password.clone());
        Ok(password)
    }
}

/// The user of the command line or of the target's URL.
fn user(args: &LoginArgs, request: &Request) -> Result<Option<Argument>, Problem> {
    let typed = args.user.as_deref().map(|user| sendable("--user", user)).transpose()?;
    Ok(typed.or_else(|| request.user.clone()))
}

fn sendable(what: &str, text: &str) -> Result<Argument, Problem> {
    Argument::new(text).map_err(|error| Problem::new(format!("{what} cannot be sent: {error}")))
}

/// Whether the user said where the password is.
fn named_source(args: &LoginArgs) -> bool {
    args.password_env.is_some() || args.password_file.is_some() || args.password_stdin
}

/// Where the password is to be had.
fn source(args: &LoginArgs, user: &Argument) -> Result<Source, Problem> {
    if let Some(variable) = &args.password_env {
        return Ok(Source::Variable(variable.clone()));
    }
    if let Some(path) = &args.password_file {
        return Ok(Source::File(path.clone()));
    }
    if args.password_stdin {
        return Ok(Source::Stdin);
    }
    if std::env::var_os(VARIABLE).is_some() {
        return Ok(Source::Variable(VARIABLE.to_owned()));
    }
    if !std::io::stderr().is_terminal() {
        let ways = format!("set {VARIABLE}, or use --password-file, --password-stdin or --netrc");
        return Err(Problem::new(format!("no password for {}: {ways}", user.as_str())));
    }
    Ok(Source::Prompt(user.as_str().to_owned()))
}

fn read(source: &Source) -> Result<String, Problem> {
    match source {
        Source::File(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| {
                Problem::new(format!("the password file {} cannot be read: {error}", path.display()))
            })?;
            Ok(first_line(&text))
        }
        Source::Prompt(user) => {
            rpassword::prompt_password(format!("Password for {user}: ")).map_err(|error| {
                Problem::new(format!("the password cannot be asked for: {error}; set {VARIABLE} instead"))
            })
        }
        Source::Stdin => {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            read.map_err(|error| {
                Problem::new(format!("no password can be read from standard input: {error}"))
            })?;
            Ok(first_line(&line))
        }
        Source::Variable(name) => std::env::var(name)
            .map_err(|_| Problem::new(format!("the environment variable {name} holds no password"))),
    }
}

/// The secret that is shared with a stand-in: from a file, or the environment, or none.
pub(crate) fn stand_in_secret(file: Option<&Path>) -> Result<Option<SharedSecret>, Problem> {
    let (from, text) = match (file, std::env::var(SECRET_VARIABLE)) {
        (Some(path), _) => {
            let name = path.display();
            let text = std::fs::read_to_string(path)
                .map_err(|error| Problem::new(format!("the secret file {name} cannot be read: {error}")))?;
            (format!("the secret file {name}"), text)
        }
        (None, Ok(text)) if !text.trim().is_empty() => (SECRET_VARIABLE.to_owned(), text),
        _ => return Ok(None),
    };
    let secret = SharedSecret::new(&first_line(&text));
    secret.map(Some).map_err(|error| Problem::new(format!("{from}: {error}")))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
